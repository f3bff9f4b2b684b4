import { describe, expect, it } from '@jest/globals';
import { AbortedError, ClosedError, OperationTimeoutError, ZooKeeper } from 'zookit';
import { OwnedByOtherError, type RegistrationState, type ServiceHealthOptions, ServiceRegistry } from 'zookit/recipes';
import { sharedServer } from '../../support/shared.js';
import { until, within } from '../../support/until.js';
import { failureOf, useClients } from '../clients.js';

const clients = useClients();

/** A check that passes as long as it is told to. */
class Patient {
  isWell = true;
  checks = 0;

  options(change: Partial<ServiceHealthOptions> = {}): ServiceHealthOptions {
    const check = (): void => {
      this.checks++;
      if (!this.isWell) throw new Error('down');
    };
    return { check, interval: 1, startInterval: 1, timeout: 60_000, ...change };
  }

  /** Resolves when so many more checks were made. */
  async checked(count: number): Promise<void> {
    const wanted = this.checks + count;
    await until(() => this.checks >= wanted, { what: `${count} checks` });
  }
}

async function registry(zk = clients.zk): Promise<ServiceRegistry> {
  return new ServiceRegistry(zk, { basePath: `${await clients.folder()}/services` });
}

describe('an instance with a health check', () => {
  it('is registered when the check passes, taken off while it fails, and registered again', async () => {
    const services = await registry();
    const patient = new Patient();
    patient.isWell = false;
    const registering = services.register({ name: 'cart', id: '1', port: 1, health: patient.options() });
    await patient.checked(5);
    expect(await services.instances('cart')).toEqual([]);
    patient.isWell = true;
    const cart = await registering;
    const states: RegistrationState[] = [];
    const telling = (async () => {
      for await (const state of cart) states.push(state);
    })();
    expect([cart.held, cart.health?.state.status, await services.instances('cart')]).toMatchObject([
      true,
      'passing',
      [{ port: 1 }],
    ]);
    const { signal } = cart;
    patient.isWell = false;
    await until(async () => (await services.instances('cart')).length === 0, { what: 'it to be taken off' });
    await until(() => states.length === 2, { what: 'that to be told' });
    expect([cart.held, signal.aborted, cart.signal.aborted, cart.health?.state]).toEqual([
      false,
      true,
      true,
      { status: 'failing', error: new Error('down') },
    ]);
    const updating = cart.update({ port: 2 });
    expect(await failureOf(cart.update({ port: 3 }, { timeout: 20 }))).toBeInstanceOf(OperationTimeoutError);
    patient.isWell = true;
    await updating;
    expect([cart.held, (await services.instances('cart'))[0]?.port]).toEqual([true, 3]);
    await cart.unregister();
    await telling;
    expect(states.map(({ registered }) => registered)).toEqual([true, false, true]);
  });

  it("stays on the list with onFail: 'disable', and is not enabled while it fails", async () => {
    const services = await registry();
    const patient = new Patient();
    patient.isWell = false;
    const health = patient.options({ onFail: 'disable' });
    const registering = services.register({ name: 'cart', id: '1', health });
    await patient.checked(5);
    expect(await services.instances('cart')).toEqual([]);
    patient.isWell = true;
    const cart = await registering;
    const before = await clients.zk.exists(`${services.basePath}/cart/1`);
    const enabled = async (): Promise<boolean | undefined> => (await services.instances('cart'))[0]?.enabled;
    expect(await enabled()).toBe(true);
    patient.isWell = false;
    await until(async () => (await enabled()) === false, { what: 'it to be disabled' });
    // What is updated meanwhile does not enable it.
    await cart.update({ port: 7, enabled: true });
    expect([cart.held, cart.instance.enabled, await enabled()]).toEqual([true, false, false]);
    patient.isWell = true;
    await until(enabled, { what: 'it to be enabled' });
    await cart.update({ enabled: false });
    patient.isWell = false;
    await until(() => cart.health?.state.status === 'failing', { what: 'the failure' });
    patient.isWell = true;
    await until(() => cart.health?.state.status === 'passing', { what: 'the recovery' });
    await clients.zk.sync('/');
    expect([await enabled(), (await clients.zk.exists(`${services.basePath}/cart/1`))?.czxid]).toEqual([
      false,
      before?.czxid,
    ]);
    await cart.unregister();
  });

  it('goes on and off as often as the check changes its mind, and is right in the end', async () => {
    const services = await registry();
    const patient = new Patient();
    await using cart = await services.register({
      ...{ name: 'cart', id: '1' },
      health: patient.options({ fall: 1 }),
    });
    for (let turn = 0; turn < 30; turn++) {
      patient.isWell = turn % 2 === 0;
      await patient.checked(1 + (turn % 3));
    }
    expect(patient.isWell).toBe(false);
    await until(async () => (await services.instances('cart')).length === 0, { what: 'it to be off' });
    patient.isWell = true;
    await cart.published();
    expect(await services.instances('cart')).toHaveLength(1);
  });

  it('that does not become healthy in time is not registered, and says why; its check ends', async () => {
    const services = await registry();
    const patient = new Patient();
    patient.isWell = false;
    const registering = services.register({ name: 'cart', health: patient.options() }, { timeout: 50 });
    await expect(registering).rejects.toThrow(OperationTimeoutError);
    await expect(registering).rejects.toThrow('the health check has not passed within 50 ms: down');
    const { checks } = patient;
    patient.isWell = true;
    await clients.zk.sync('/');
    expect([patient.checks, await services.instances('cart')]).toEqual([checks, []]);
    const aborting = services.register({ name: 'cart', health: patient.options() }, { signal: AbortSignal.abort() });
    await expect(aborting).rejects.toThrow(AbortedError);
  });

  it('checks no more once it is unregistered, while it drains or was taken off', async () => {
    const services = await registry();
    const patient = new Patient();
    const cart = await services.register({ name: 'cart', id: '1', health: patient.options({ fall: 1 }) });
    patient.isWell = false;
    await until(async () => (await services.instances('cart')).length === 0, { what: 'it to be off' });
    patient.isWell = true;
    const unregistering = cart.unregister({ drain: 20 });
    const { checks } = patient;
    await unregistering;
    expect([patient.checks, await services.instances('cart'), cart.held]).toEqual([checks, [], false]);
    expect(await failureOf(cart.published())).toBeInstanceOf(ClosedError);
  });

  it('checks no more when another has taken its place, or the client was closed', async () => {
    const zk = await ZooKeeper.connect(sharedServer().connectString + clients.chroot);
    const services = await registry(zk);
    const patient = new Patient();
    const one = await services.register({ name: 'cart', id: '1', health: patient.options() });
    await using young = await new ServiceRegistry(clients.zk, { basePath: services.basePath }).register({
      name: 'cart',
      id: '1',
    });
    expect(await failureOf(one.update({ port: 1 }))).toBeInstanceOf(OwnedByOtherError);
    const { checks } = patient;
    await clients.zk.sync('/');
    expect([patient.checks, young.held]).toEqual([checks, true]);

    const sick = new Patient();
    const two = await services.register({ name: 'cart', id: '2', health: sick.options({ fall: 1 }) });
    sick.isWell = false;
    await until(async () => (await services.instances('cart')).length === 1, { what: 'it to be off' });
    const waiting = two.published();
    await zk.close();
    expect(await failureOf(within(waiting, { what: 'the end' }))).toBeInstanceOf(ClosedError);
    const { checks: last } = sick;
    await clients.zk.sync('/');
    expect(sick.checks).toBe(last);
    await Promise.all([one.unregister(), two.unregister()]);
  });
});
