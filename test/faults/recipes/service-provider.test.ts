import { describe, expect, it } from '@jest/globals';
import { type ServiceList, type ServiceListChange, type ServiceProvider, ServiceRegistry } from 'zookit/recipes';
import { sharedServer } from '../../support/shared.js';
import { until, within } from '../../support/until.js';
import { watchedPaths } from '../../support/watches.js';
import { failureOf, op, type Rig, startRig, SHORT } from '../rig.js';

const path = '/services/cart';

/** Instances of the service that nobody keeps alive, with the ports as ids. */
async function plant(rig: Rig, ...ports: number[]): Promise<void> {
  await rig.observer.ensurePath(path);
  await Promise.all(ports.map((port) => rig.observer.create(`${path}/${port}`, `{"port":${port}}`)));
}

function portsOf({ instances }: ServiceList): (number | null)[] {
  return instances.map(({ port }) => port);
}

async function current(provider: ServiceProvider, ...ports: number[]): Promise<void> {
  await until(() => !provider.list.stale && portsOf(provider.list).join() === ports.join(), {
    what: `a current list of ${ports.join()}`,
  });
}

it('N5: keeps the list while nobody answers, and says so; an empty one that the server sends is the truth', async () => {
  await using rig = await startRig({ sessionTimeout: 10_000 });
  const services = [await new ServiceRegistry(rig.observer).register({ name: 'cart', port: 1 })];
  await using provider = new ServiceRegistry(rig.zk).provider('cart');
  await provider.ready();
  expect(provider.list).toMatchObject({ instances: [{ port: 1 }], stale: false });
  await rig.unlink();
  expect(provider.list).toMatchObject({ instances: [{ port: 1 }], stale: true });
  expect((await provider.pick()).port).toBe(1);
  await rig.relink();
  // Nothing has changed: the list is current again all the same.
  await until(() => !provider.list.stale, { what: 'the list to be current' });
  await rig.unlink();
  await services[0]!.unregister();
  expect(provider.list.instances).toHaveLength(1);
  await rig.relink();
  await until(() => !provider.list.stale, { what: 'the list to be current' });
  expect(provider.list.instances).toEqual([]);
  services.push(await new ServiceRegistry(rig.observer).register({ name: 'cart', port: 2 }));
  await until(() => provider.list.instances.length === 1, { what: 'the new one' });
  await services[1]!.unregister();
  await until(() => provider.list.instances.length === 0, { what: 'the empty list' });
  expect(provider.list.stale).toBe(false);
});

it('goes on in a new session, and keeps the old list until that has looked', async () => {
  await using rig = await startRig({ sessionTimeout: SHORT });
  const services = new ServiceRegistry(rig.observer);
  const gone = await services.register({ name: 'cart', id: 'gone', port: 1 });
  const changed = await services.register({ name: 'cart', id: 'changed', port: 2 });
  await using provider = new ServiceRegistry(rig.zk).provider('cart');
  await provider.ready();
  await rig.outlive();
  await Promise.all([gone.unregister(), changed.update({ port: 3 })]);
  expect(provider.list).toMatchObject({ instances: [{ port: 2 }, { port: 1 }], stale: true });
  await rig.relink();
  await until(() => !provider.list.stale, { what: 'the list to be current' });
  expect(provider.list.instances).toMatchObject([{ port: 3 }]);
  await changed.update({ port: 4 });
  await until(() => provider.list.instances[0]?.port === 4, { what: 'the change' });
});

it('tells who iterates it when the connection goes and comes', async () => {
  await using rig = await startRig({ sessionTimeout: 10_000 });
  await using provider = new ServiceRegistry(rig.zk).provider('cart');
  await provider.ready();
  const lists = provider[Symbol.asyncIterator]();
  const next = async (): Promise<boolean> =>
    ((await within(lists.next(), { what: 'a list' })).value as ServiceList).stale;
  expect(await next()).toBe(false);
  await rig.unlink();
  expect(await next()).toBe(true);
  await rig.relink();
  expect(await next()).toBe(false);
});

