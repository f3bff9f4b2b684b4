import { describe, expect, it } from '@jest/globals';
import {
  acl,
  ClosedError,
  InvalidArgumentError,
  NoAuthError,
  OperationTimeoutError,
  type ZooKeeperError,
} from 'zookit';
import {
  type ServiceInstance,
  type ServiceList,
  type ServiceListChange,
  type ServiceProvider,
  type ServiceProviderOptions,
  ServiceRegistry,
} from 'zookit/recipes';
import { knows, since } from '../../support/features.js';
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
    expect((await lists.next()).value).toEqual({ instances: [], stale: false, added: [], removed: [], updated: [] });
    const registered = [];
    for (let port = 1; port <= 20; port++) registered.push(await services.register({ name: 'cart', port }));
    let last: ServiceList | undefined;
    while (last?.instances.length !== 20 || last.stale) last = (await lists.next()).value as ServiceList;
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
    // What is left is the registration's own. An older server keeps watches until they tell.
    const watched = async (): Promise<string> => (await watchedPaths(sharedServer(), path)).join();
    if (knows('removeWatches'))
      await until(async () => (await watched()) === `${path}/${cart.instance.id}`, { what: 'the watches to go' });
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

/** A service with an instance for each port, and a provider that has looked. */
async function provided(
  options: ServiceProviderOptions,
  ...instances: { readonly port: number; readonly zone?: string; readonly weight?: number }[]
): Promise<{ readonly services: ServiceRegistry; readonly provider: ServiceProvider }> {
  const services = await registry();
  await Promise.all(instances.map((each) => services.register({ name: 'cart', id: `${each.port}`, ...each })));
  const provider = services.provider('cart', options);
  await provider.ready();
  return { services, provider };
}

async function pickedPorts(provider: ServiceProvider, picks: number, key?: string): Promise<number[]> {
  const ports: number[] = [];
  for (let pick = 0; pick < picks; pick++) ports.push((await provider.pick({ key })).port ?? NaN);
  return ports;
}

describe('a provider tells', () => {
  it('what has changed: added, updated with what it was before, removed', async () => {
    const services = await registry();
    await using provider = services.provider('cart');
    const changes = provider[Symbol.asyncIterator]();
    const next = async (): Promise<ServiceListChange> =>
      (await within(changes.next(), { what: 'a list' })).value as ServiceListChange;
    const ids = (instances: readonly ServiceInstance[]): string[] => instances.map(({ id }) => id);
    await next();
    const one = await services.register({ name: 'cart', id: 'one', port: 1 });
    let change = await next();
    expect([ids(change.added), ids(change.removed), change.updated]).toEqual([['one'], [], []]);
    await one.update({ port: 2 });
    change = await next();
    expect([change.added, change.removed]).toEqual([[], []]);
    expect(change.updated).toMatchObject([{ instance: { port: 2 }, previous: { port: 1 } }]);
    await one.unregister();
    change = await next();
    expect([change.added, ids(change.removed), change.updated, change.instances]).toEqual([[], ['one'], [], []]);
    await provider.close();
    expect(await changes.next()).toMatchObject({ done: true });
  });

  it('of data that are no instance, once, and passes over them; of those that become one, that they are there', async () => {
    const services = await registry();
    const path = `${services.basePath}/cart`;
    await clients.zk.ensurePath(path);
    await clients.zk.create(`${path}/bad`, 'hello');
    await clients.zk.create(`${path}/good`, '{"port":1}');
    const invalid: ZooKeeperError[] = [];
    await using provider = services.provider('cart', { onInvalid: (error) => invalid.push(error) });
    await provider.ready();
    expect([portsOf(provider.list), invalid.map((each) => each.path)]).toEqual([[1], [`${path}/bad`]]);
    await clients.zk.setData(`${path}/good`, '{"port":2}');
    await ports(provider, 2);
    await clients.zk.setData(`${path}/good`, '{');
    await ports(provider);
    expect(invalid.map((each) => [each.path, each.code])).toEqual([
      [`${path}/bad`, 'INVALID_SERVICE_INSTANCE'],
      [`${path}/good`, 'INVALID_SERVICE_INSTANCE'],
    ]);
    await clients.zk.setData(`${path}/bad`, '{"port":3}');
    await ports(provider, 3);
    expect(invalid).toHaveLength(2);
  });

  it('of an instance that it may not read, and lives on without it', async () => {
    const services = await registry();
    const path = `${services.basePath}/cart`;
    await clients.zk.ensurePath(path);
    await clients.zk.create(`${path}/secret`, '{"port":1}', { acl: [acl.digest('somebody', 'else')] });
    await clients.zk.create(`${path}/open`, '{"port":2}');
    const invalid: ZooKeeperError[] = [];
    await using provider = services.provider('cart', { onInvalid: (error) => invalid.push(error) });
    await provider.ready();
    expect(portsOf(provider.list)).toEqual([2]);
    expect(invalid).toMatchObject([{ code: 'NO_AUTH', path: `${path}/secret` }]);
  });

  it('why there is nothing to pick', async () => {
    const { provider, services } = await provided({ timeout: 20, filter: ({ port }) => port !== 1 });
    await using _closing = provider;
    await expect(provider.pick()).rejects.toThrow(/none is registered/);
    await using _one = await services.register({ name: 'cart', port: 1 });
    await ports(provider, 1);
    await expect(provider.take()).rejects.toThrow(/1 are registered, and none is enabled and taken by the filter/);
    await expect(provider.use(() => 1)).rejects.toThrow(OperationTimeoutError);
    expect(provider.tryPick()).toBeUndefined();
  });
});

