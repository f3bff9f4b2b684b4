import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ZooKeeper } from 'zookit';
import { PersistentNode, type ServiceInstance, ServiceRegistry } from 'zookit/recipes';
import { gate, until, within } from '../../support/until.js';
import { startServer, type ZooKeeperServer } from '../../support/zookeeper.js';
import { failureOf, op, type Rig, startRig, SHORT } from '../rig.js';

const cart = { name: 'cart', id: 'cart-1', port: 1 };
const path = '/services/cart/cart-1';

function instances({ observer }: Rig): Promise<ServiceInstance[]> {
  return new ServiceRegistry(observer).instances('cart');
}

describe('a registration', () => {
  it('N1: is made again after an expiry, by the new session, with the latest data', async () => {
    await using rig = await startRig({ sessionTimeout: SHORT });
    const service = await new ServiceRegistry(rig.zk).register(cart);
    const { signal } = service;
    await service.update({ port: 2 });
    await rig.outlive();
    expect([service.held, signal.aborted, await instances(rig)]).toEqual([false, true, []]);
    const updating = service.update({ port: 3 });
    await rig.relink();
    await until(async () => (await instances(rig)).length === 1, { what: 'the registration', timeout: 5_000 });
    await updating;
    expect(await instances(rig)).toMatchObject([{ port: 3 }]);
    expect((await rig.observer.exists(path))?.ephemeralOwner).toEqual(rig.zk.session.id);
    expect([service.held, service.signal.aborted]).toEqual([true, false]);
    await service.unregister();
    expect(await instances(rig)).toEqual([]);
  });

  it('gives way to another process that has taken its id while its session had expired', async () => {
    await using rig = await startRig({ sessionTimeout: SHORT });
    const old = await new ServiceRegistry(rig.zk).register(cart);
    await rig.outlive();
    await using young = await new ServiceRegistry(rig.observer).register({ ...cart, port: 2 });
    await rig.relink();
    expect(await failureOf(old.update({ port: 3 }))).toMatchObject({ code: 'OWNED_BY_OTHER' });
    expect([old.held, young.held]).toEqual([false, true]);
    await old.unregister();
    expect(await instances(rig)).toMatchObject([{ port: 2 }]);
  });

  it('N4: publishes what was updated during a cut when that heals; nothing is deleted or created', async () => {
    await using rig = await startRig({ sessionTimeout: 10_000 });
    const service = await new ServiceRegistry(rig.zk).register(cart);
    const before = await rig.observer.exists(path);
    rig.proxy.cut();
    let isPublished = false;
    const updating = service.update({ port: 2 }).then(() => (isPublished = true));
    expect(await failureOf(service.update({ port: 3 }, { timeout: 50 }))).toMatchObject({ code: 'OPERATION_TIMEOUT' });
    expect([isPublished, service.held]).toEqual([false, true]);
    rig.proxy.heal();
    await updating;
    expect(await instances(rig)).toMatchObject([{ port: 3 }]);
    expect((await rig.observer.exists(path))?.czxid).toEqual(before?.czxid);
    await service.unregister();
  });

  it('is kept over lost requests and replies of every kind', async () => {
    for (const offlineQueue of [{}, false] as const) {
      await using rig = await startRig({ sessionTimeout: 10_000, offlineQueue });
      for (const opCode of [op.create, op.setData, op.exists, op.delete, op.sync]) {
        void rig.proxy.swallowNextReply((request) => request.opCode === opCode);
        void rig.proxy.swallowNextRequest((request) => request.opCode === opCode);
        const service = await new ServiceRegistry(rig.zk).register(cart);
        await service.update({ port: 2 });
        expect(await instances(rig)).toMatchObject([{ port: 2 }]);
        await service.unregister();
        expect(await instances(rig)).toEqual([]);
      }
    }
  });

  it('N6: comes back, with its parents, when somebody deletes all of it', async () => {
    await using rig = await startRig({ sessionTimeout: 10_000 });
    const service = await new ServiceRegistry(rig.zk).register(cart);
    await rig.observer.deleteTree('/services');
    await until(async () => (await instances(rig)).length === 1, { what: 'the registration', timeout: 5_000 });
    await rig.unlink();
    await rig.observer.deleteTree('/services');
    await rig.relink();
    await until(async () => (await instances(rig)).length === 1, { what: 'the registration', timeout: 5_000 });
    await until(() => service.held, { what: 'it to know' });
  });

  it('is held again after a lost connection where the connection is what it depends on', async () => {
    await using rig = await startRig({ sessionTimeout: 10_000 });
    const service = await new ServiceRegistry(rig.zk).register({ ...cart, loseOn: 'suspended' });
    await rig.unlink();
    expect([service.held, service.signal.aborted]).toEqual([false, true]);
    await rig.relink();
    await until(() => service.held, { what: 'it to be held' });
    expect(service.signal.aborted).toBe(false);
  });

  it('is held again after this process was blocked for almost a session, and its session lives', async () => {
    await using rig = await startRig({ sessionTimeout: 10_000 });
    const service = await new ServiceRegistry(rig.zk).register({ ...cart, margin: 9_000 });
    const { signal } = service;
    // Until nothing is under way that would make it look again in any case.
    for (let turn = 0; turn < 3; turn++) await rig.zk.sync('/');
    const end = performance.now() + 1_300;
    while (performance.now() < end);
    expect(service.held).toBe(false);
    await until(() => service.held, { what: 'it to be held' });
    expect([signal.aborted, rig.events.types]).toEqual([true, []]);
  });

  it('that cannot be made in time is not made later', async () => {
    await using rig = await startRig({ sessionTimeout: 10_000 });
    await rig.unlink();
    const begun = performance.now();
    const registering = new ServiceRegistry(rig.zk).register(cart, { timeout: 100 });
    expect(await failureOf(registering)).toMatchObject({ code: 'OPERATION_TIMEOUT' });
    expect(performance.now() - begun).toBeLessThan(2_000);
    await rig.relink();
    await rig.zk.sync('/');
    expect(await instances(rig)).toEqual([]);
    rig.proxy.holdReplies();
    const late = new ServiceRegistry(rig.zk).register(cart, { timeout: 200 });
    expect(await failureOf(late)).toMatchObject({ code: 'OPERATION_TIMEOUT' });
    rig.proxy.heal();
    await until(async () => (await instances(rig)).length === 0, { what: 'it to go' });
  });

  it('that is taken off without a connection is gone after the next one', async () => {
    await using rig = await startRig({ sessionTimeout: 10_000 });
    const service = await new ServiceRegistry(rig.zk).register(cart);
    await rig.unlink();
    const unregistering = service.unregister();
    expect(service.held).toBe(false);
    await rig.relink();
    await unregistering;
    expect(await instances(rig)).toEqual([]);
  });

  it('that is taken off while its session expires does not come back in the next one', async () => {
    await using rig = await startRig({ sessionTimeout: SHORT });
    const service = await new ServiceRegistry(rig.zk).register(cart);
    const outliving = rig.outlive();
    await rig.events.first('suspended');
    const updating = failureOf(service.update({ port: 2 }));
    const unregistering = service.unregister();
    await outliving;
    await rig.relink();
    await within(unregistering, { what: 'the end' });
    expect(await updating).toMatchObject({ code: 'CLOSED' });
    await rig.zk.sync('/');
    expect(await instances(rig)).toEqual([]);
  });

  it('ends with the client', async () => {
    await using rig = await startRig();
    const service = await new ServiceRegistry(rig.zk).register(cart);
    await rig.zk.close({ timeout: 20_000 });
    expect([service.held, await instances(rig)]).toEqual([false, []]);
    expect(await failureOf(service.update({ port: 2 }))).toMatchObject({ code: 'CLOSED' });
    await service.unregister();
  });
});