it('is complete also where a read of its first look was lost', async () => {
  await using rig = await startRig({ sessionTimeout: 10_000, offlineQueue: false });
  await rig.observer.ensurePath('/services/cart');
  for (let port = 1; port <= 9; port++) await rig.observer.create(`/services/cart/${port}`, `{"port":${port}}`);
  let reads = 0;
  void rig.proxy.swallowNextRequest(({ opCode }) => opCode === op.getData && ++reads === 5);
  await using provider = new ServiceRegistry(rig.zk).provider('cart');
  await provider.ready();
  expect(provider.list.instances.map(({ port }) => port)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

it('can be closed at once without a connection, and tells who waits', async () => {
  await using rig = await startRig({ sessionTimeout: 10_000 });
  await rig.unlink();
  const provider = new ServiceRegistry(rig.zk).provider('cart');
  expect(await failureOf(provider.ready({ timeout: 20 }))).toMatchObject({ code: 'OPERATION_TIMEOUT' });
  const picking = failureOf(provider.pick());
  await within(provider.close(), { what: 'the end', timeout: 5_000 });
  expect(await picking).toMatchObject({ code: 'CLOSED' });
});

it('tells of the end of the client', async () => {
  await using rig = await startRig();
  const provider = new ServiceRegistry(rig.zk).provider('cart');
  await provider.ready();
  const picking = failureOf(provider.pick());
  await rig.zk.close();
  expect(await picking).toMatchObject({ code: 'CLOSED' });
  await provider.close();
});

describe('a list that may be out of date', () => {
  it('says since when: since the connection went, however often it came back in vain', async () => {
    await using rig = await startRig({ sessionTimeout: 10_000 });
    await plant(rig, 1);
    const before = Date.now();
    await using provider = new ServiceRegistry(rig.zk).provider('cart');
    expect(provider.list.staleSince).toBeGreaterThan(before - 1_000);
    await provider.ready();
    await current(provider, 1);
    expect(provider.list.staleSince).toBeUndefined();
    await rig.unlink();
    const { staleSince = NaN } = provider.list;
    expect(staleSince).toBeGreaterThan(before - 1_000);
    expect(staleSince).toBeLessThan(Date.now() + 1_000);
    await plant(rig, 2);
    expect(provider.list.staleSince).toBe(staleSince);
    await rig.relink();
    await current(provider, 1, 2);
    expect(provider.list.staleSince).toBeUndefined();
  });

  it('is called by, with all that is known of its instances, over an expiry, too', async () => {
    await using rig = await startRig({ sessionTimeout: SHORT });
    await plant(rig, 1, 2);
    await using provider = new ServiceRegistry(rig.zk).provider('cart');
    const bad = await provider.pick();
    for (const error of ['first', 'second']) provider.noteFailure(bad, error);
    await rig.outlive();
    expect(provider.list.stale).toBe(true);
    for (let turn = 0; turn < 3; turn++) expect((await provider.pick()).id).not.toBe(bad.id);
    await rig.relink();
    await current(provider, 1, 2);
    expect(provider.setAside).toEqual([bad]);
  });
});

it('M1: comes to the last of 1,000 changes, made as fast as can be', async () => {
  await using rig = await startRig();
  await plant(rig, 0);
  await using provider = new ServiceRegistry(rig.zk).provider('cart');
  await provider.ready();
  const writes = Array.from({ length: 1_000 }, (_, port) => rig.observer.setData(`${path}/0`, `{"port":${port}}`));
  await Promise.all(writes);
  await current(provider, 999);
});

it('M3: without a connection at the start it is ready when there is one, and whoever waits may give up before', async () => {
  await using rig = await startRig({ sessionTimeout: 10_000 });
  await plant(rig, 1);
  await rig.unlink();
  await using provider = new ServiceRegistry(rig.zk).provider('cart', { timeout: 20 });
  expect(await failureOf(provider.ready({ timeout: 20 }))).toMatchObject({ code: 'OPERATION_TIMEOUT' });
  expect(await failureOf<Error>(provider.pick())).toMatchObject({ code: 'OPERATION_TIMEOUT' });
  const picking = provider.pick({ timeout: 30_000 });
  await rig.relink();
  expect((await picking).port).toBe(1);
});

it('M5: follows a service that comes and goes, with its znode', async () => {
  await using rig = await startRig();
  await using provider = new ServiceRegistry(rig.zk).provider('cart');
  await provider.ready();
  for (const port of [1, 2, 3]) {
    await plant(rig, port);
    await current(provider, port);
    await rig.observer.deleteTree('/services');
    await current(provider);
  }
});

it('M7: closed in the middle of its first list it leaves no watch, and tells nobody any more', async () => {
  await using rig = await startRig();
  await plant(rig, ...Array.from({ length: 500 }, (_, index) => index));
  for (const reads of [0, 1, 150, 400]) {
    const before = rig.proxy.requests.filter(({ opCode }) => opCode === op.getData).length;
    const provider = new ServiceRegistry(rig.zk).provider('cart');
    await until(() => rig.proxy.requests.filter(({ opCode }) => opCode === op.getData).length >= before + reads, {
      what: 'some reads',
      interval: 1,
    });
    await provider.close();
    const known = provider.list;
    await rig.zk.sync('/');
    expect([rig.zk.watches(), provider.list.instances]).toEqual([[], known.instances]);
  }
  await until(async () => (await watchedPaths(sharedServer(), rig.chroot)).length === 0, { what: 'no watch' });
});

it('M8: is as the server is, whatever three writers do, over lost connections', async () => {
  await using rig = await startRig({ sessionTimeout: 30_000 });
  await plant(rig);
  await using provider = new ServiceRegistry(rig.zk).provider('cart');
  const followed = new Map<string, number | null>();
  const following = (async () => {
    for await (const { added, removed, updated } of provider) {
      for (const { id } of removed) followed.delete(id);
      for (const { id, port } of added) followed.set(id, port);
      for (const { instance } of updated) followed.set(instance.id, instance.port);
    }
  })();
  let port = 0;
  const write = async (writer: number): Promise<void> => {
    for (let step = 0; step < 60; step++) {
      const at = `${path}/${(step * 7 + writer * 3) % 10}`;
      const data = `{"port":${port++}}`;
      if (step % 5 === writer) await rig.observer.delete(at, -1, { missing: 'ignore' });
      else await rig.observer.upsert(at, data);
    }
  };
  const writing = Promise.all([0, 1, 2].map(write));
  for (let cut = 0; cut < 4; cut++) await rig.reconnect();
  await writing;
  const truth = [...(await rig.observer.getChildrenData(path))].map(([id, node]): [string, number] => [
    id,
    node.json<{ port: number }>().port,
  ]);
  const known = (): [string, number | null][] => provider.list.instances.map(({ id, port: at }) => [id, at]);
  await until(() => JSON.stringify(known()) === JSON.stringify(truth.sort()) && !provider.list.stale, {
    what: 'the truth',
  });
  await until(() => JSON.stringify([...followed].sort()) === JSON.stringify(truth), { what: 'the sum of the changes' });
  await provider.close();
  await following;
});

it('N7: after reconnects there is one watch as before, and one session', async () => {
  await using rig = await startRig();
  await plant(rig, 1, 2);
  await using provider = new ServiceRegistry(rig.zk).provider('cart');
  await provider.ready();
  await current(provider, 1, 2);
  const { id } = rig.zk.session;
  const before = await watchedPaths(sharedServer(), rig.chroot);
  for (let time = 0; time < 4; time++) await rig.reconnect();
  await current(provider, 1, 2);
  await until(async () => (await watchedPaths(sharedServer(), rig.chroot)).join() === before.join(), {
    what: 'the same watches',
  });
  expect(rig.zk.session.id).toEqual(id);
});

it('tells of one change each, and of a lost connection between them, however slowly it is iterated', async () => {
  await using rig = await startRig({ sessionTimeout: 10_000 });
  await plant(rig, 1);
  await using provider = new ServiceRegistry(rig.zk).provider('cart');
  const changes = provider[Symbol.asyncIterator]();
  const next = async (): Promise<ServiceListChange> =>
    (await within(changes.next(), { what: 'a list' })).value as ServiceListChange;
  expect(portsOf(await next())).toEqual([1]);
  // Nobody asks meanwhile: what came and went again is not told.
  await plant(rig, 2);
  await current(provider, 1, 2);
  await rig.unlink();
  await rig.observer.delete(`${path}/2`);
  await plant(rig, 3);
  await rig.relink();
  await current(provider, 1, 3);
  const { added, removed, stale } = await next();
  expect([added.map(({ port }) => port), removed, stale]).toEqual([[3], [], false]);
});