describe('a provider picks', () => {
  it('none before its first list is complete', async () => {
    const services = await registry();
    for (const port of [1, 2, 3]) await services.register({ name: 'cart', port });
    await using provider = services.provider('cart');
    expect([provider.tryPick(), provider.list.instances, provider.list.stale]).toEqual([undefined, [], true]);
    await provider.pick();
    expect(provider.list.instances).toHaveLength(3);
    expect(provider.tryPick()).toBeDefined();
  });

  it('by weight', async () => {
    const { provider } = await provided({ strategy: 'weighted' }, { port: 1, weight: 3 }, { port: 2 });
    await using _closing = provider;
    expect((await pickedPorts(provider, 8)).filter((port) => port === 1)).toHaveLength(6);
  });

  it('by key: the same in each process, and others only while that one is not to be had', async () => {
    const five = [1, 2, 3, 4, 5].map((port) => ({ port }));
    const { provider, services } = await provided({ strategy: 'consistentHash' }, ...five);
    await using _closing = provider;
    await using other = services.provider('cart', { strategy: 'consistentHash' });
    const owner = await provider.pick({ key: 'user-7' });
    expect(await pickedPorts(other, 3, 'user-7')).toEqual([owner.port, owner.port, owner.port]);
    const second = await provider.pick({ key: 'user-7', exclude: new Set([owner.id]) });
    expect(second.id).not.toBe(owner.id);
    provider.noteFailure(owner);
    provider.noteFailure(owner);
    expect((await provider.pick({ key: 'user-7' })).id).toBe(second.id);
    provider.noteSuccess(owner);
    expect((await provider.pick({ key: 'user-7' })).id).toBe(owner.id);
    await expect(provider.pick()).rejects.toThrow(InvalidArgumentError);
  });

  it('in its own zone, and in others as soon as too few are there', async () => {
    const zone = { name: 'eu', atLeast: 2 };
    const all = [1, 2, 3].map((port) => ({ port, zone: port === 3 ? 'us' : 'eu' }));
    const { provider } = await provided({ zone }, ...all);
    await using _closing = provider;
    expect(new Set(await pickedPorts(provider, 6))).toEqual(new Set([1, 2]));
    for (const instance of provider.list.instances.filter(({ port }) => port === 1))
      for (const error of ['first', 'second']) provider.noteFailure(instance, error);
    expect(new Set(await pickedPorts(provider, 6))).toEqual(new Set([2, 3]));
    expect(provider.setAside).toMatchObject([{ port: 1 }]);
  });

  it('by a strategy of yours, which is told of what there is', async () => {
    const told: number[] = [];
    const strategy = {
      changed: (all: readonly unknown[]): void => void told.push(all.length),
      pick: <C extends { readonly instance: ServiceInstance }>(candidates: readonly C[]): C | undefined =>
        candidates.find(({ instance }) => instance.port === 2),
    };
    const { provider, services } = await provided({ strategy }, { port: 1 });
    await using _closing = provider;
    await expect(provider.pick({ timeout: 10 })).rejects.toThrow(OperationTimeoutError);
    const picking = provider.pick();
    await using _two = await services.register({ name: 'cart', port: 2 });
    expect((await within(picking, { what: 'the pick' })).port).toBe(2);
    expect([told[0], told.at(-1)]).toEqual([1, 2]);
    await using wrong = services.provider('cart', { strategy: { pick: () => ({}) as never } });
    await expect(wrong.pick()).rejects.toThrow(/none of the candidates/);
  });

  it('what the filter takes, and leaves out what it throws at', async () => {
    const invalid: ZooKeeperError[] = [];
    const filter = ({ port }: ServiceInstance): boolean => {
      if (port === 3) throw new Error('no idea');
      return port === 2;
    };
    const onInvalid = (error: ZooKeeperError): void => void invalid.push(error);
    const { provider } = await provided({ filter, onInvalid }, { port: 1 }, { port: 2 }, { port: 3 });
    await using _closing = provider;
    expect(await pickedPorts(provider, 3)).toEqual([2, 2, 2]);
    expect([provider.list.instances.length, invalid.length]).toEqual([3, 1]);
  });

  it('nothing for whoever has given up already', async () => {
    const { provider } = await provided({}, { port: 1 });
    await using _closing = provider;
    await expect(provider.pick({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' });
  });

  it.each([
    [{ strategy: 'fastest' }, /no strategy "fastest"; known are roundRobin, .*sticky/],
    [{ strategy: {} }, /no strategy/],
    [{ zone: '' }, /zone/],
    [{ zone: { name: 'eu', atLeast: 0 } }, /zone.atLeast is 0/],
    [{ zone: { nam: 'eu' } }, /no option "nam"/],
    [{ setAside: { failures: 1.5 } }, /setAside.failures is 1.5/],
    [{ setAside: { time: -1 } }, /setAside.time is -1/],
    [{ slowStart: NaN }, /slowStart is NaN/],
    [{ timeout: -1 }, /timeout is -1/],
    [{ filter: 'eu' }, /filter is no function/],
    [{ retries: 3 }, /no option "retries"/],
  ])('not with options that are none: %j', async (options, problem) => {
    const services = await registry();
    expect(() => services.provider('cart', options as object)).toThrow(problem);
    expect(() => services.provider('cart', options as object)).toThrow(InvalidArgumentError);
  });

  it.each([
    [{ key: 7 }, /key is of type number/],
    [{ exclude: ['a'] }, /exclude is no Set/],
    [{ tmeout: 7 }, /no option "tmeout"/],
    [{ timeout: -7 }, /timeout is -7/],
  ])('not for a call with options that are none: %j', async (options, problem) => {
    const services = await registry();
    await using provider = services.provider('cart');
    await expect(provider.pick(options as object)).rejects.toThrow(problem);
  });
});

describe('a call', () => {
  it('counts as outstanding until it is ended, once', async () => {
    const { provider } = await provided({ strategy: 'leastOutstanding' }, { port: 1 }, { port: 2 });
    await using _closing = provider;
    const first = await provider.take();
    const busy = first.instance.port;
    expect((await pickedPorts(provider, 3)).includes(busy ?? NaN)).toBe(false);
    {
      using _second = await provider.take();
      // Both have one.
      expect(new Set(await pickedPorts(provider, 4)).size).toBe(2);
    }
    expect([first.outstanding, (await pickedPorts(provider, 3)).includes(busy ?? NaN)]).toEqual([true, false]);
    first.succeeded();
    first.failed();
    first[Symbol.dispose]();
    expect([first.outstanding, new Set(await pickedPorts(provider, 4)).size]).toEqual([false, 2]);
  });

  it('is run, and what becomes of it counts', async () => {
    const told: string[] = [];
    const onSetAside = ({ port }: ServiceInstance, error: unknown): void => void told.push(`${port} ${String(error)}`);
    const { provider } = await provided({ strategy: 'sticky', onSetAside }, { port: 1 }, { port: 2 });
    await using _closing = provider;
    const first = await provider.use(({ port }) => port);
    const failing = (): Promise<void> => provider.use(() => Promise.reject(new Error('down')));
    await expect(failing()).rejects.toThrow('down');
    // A success in between.
    expect(await provider.use(({ port }) => Promise.resolve(port))).toBe(first);
    await expect(failing()).rejects.toThrow('down');
    const unsaid = await provider.use(({ port }, call) => {
      call[Symbol.dispose]();
      return port;
    });
    expect(unsaid).toBe(first);
    expect(told).toEqual([]);
    await expect(failing()).rejects.toThrow('down');
    expect(told).toEqual([`${first} Error: down`]);
    expect(await provider.use(({ port }) => port)).toBe(first === 1 ? 2 : 1);
  });

  it('that its caller has given up is no failure of the instance', async () => {
    const { provider } = await provided({ setAside: { failures: 1 } }, { port: 1 });
    await using _closing = provider;
    const giving = new AbortController();
    const calling = provider.use(
      (_, call) => {
        giving.abort();
        expect(call.outstanding).toBe(true);
        throw new Error('given up');
      },
      { signal: giving.signal },
    );
    await expect(calling).rejects.toThrow('given up');
    expect(provider.setAside).toEqual([]);
  });

  it('can be ended after the provider was closed', async () => {
    const { provider } = await provided({}, { port: 1 });
    const call = await provider.take();
    await provider.close();
    call.failed(new Error('late'));
    expect(call.outstanding).toBe(false);
    expect(() => provider.tryPick()).toThrow(ClosedError);
  });
});