describe('an owned node', () => {
  it('that may not take the place of another fails, and leaves that alone', async () => {
    await using rig = await startRig();
    await rig.observer.create('/owned', 'theirs', { mode: 'ephemeral' });
    await using node = new PersistentNode(rig.zk, '/owned', 'ours', { onConflict: 'fail' }).start();
    expect(await failureOf(node.published())).toMatchObject({ code: 'OWNED_BY_OTHER', path: '/owned' });
    expect([node.held, node.signal.aborted]).toEqual([false, true]);
    await node.close();
    expect((await rig.observer.getData('/owned')).text()).toBe('theirs');
  });

  it('has a wait for its publication that can be ended', async () => {
    await using rig = await startRig();
    const node = new PersistentNode(rig.zk, '/owned', 'ours');
    expect(await failureOf(node.published({ timeout: 20 }))).toMatchObject({ code: 'OPERATION_TIMEOUT' });
    await node.start().published();
    expect((await rig.observer.getData('/owned')).text()).toBe('ours');
    await node.close();
    expect(await failureOf(node.published())).toMatchObject({ code: 'CLOSED' });
  });
});

describe('N7: after 10 restarts of the server', () => {
  let server: ZooKeeperServer;

  beforeAll(async () => {
    server = await startServer();
  });

  afterAll(async () => {
    await server.close();
  });

  it('there is one connection and one session, and the registration was never deleted', async () => {
    await using zk = await ZooKeeper.connect(server.connectString, { sessionTimeout: 60_000 });
    const service = await new ServiceRegistry(zk).register(cart);
    await using provider = new ServiceRegistry(zk).provider('cart');
    await provider.ready();
    const lost = gate();
    service.signal.addEventListener('abort', () => lost.open());
    const [{ id }, before] = [zk.session, await zk.exists(path)];
    for (let restart = 0; restart < 10; restart++) {
      await server.kill();
      await until(() => zk.state === 'suspended', { what: 'the client to notice' });
      await server.start();
      await zk.ready({ timeout: 60_000 });
    }
    const connections = (await server.fourLetter('cons')).split('\n').filter((line) => line.includes('sid='));
    expect(connections).toHaveLength(1);
    expect([zk.session.id, service.held, (await zk.exists(path))?.czxid]).toEqual([id, true, before?.czxid]);
    await until(() => !provider.list.stale, { what: 'the list to be current' });
    expect(provider.list.instances).toMatchObject([{ port: 1 }]);
  }, 180_000);
});
