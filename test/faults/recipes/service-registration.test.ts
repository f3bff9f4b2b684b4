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
  it('over an expiry registers nothing again, and still waits for what callers have begun', async () => {
    await using rig = await startRig({ sessionTimeout: SHORT });
    const before = await register(rig, { id: 'before' });
    const meanwhile = await register(rig, { id: 'meanwhile' });
    const lasting = await register(rig, { id: 'lasting', serviceType: 'STATIC' });
    const shown = async (): Promise<string> =>
      (await instances(rig))
        .map((each) => `${each.id} ${each.enabled}`)
        .sort()
        .join();
    const [first, second, third] = [before, meanwhile, lasting].map((service, index) => async () => {
      let isOver = false;
      const ending = service.unregister({ drain: FOREVER }).then(() => (isOver = true));
      return { isOver: () => isOver, end: () => Promise.all([service.unregister({ drain: index }), ending]) };
    });
    const drains = [await first!()];
    await until(async () => (await shown()).includes('before false'), { what: 'the drain' });
    await rig.outlive();
    drains.push(await second!(), await third!());
    expect(await shown()).toBe('lasting true');
    await rig.relink();
    // An instance that outlives its session is still to be seen, and so has to say it.
    await until(async () => (await shown()) === 'lasting false', { what: 'the drain of the lasting one' });
    await rig.zk.sync('/');
    expect([before.held, meanwhile.held, drains.map(({ isOver }) => isOver())]).toEqual([
      false,
      false,
      [false, false, false],
    ]);
    await Promise.all(drains.map(({ end }) => end()));
    expect([await shown(), await creations(rig)]).toEqual(['', 3]);
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

  it('says first that the instance does not want to be called, however late that can be said', async () => {
    await using rig = await startRig();
    const service = await register(rig);
    await rig.unlink();
    const unregistering = service.unregister({ drain: 1 });
    await rig.relink();
    await unregistering;
    const writes = rig.newestOpCodes.filter((opCode) => opCode === op.setData || opCode === op.delete);
    expect([writes, await instances(rig)]).toEqual([[op.setData, op.delete], []]);
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
    const other = await register(rig, { id: 'cart-2' });
    const unregistering = service.unregister({ drain: FOREVER });
    await until(async () => (await instances(rig)).some((each) => !each.enabled), { what: 'the drain' });
    await rig.zk.close({ timeout: 20_000 });
    await within(unregistering, { what: 'the end' });
    await within(other.unregister({ drain: FOREVER }), { what: 'the end of the other' });
    expect(await instances(rig)).toEqual([]);
  });
});

describe('a registration', () => {
  it('N1: says when it is not in place, and has the latest data when it is again, unless another has its id', async () => {
    await using rig = await startRig({ sessionTimeout: SHORT });
    const service = await register(rig);
    const old = await register(rig, { id: 'cart-2' });
    const waiting = new ServiceRegistry(rig.observer).register({ ...cart, id: 'cart-2', port: 2, onConflict: 'wait' });
    const states: RegistrationState[] = [];
    const telling = (async () => {
      for await (const state of service) states.push(state);
    })();
    await rig.outlive();
    await until(() => states.length === 2, { what: 'the loss to be told' });
    await using young = await within(waiting, { what: 'the one that waits for its id' });
    const updating = service.update({ port: 3, weight: 3, zone: 'north' });
    await rig.relink();
    await updating;
    await until(() => states.length === 3, { what: 'the return to be told' });
    expect(states).toEqual([{ registered: true, path }, { registered: false }, { registered: true, path }]);
    expect(await failureOf(old.published())).toMatchObject({ code: 'OWNED_BY_OTHER' });
    await old.unregister();
    const found = (await instances(rig)).sort((a, b) => (a.id < b.id ? -1 : 1));
    expect(found).toEqual([service.instance, young.instance]);
    expect([young.held, found[0]?.weight, found[0]?.zone, found[1]?.port]).toEqual([true, 3, 'north', 2]);
    await service.unregister();
    await telling;
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
    const updating = service.update({ port: 2 });
    for (const isWell of [false, true, false, true]) {
      patient.isWell = isWell;
      await until(() => service.health?.state.status === (isWell ? 'passing' : 'failing'), { what: 'the change' });
    }
    await rig.relink();
    await updating;
    expect([service.held, await instances(rig)]).toEqual([true, [service.instance]]);
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
