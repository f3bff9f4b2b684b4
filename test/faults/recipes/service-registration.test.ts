import { describe, expect, it } from '@jest/globals';
import {
  type RegisteredService,
  type RegistrationState,
  type ServiceHealthOptions,
  type ServiceInstance,
  type ServiceRegistration,
  ServiceRegistry,
} from 'zookit/recipes';
import { until, within } from '../../support/until.js';
import { failureOf, op, type Rig, startRig, SHORT } from '../rig.js';

const cart = { name: 'cart', id: 'cart-1', port: 1 };
const path = '/services/cart/cart-1';

/** Longer than any test. */
const FOREVER = 600_000;

function instances({ observer }: Rig): Promise<ServiceInstance[]> {
  return new ServiceRegistry(observer).instances('cart');
}

async function register({ zk, observer }: Rig, change: Partial<ServiceRegistration> = {}): Promise<RegisteredService> {
  // Which is no container: those go when they are empty, and with them the count of what was created.
  await observer.ensurePath('/services/cart');
  return await new ServiceRegistry(zk).register({ ...cart, ...change });
}

/** How often the znode was created since the start, as its parent tells. */
async function creations({ observer }: Rig): Promise<number> {
  return Math.ceil(((await observer.exists('/services/cart'))?.cversion ?? 0) / 2);
}

async function enabled(rig: Rig): Promise<boolean | undefined> {
  return (await instances(rig))[0]?.enabled;
}

describe('a drain', () => {
  it('whose session expires ends without another registration', async () => {
    await using rig = await startRig({ sessionTimeout: SHORT });
    const service = await register(rig);
    const unregistering = service.unregister({ drain: FOREVER });
    await until(async () => (await enabled(rig)) === false, { what: 'the drain' });
    await rig.outlive();
    await rig.relink();
    await rig.zk.sync('/');
    expect([service.held, await instances(rig), await creations(rig)]).toEqual([false, [], 1]);
    await service.unregister({ drain: 1 });
    await unregistering;
    expect([await instances(rig), await creations(rig)]).toEqual([[], 1]);
  });

  it('that begins without a session waits for what callers have begun, and registers nothing', async () => {
    await using rig = await startRig({ sessionTimeout: SHORT });
    const service = await register(rig);
    await rig.outlive();
    let isOver = false;
    const unregistering = service.unregister({ drain: 1_000 }).then(() => (isOver = true));
    await rig.relink();
    await rig.zk.sync('/');
    expect([isOver, await instances(rig)]).toEqual([false, []]);
    await unregistering;
    expect([await instances(rig), await creations(rig)]).toEqual([[], 1]);
  });

  it('of an instance that outlives its session goes on in the next one', async () => {
    await using rig = await startRig({ sessionTimeout: SHORT });
    const service = await register(rig, { serviceType: 'STATIC' });
    await rig.outlive();
    const unregistering = service.unregister({ drain: FOREVER });
    expect(await enabled(rig)).toBe(true);
    await rig.relink();
    await until(async () => (await enabled(rig)) === false, { what: 'the drain' });
    await service.unregister({ drain: 1 });
    await unregistering;
    expect([await instances(rig), await creations(rig)]).toEqual([[], 1]);
  });

  it('that begins without a connection counts from the reconnect', async () => {
    await using rig = await startRig();
    const service = await register(rig);
    await rig.unlink();
    const unregistering = service.unregister({ drain: FOREVER });
    expect(await enabled(rig)).toBe(true);
    await rig.relink();
    await until(async () => (await enabled(rig)) === false, { what: 'the drain' });
    await service.unregister({ drain: 1 });
    await unregistering;
    expect(await instances(rig)).toEqual([]);
  });

  it('whose connection is lost in the middle ends after the reconnect', async () => {
    await using rig = await startRig();
    const service = await register(rig);
    const unregistering = service.unregister({ drain: FOREVER });
    await until(async () => (await enabled(rig)) === false, { what: 'the drain' });
    await rig.unlink();
    const shorter = service.unregister({ drain: 1 });
    expect(await failureOf(service.unregister({ timeout: 50 }))).toMatchObject({ code: 'OPERATION_TIMEOUT' });
    expect(await instances(rig)).toHaveLength(1);
    await rig.relink();
    await Promise.all([unregistering, shorter]);
    expect(await instances(rig)).toEqual([]);
  });

  it('that is given up without a connection is over, and the instance goes after the reconnect', async () => {
    await using rig = await startRig();
    const service = await register(rig);
    await rig.unlink();
    const aborting = new AbortController();
    const unregistering = service.unregister({ drain: FOREVER, signal: aborting.signal });
    aborting.abort();
    expect(await failureOf(unregistering)).toMatchObject({ code: 'ABORTED' });
    expect(service.held).toBe(false);
    await rig.relink();
    await service.unregister();
    expect(await instances(rig)).toEqual([]);
  });

  it('comes to its end whatever request or reply is lost', async () => {
    for (const offlineQueue of [{}, false] as const) {
      await using rig = await startRig({ sessionTimeout: 10_000, offlineQueue });
      for (const opCode of [op.exists, op.setData, op.sync, op.delete]) {
        const service = await register(rig);
        void rig.proxy.swallowNextReply((request) => request.opCode === opCode);
        void rig.proxy.swallowNextRequest((request) => request.opCode === opCode);
        await service.unregister({ drain: 20 });
        expect(await instances(rig)).toEqual([]);
      }
    }
  });

  it('ends with the client', async () => {
    await using rig = await startRig();
    const service = await register(rig);
    const unregistering = service.unregister({ drain: 100 });
    await rig.zk.close({ timeout: 20_000 });
    await within(unregistering, { what: 'the end' });
    expect(await instances(rig)).toEqual([]);
  });
});

