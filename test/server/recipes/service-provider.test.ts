import { describe, expect, it } from '@jest/globals';
import { acl, ClosedError, NoAuthError, OperationTimeoutError } from 'zookit';
import { type ServiceList, type ServiceProvider, ServiceRegistry } from 'zookit/recipes';
import { since } from '../../support/features.js';
import { sharedServer } from '../../support/shared.js';
import { until, within } from '../../support/until.js';
import { watchedPaths } from '../../support/watches.js';
import { useClients } from '../clients.js';

const clients = useClients();

async function registry(): Promise<ServiceRegistry> {
  return new ServiceRegistry(clients.zk, { basePath: `${await clients.folder()}/services` });
}

function portsOf({ instances }: ServiceList): (number | null)[] {
  return instances.map(({ port }) => port).sort();
}

async function ports(provider: ServiceProvider, ...expected: number[]): Promise<void> {
  await until(() => portsOf(provider.list).join() === expected.join(), { what: `the ports ${expected.join()}` });
}

describe('a provider', () => {
  it('follows instances that come, change and go', async () => {
    const services = await registry();
    await using provider = services.provider('cart');
    await provider.ready();
    expect(provider.list).toEqual({ instances: [], stale: false });
    const one = await services.register({ name: 'cart', port: 1 });
    const two = await services.register({ name: 'cart', port: 2 });
    await ports(provider, 1, 2);
    await one.update({ port: 3 });
    await ports(provider, 2, 3);
    await two.unregister();
    await ports(provider, 3);
    await one.unregister();
    await ports(provider);
    await clients.zk.deleteTree(services.basePath);
    await using again = await services.register({ name: 'cart', port: 4 });
    await ports(provider, 4);
    expect(again.held).toBe(true);
  });

  it('reads each instance once, however many there are, and what is none not again and again', async () => {
    const services = await registry();
    const path = `${services.basePath}/cart`;
    await clients.zk.ensurePath(path);
    for (let port = 0; port < 50; port++) await clients.zk.create(`${path}/${port}`, `{"port":${port}}`);
    await clients.zk.create(`${path}/foreign`, 'hello');
    await using provider = services.provider('cart');
    await provider.ready();
    expect(provider.list.instances).toHaveLength(50);
    const [first] = provider.list.instances;
    await clients.zk.setData(`${path}/7`, '{"port":700}');
    await until(() => portsOf(provider.list).includes(700), { what: 'the change' });
    expect([provider.list.instances.length, provider.list.instances[0] === first]).toEqual([50, true]);
  });

  it('picks in turn, and passes over those that do not want to be called', async () => {
    const services = await registry();
    await using provider = services.provider('cart');
    for (const port of [1, 2, 3]) await services.register({ name: 'cart', id: `${port}`, port, enabled: port !== 2 });
    await ports(provider, 1, 2, 3);
    const picked = [];
    for (let turn = 0; turn < 4; turn++) picked.push((await provider.pick()).port);
    expect(picked.slice(0, 2).sort()).toEqual([1, 3]);
    expect(picked.slice(2)).toEqual(picked.slice(0, 2));
    expect(provider.list.instances).toHaveLength(3);
  });

  it('lets who picks wait for the first instance, bounded in time', async () => {
    const services = await registry();
    await using provider = services.provider('cart');
    await expect(provider.pick({ timeout: 30 })).rejects.toThrow(OperationTimeoutError);
    await expect(provider.pick({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' });
    const picking = provider.pick();
    await using cart = await services.register({ name: 'cart', port: 1, enabled: false });
    await ports(provider, 1);
    await cart.update({ enabled: true });
    expect((await within(picking, { what: 'the pick' })).id).toBe(cart.instance.id);
  });

  it('is iterated: the list now, and each time that it has changed, to the last one', async () => {
    const services = await registry();
    await using provider = services.provider('cart');
    const lists = provider[Symbol.asyncIterator]();
    expect((await lists.next()).value).toEqual({ instances: [], stale: false });
    const registered = [];
    for (let port = 1; port <= 20; port++) registered.push(await services.register({ name: 'cart', port }));
    let last: ServiceList | undefined;
    while (last?.instances.length !== 20) last = (await lists.next()).value as ServiceList;
    const next = lists.next();
    // Neither a look without a change nor anything else brings the same list again.
    await clients.zk.create(`${services.basePath}/cart/foreign`, 'hello');
    await clients.zk.sync('/');
    await registered[0]!.unregister();
    expect(((await within(next, { what: 'a list' })).value as ServiceList).instances).toHaveLength(19);
  });

  it('ends its iterations and those who wait when it is closed, and leaves no watch', async () => {
    const services = await registry();
    await using cart = await services.register({ name: 'cart', port: 1, enabled: false });
    const provider = services.provider('cart');
    const seen: ServiceList[] = [];
    const iterating = (async () => {
      for await (const list of provider) seen.push(list);
    })();
    await provider.ready();
    const picking = expect(provider.pick()).rejects.toThrow(ClosedError);
    await provider.close();
    await picking;
    await within(iterating, { what: 'the end' });
    await expect(provider.ready()).rejects.toThrow(ClosedError);
    const path = `${clients.chroot}${services.basePath}/cart`;
    // What is left is the registration's own.
    await until(async () => (await watchedPaths(sharedServer(), path)).join() === `${path}/${cart.instance.id}`, {
      what: 'the watches to go',
    });
    expect(provider.list.stale).toBe(true);
  });

  since('3.5.0')('that is closed at any moment of its first look leaves no watch', async () => {
    const services = await registry();
    const path = `${services.basePath}/cart`;
    await clients.zk.ensurePath(path);
    for (let id = 0; id < 20; id++) await clients.zk.create(`${path}/${id}`, '{}');
    for (let round = 0; round < 12; round++) {
      const provider = services.provider('cart');
      for (let turn = 0; turn < round; turn++) await (turn % 2 === 0 ? clients.zk.exists('/') : Promise.resolve());
      await provider.close();
    }
    await clients.zk.sync('/');
    await until(async () => (await watchedPaths(sharedServer(), clients.chroot + path)).length === 0, {
      what: 'the watches to go',
    });
  });

  it('tells what makes it impossible', async () => {
    const services = await registry();
    const path = `${services.basePath}/cart`;
    await clients.zk.create(path, '', { parents: true, acl: [acl.digest('somebody', 'else')] });
    await using provider = services.provider('cart');
    await expect(provider.ready()).rejects.toThrow(NoAuthError);
    await expect(provider.pick()).rejects.toThrow(NoAuthError);
    await expect(provider[Symbol.asyncIterator]().next()).rejects.toThrow(NoAuthError);
  });
});
