import { expect, it } from '@jest/globals';
import { type ServiceList, ServiceRegistry } from 'zookit/recipes';
import { until, within } from '../../support/until.js';
import { failureOf, op, startRig, SHORT } from '../rig.js';

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