describe('a registration', () => {
  it('N1: says when it is not in place, and has the latest data when it is again', async () => {
    await using rig = await startRig({ sessionTimeout: SHORT });
    const service = await register(rig);
    const states: RegistrationState[] = [];
    const telling = (async () => {
      for await (const state of service) states.push(state);
    })();
    await rig.outlive();
    await until(() => states.length === 2, { what: 'the loss to be told' });
    const updating = service.update({ port: 2, weight: 3, zone: 'north' });
    await rig.relink();
    await updating;
    await until(() => states.length === 3, { what: 'the return to be told' });
    expect(states).toEqual([{ registered: true, path }, { registered: false }, { registered: true, path }]);
    expect(await instances(rig)).toEqual([service.instance]);
    expect(service.instance).toMatchObject({ port: 2, weight: 3, zone: 'north' });
    await service.unregister();
    await telling;
  });

  it('that waits for its id has it when the session of the other one has expired', async () => {
    await using rig = await startRig({ sessionTimeout: SHORT });
    const old = await register(rig);
    const registering = new ServiceRegistry(rig.observer).register({ ...cart, port: 2, onConflict: 'wait' });
    await rig.outlive();
    await using young = await within(registering, { what: 'the registration' });
    expect([young.held, old.held]).toEqual([true, false]);
    expect(await instances(rig)).toMatchObject([{ port: 2 }]);
    await rig.relink();
    expect(await failureOf(old.published())).toMatchObject({ code: 'OWNED_BY_OTHER' });
    await old.unregister();
    expect(await instances(rig)).toHaveLength(1);
  });
});

describe('an instance with a health check', () => {
  function checked(): { isWell: boolean; options: (change?: Partial<ServiceHealthOptions>) => ServiceHealthOptions } {
    const patient = {
      isWell: true,
      options: (change: Partial<ServiceHealthOptions> = {}): ServiceHealthOptions => ({
        check: () => patient.isWell,
        ...{ interval: 1, startInterval: 1, fall: 1, timeout: 60_000 },
        ...change,
      }),
    };
    return patient;
  }

  it.each(['unregister', 'disable'] as const)(
    '%s: that fails without a connection is off after the reconnect, and on when it passes again',
    async (onFail) => {
      await using rig = await startRig();
      const patient = checked();
      const service = await register(rig, { health: patient.options({ onFail }) });
      const isOn = async (): Promise<boolean> => (await enabled(rig)) === true;
      await rig.unlink();
      patient.isWell = false;
      await until(() => service.health?.state.status === 'failing', { what: 'the failure' });
      expect(await isOn()).toBe(true);
      await rig.relink();
      await until(async () => !(await isOn()), { what: 'it to be off' });
      await rig.unlink();
      patient.isWell = true;
      await until(() => service.health?.state.status === 'passing', { what: 'the recovery' });
      await rig.relink();
      await until(isOn, { what: 'it to be on' });
      await service.published();
      await service.unregister();
      expect(await instances(rig)).toEqual([]);
    },
  );

  it('that changes its mind without a connection is on in the end', async () => {
    await using rig = await startRig();
    const patient = checked();
    const service = await register(rig, { health: patient.options() });
    await rig.unlink();
    for (const isWell of [false, true, false, true]) {
      patient.isWell = isWell;
      await until(() => service.health?.state.status === (isWell ? 'passing' : 'failing'), { what: 'the change' });
    }
    await rig.relink();
    await service.published();
    expect([service.held, await enabled(rig)]).toEqual([true, true]);
    await service.unregister();
  });

  it('is not registered in a new session before it passes', async () => {
    await using rig = await startRig({ sessionTimeout: SHORT });
    const patient = checked();
    const service = await register(rig, { health: patient.options() });
    patient.isWell = false;
    await until(() => service.health?.state.status === 'failing', { what: 'the failure' });
    await until(async () => (await instances(rig)).length === 0, { what: 'it to be off' });
    await rig.outlive();
    await rig.relink();
    await rig.zk.sync('/');
    expect([await instances(rig), await creations(rig)]).toEqual([[], 1]);
    patient.isWell = true;
    await service.published();
    expect(await instances(rig)).toMatchObject([{ port: 1 }]);
    await service.unregister();
  });
});
