import { describe, expect, it } from '@jest/globals';
import { AbortedError, InvalidArgumentError, NoAuthError, OperationTimeoutError, acl } from 'zookit';
import {
  curatorSerializer,
  OwnedByOtherError,
  type RegistrationState,
  type ServiceInstance,
  type ServiceRegistration,
  ServiceRegistry,
  type ServiceSerializer,
  type ServiceType,
  type UnregisterOptions,
  uriOf,
} from 'zookit/recipes';
import { until, within } from '../../support/until.js';
import { failureOf, useClients } from '../clients.js';

const clients = useClients();

/** Longer than any test. */
const FOREVER = 600_000;

async function registry(): Promise<ServiceRegistry> {
  return new ServiceRegistry(clients.zk, { basePath: `${await clients.folder()}/services` });
}

describe('the kinds of instances', () => {
  it.each<[ServiceType, boolean]>([
    ['DYNAMIC', true],
    ['STATIC', false],
    ['PERMANENT', false],
  ])('%s: ephemeral %s, at its id', async (serviceType, isEphemeral) => {
    const services = await registry();
    const zk = await clients.another();
    const own = new ServiceRegistry(zk, { basePath: services.basePath });
    const cart = await own.register({ name: 'cart', id: '1', serviceType });
    const { stat } = await clients.zk.getData(`${services.basePath}/cart/1`);
    expect([zk.session.owns(stat), stat.ephemeralOwner.isZero()]).toEqual([isEphemeral, !isEphemeral]);
    expect(await services.instances('cart')).toMatchObject([{ id: '1', serviceType }]);
    await cart.update({ port: 1 });
    expect(await services.instance('cart', '1')).toMatchObject({ port: 1 });
    await zk.close();
    expect(await services.instances('cart')).toHaveLength(isEphemeral ? 0 : 1);
    // The next run of the process takes it over, and takes it off.
    const next = await services.register({ name: 'cart', id: '1', serviceType, port: 2 });
    expect(await services.instances('cart')).toMatchObject([{ port: 2 }]);
    await next.unregister();
    expect(await services.instances('cart')).toEqual([]);
  });

  it('DYNAMIC_SEQUENTIAL: ephemeral, numbered, so that several may have one id', async () => {
    const services = await registry();
    const register = (port: number): ReturnType<ServiceRegistry['register']> =>
      services.register({ name: 'cart', id: '1', serviceType: 'DYNAMIC_SEQUENTIAL', port });
    const [one, two] = [await register(1), await register(2)];
    const names = await clients.zk.getChildren(`${services.basePath}/cart`);
    expect(names.map((name) => /-1(\d{10})$/.exec(name)?.[1]).sort()).toEqual(['0000000000', '0000000001']);
    const ports = (await services.instances('cart')).map(({ id, port }) => [id, port]).sort();
    expect(ports).toEqual([
      ['1', 1],
      ['1', 2],
    ]);
    await one.unregister();
    expect(await services.instances('cart')).toMatchObject([{ port: 2 }]);
    await two.unregister();
    expect(await services.instances('cart')).toEqual([]);
  });
});

describe('what is registered', () => {
  it('has weight, zone and a URI template, and takes them away', async () => {
    const services = await registry();
    const uriSpec = '{scheme}://{address}:{port}/v1';
    await using cart = await services.register({
      ...{ name: 'cart', id: '1', address: '10.0.0.7', port: 80 },
      ...{ weight: 3, zone: 'north', uriSpec },
    });
    const [found] = await services.instances('cart');
    expect(found).toEqual(cart.instance);
    expect([found?.weight, found?.zone, found && uriOf(found)]).toEqual([3, 'north', 'http://10.0.0.7:80/v1']);
    await cart.update({ weight: 0.5, uriSpec: 'tcp://{address}' });
    expect(await services.instances('cart')).toMatchObject([{ weight: 0.5, zone: 'north', port: 80 }]);
    expect(uriOf(cart.instance)).toBe('tcp://10.0.0.7');
    await cart.update({ weight: null, zone: null, uriSpec: null });
    const text = (await clients.zk.getData(`${services.basePath}/cart/1`)).text();
    expect([text.includes('weight'), text.includes('zone'), text.includes('"uriSpec":null')]).toEqual([
      false,
      false,
      true,
    ]);
  });

  it('has the address that the registry chooses, unless it says its own', async () => {
    const { basePath } = await registry();
    const services = new ServiceRegistry(clients.zk, { basePath, address: () => 'by-function' });
    await using one = await services.register({ name: 'cart' });
    await using two = await services.register({ name: 'cart', address: 'own' });
    await using three = await services.register({ name: 'cart', address: { network: '127.0.0.0/8' } });
    expect([one, two, three].map(({ instance }) => instance.address)).toEqual(['by-function', 'own', '127.0.0.1']);
  });

  it.each<[object, string]>([
    [{ serviceType: 'EPHEMERAL' }, 'there is no serviceType "EPHEMERAL"'],
    [{ weight: 0 }, 'the weight of a service is 0'],
    [{ zone: '' }, 'the zone of a service is ""'],
    [{ enabled: 'yes' }, 'enabled is yes'],
    [{ uriSpec: '{port' }, 'the uriSpec "{port" is no template'],
    [{ uriSpec: { parts: [{ value: 'x' }] } }, 'the uriSpec is no template'],
    [{ address: { family: 7 } }, 'the family of an address is 7'],
    [{ address: { network: '203.0.113.0/24' } }, 'no address of this host fits'],
    [{ onConflict: 'fight' }, 'onConflict is fight'],
    [{ health: {} }, 'the check is no function'],
    [{ health: { check: () => true, onFail: 'die' } }, 'onFail is die'],
    [{ health: { check: () => true, rises: 2 } }, 'there is no option "rises"'],
  ])('is not %j', async (wrong, problem) => {
    const services = await registry();
    const registering = services.register({ name: 'cart', ...wrong });
    await expect(registering).rejects.toThrow(InvalidArgumentError);
    await expect(registering).rejects.toThrow(problem);
    expect(await services.names()).toEqual([]);
  });

  it('is not changed by an update that is refused', async () => {
    const services = await registry();
    await using cart = await services.register({ name: 'cart', port: 1 });
    for (const wrong of [{ weight: -1 }, { prot: 80 }, { address: 7 }, { uriSpec: '}' }, { payload: 1n }] as object[])
      await expect(cart.update({ port: 2, ...wrong })).rejects.toThrow(InvalidArgumentError);
    expect([cart.instance.port, (await services.instances('cart'))[0]?.port]).toEqual([1, 1]);
  });
});

describe('a serializer of the registry', () => {
  const lines: ServiceSerializer = {
    serialize: ({ address, port, enabled }) => Buffer.from(`${address}\n${port}\n${enabled}`),
    deserialize: (data, path) => {
      const [address = '', port = '', enabled] = data.toString().split('\n');
      if (enabled === undefined) throw new Error('too few lines');
      const [, name = '', id = ''] = /\/([^/]+)\/([^/]+)$/.exec(path) ?? [];
      const plain = { payload: null, sslPort: null, uriSpec: null, weight: null, zone: null };
      const rest = { registrationTimeUTC: 0, serviceType: 'DYNAMIC' } as const;
      return { ...plain, ...rest, name, id, address, port: Number(port), enabled: enabled === 'true' };
    },
  };

  it('says how instances stand, for all that writes and reads them', async () => {
    const { basePath } = await registry();
    const services = new ServiceRegistry(clients.zk, { basePath, serializer: lines });
    await using cart = await services.register({ name: 'cart', id: '1', address: 'a', port: 1 });
    expect((await clients.zk.getData(`${basePath}/cart/1`)).text()).toBe('a\n1\ntrue');
    await clients.zk.create(`${basePath}/cart/foreign`, 'hello');
    expect(await services.instances('cart')).toMatchObject([{ name: 'cart', id: '1', address: 'a' }]);
    expect([await services.instance('cart', 'foreign'), await services.instance('cart', 'none')]).toEqual([
      undefined,
      undefined,
    ]);
    await using provider = services.provider('cart');
    expect(await provider.pick()).toMatchObject({ id: '1', port: 1 });
    expect(cart.held).toBe(true);
  });

  it('is refused where it is none', async () => {
    const serializer = { serialize: () => '' } as unknown as ServiceSerializer;
    expect(() => new ServiceRegistry(clients.zk, { serializer })).toThrow('the serializer has no function deserialize');
  });

  it('may have a codec for payloads', async () => {
    const { basePath } = await registry();
    const serializer = curatorSerializer<Date>({
      encode: (date) => date.getTime(),
      decode: (json) => new Date(json as number),
    });
    const services = new ServiceRegistry(clients.zk, { basePath, serializer });
    await using cart = await services.register<Date>({ name: 'cart', payload: new Date(5) });
    expect(await services.instances<Date>('cart')).toMatchObject([{ payload: new Date(5) }]);
    expect(cart.instance.payload).toEqual(new Date(5));
  });
});

describe('where there is a znode of this id already', () => {
  async function taken(data: string): Promise<[ServiceRegistry, ServiceRegistration]> {
    const services = await registry();
    const other = await clients.another();
    await other.create(`${services.basePath}/cart/1`, data, { mode: 'ephemeral', parents: true });
    return [services, { name: 'cart', id: '1', port: 2 }];
  }
  const sameId = '{"name":"cart","id":"1","port":1}';

  it('that of an earlier run gives way, anything else does not', async () => {
    const [services, cart] = await taken(sameId);
    await using registered = await services.register(cart);
    expect(registered.held).toBe(true);
    for (const foreign of ['', 'hello', '{"name":"cart","id":"2"}']) {
      const [others] = await taken(foreign);
      await expect(others.register(cart)).rejects.toThrow(OwnedByOtherError);
      expect((await clients.zk.getData(`${others.basePath}/cart/1`)).text()).toBe(foreign);
    }
  });

  it("fails with 'fail', and replaces whatever it is with 'replace'", async () => {
    const [services, cart] = await taken(sameId);
    await expect(services.register({ ...cart, onConflict: 'fail' })).rejects.toThrow(OwnedByOtherError);
    expect(await services.instances('cart')).toMatchObject([{ port: 1 }]);
    const [others] = await taken('hello');
    await using registered = await others.register({ ...cart, onConflict: 'replace' });
    expect([registered.held, (await others.instances('cart'))[0]?.port]).toEqual([true, 2]);
  });

  it("waits with 'wait' until the other one has gone", async () => {
    const [services, cart] = await taken(sameId);
    const path = `${services.basePath}/cart/1`;
    const registering = services.register({ ...cart, onConflict: 'wait' });
    await expect(services.register({ ...cart, onConflict: 'wait' }, { timeout: 100 })).rejects.toThrow(
      OperationTimeoutError,
    );
    expect((await clients.zk.getData(path)).text()).toBe(sameId);
    await clients.zk.delete(path);
    await using registered = await within(registering, { what: 'the registration' });
    expect(registered.held).toBe(true);
  });

  it('goes by a function, which is shown the other one', async () => {
    const [services, cart] = await taken(sameId);
    const shown: (ServiceInstance | undefined)[] = [];
    const onConflict = (other: ServiceInstance | undefined): 'replace' | 'fail' => {
      shown.push(other);
      return other?.port === 1 ? 'replace' : 'fail';
    };
    await using registered = await services.register({ ...cart, onConflict });
    expect([registered.held, shown.length, shown[0]?.port]).toEqual([true, 1, 1]);
    const [others] = await taken('hello');
    await expect(others.register({ ...cart, onConflict })).rejects.toThrow(OwnedByOtherError);
    expect(shown[1]).toBeUndefined();
    const wrong = (): 'fail' => 'fight' as 'fail';
    await expect(others.register({ ...cart, onConflict: wrong })).rejects.toThrow('onConflict is fight');
  });

  it('adopts a znode of its own session', async () => {
    const services = await registry();
    const path = `${services.basePath}/cart/1`;
    await clients.zk.create(path, 'hello', { mode: 'ephemeral', parents: true });
    await using cart = await services.register({ name: 'cart', id: '1', port: 1, onConflict: 'fail' });
    expect([cart.held, (await clients.zk.exists(path))?.version]).toEqual([true, 1]);
  });

  it('of another kind gives way, too', async () => {
    const services = await registry();
    const path = `${services.basePath}/cart/1`;
    await clients.zk.create(path, sameId, { parents: true });
    const dynamic = await services.register({ name: 'cart', id: '1' });
    expect(clients.zk.session.owns((await clients.zk.getData(path)).stat)).toBe(true);
    const permanent = await services.register({ name: 'cart', id: '1', serviceType: 'PERMANENT' });
    expect((await clients.zk.getData(path)).stat.ephemeralOwner.isZero()).toBe(true);
    await until(() => !dynamic.held, { what: 'the first one to know' });
    await dynamic.unregister();
    expect(await services.instances('cart')).toHaveLength(1);
    await permanent.unregister();
  });
});

describe('iterating a registered service', () => {
  it('tells when it is not in place, and when it is again, and ends with it', async () => {
    const services = await registry();
    const cart = await services.register({ name: 'cart', id: '1' });
    const path = `${services.basePath}/cart/1`;
    const states: RegistrationState[] = [];
    const telling = (async () => {
      for await (const state of cart) states.push(state);
    })();
    await until(() => states.length === 1, { what: 'the first state' });
    await (await clients.another()).delete(path);
    await until(() => states.length === 3, { what: 'the return' });
    const there = { registered: true, path };
    expect(states).toEqual([there, { registered: false }, there]);
    await cart.unregister();
    await within(telling, { what: 'the end' });
    expect(states).toHaveLength(3);
  });

  it('throws what has ended it', async () => {
    const services = await registry();
    const cart = await services.register({ name: 'cart', id: '1' });
    const other = new ServiceRegistry(await clients.another(), { basePath: services.basePath });
    await using young = await other.register({ name: 'cart', id: '1' });
    const iterating = (async () => {
      for await (const _ of cart);
    })();
    await expect(iterating).rejects.toThrow(OwnedByOtherError);
    expect(young.held).toBe(true);
    await cart.unregister();
  });
});

describe('unregister with a drain', () => {
  it('first publishes that it does not want to be called, and goes when the time is over', async () => {
    const services = await registry();
    const cart = await services.register({ name: 'cart', id: '1', port: 1 });
    const observer = new ServiceRegistry(await clients.another(), { basePath: services.basePath });
    const begun = performance.now();
    const seen: string[] = [];
    const following = (async () => {
      await using provider = observer.provider('cart');
      for await (const { instances } of provider) {
        seen.push(instances.map(({ enabled, port }) => `${port} ${enabled}`).join());
        if (instances.length === 0) return performance.now() - begun;
      }
      return 0;
    })();
    await until(() => seen.length === 1, { what: 'the list' });
    await cart.unregister({ drain: 300 });
    expect([(await following) >= 300, seen]).toEqual([true, ['1 true', '1 false', '']]);
    expect([cart.held, cart.instance.enabled]).toEqual([false, false]);
  });

  it('is one and the same, whoever calls it again; who asks for less gets less', async () => {
    const services = await registry();
    const cart = await services.register({ name: 'cart', id: '1' });
    const first = cart.unregister({ drain: FOREVER });
    const second = cart.unregister();
    const disposing = cart[Symbol.asyncDispose]();
    await until(async () => (await services.instances('cart'))[0]?.enabled === false, { what: 'the drain' });
    expect([cart.held, await failureOf(cart.update({ enabled: true }))]).toEqual([
      true,
      expect.objectContaining({ code: 'CLOSED' }),
    ]);
    await cart.unregister({ drain: 1 });
    await Promise.all([first, second, disposing]);
    expect(await services.instances('cart')).toEqual([]);
  });

  it('makes no difference where it has drained, or was taken off at once, or is shorter', async () => {
    const services = await registry();
    const brief = await services.register({ name: 'cart', id: '2' });
    const draining = brief.unregister({ drain: 20 });
    await within(Promise.all([draining, brief.unregister({ drain: FOREVER })]), { what: 'the shorter one' });
    const cart = await services.register({ name: 'cart', id: '1' });
    await cart.unregister();
    await within(cart.unregister({ drain: FOREVER }), { what: 'the end' });
  });

  it('ends with the wait, by a signal or in time, and it is gone then', async () => {
    const services = await registry();
    const aborting = new AbortController();
    const one = await services.register({ name: 'cart', id: '1' });
    const unregistering = one.unregister({ drain: FOREVER, signal: aborting.signal });
    await until(async () => (await services.instances('cart'))[0]?.enabled === false, { what: 'the drain' });
    aborting.abort();
    await expect(unregistering).rejects.toThrow(AbortedError);
    expect(await services.instances('cart')).toEqual([]);
    const two = await services.register({ name: 'cart', id: '2' });
    await expect(two.unregister({ drain: FOREVER, timeout: 50 })).rejects.toThrow(OperationTimeoutError);
    await until(async () => (await services.instances('cart')).length === 0, { what: 'the end' });
    const three = await services.register({ name: 'cart', id: '3' });
    await expect(three.unregister({ drain: FOREVER, signal: AbortSignal.abort() })).rejects.toThrow(AbortedError);
    await until(async () => (await services.instances('cart')).length === 0, { what: 'the end' });
  });

  it('of one that another has taken over waits for what was begun, and leaves the other alone', async () => {
    const services = await registry();
    const cart = await services.register({ name: 'cart', id: '1' });
    const other = new ServiceRegistry(await clients.another(), { basePath: services.basePath });
    await using young = await other.register({ name: 'cart', id: '1', port: 2 });
    await until(() => !cart.held, { what: 'it to know' });
    const begun = performance.now();
    await cart.unregister({ drain: 100 });
    expect(performance.now() - begun).toBeGreaterThanOrEqual(99);
    expect([young.held, await services.instances('cart')]).toEqual([
      true,
      [expect.objectContaining({ enabled: true, port: 2 })],
    ]);
  });

  it('that cannot be written down goes all the same', async () => {
    const { basePath } = await registry();
    const plain = curatorSerializer();
    const serializer: ServiceSerializer = {
      ...plain,
      serialize: (instance) => {
        if (!instance.enabled) throw new RangeError('not this');
        return plain.serialize(instance);
      },
    };
    const services = new ServiceRegistry(clients.zk, { basePath, serializer });
    const cart = await services.register({ name: 'cart', id: '1' });
    await expect(cart.unregister({ drain: FOREVER })).rejects.toThrow('not this');
    expect(await services.instances('cart')).toEqual([]);
  });

  it.each<[object, string]>([
    [{ drain: -1 }, 'drain is -1'],
    [{ drain: '5' }, 'drain is 5'],
    [{ drains: 5 }, 'there is no option "drains"'],
    [{ timeout: -1 }, 'the timeout is -1'],
  ])('of %j is refused, and nothing has changed', async (wrong, problem) => {
    const services = await registry();
    await using cart = await services.register({ name: 'cart' });
    await expect(cart.unregister(wrong as UnregisterOptions)).rejects.toThrow(problem);
    expect([cart.held, cart.instance.enabled]).toEqual([true, true]);
    await cart.update({ port: 1 });
  });
});

describe('where the ACL forbids the deletion', () => {
  it('unregister rejects, also where a failed health check has tried before', async () => {
    const services = await registry();
    const parent = `${services.basePath}/cart`;
    await clients.zk.create(parent, '', { parents: true });
    let isFailing = false;
    const check = (): boolean => !isFailing;
    const cart = await services.register({ name: 'cart', id: '1' });
    const sick = await services.register({ name: 'cart', id: '2', health: { check, interval: 1, fall: 1 } });
    await clients.zk.setAcl(parent, [acl.world('read', 'create', 'admin')]);
    await expect(cart.unregister()).rejects.toThrow(NoAuthError);
    isFailing = true;
    await until(() => sick.health?.state.status === 'failing', { what: 'the failure' });
    await expect(sick.published()).rejects.toThrow(NoAuthError);
    await expect(sick.unregister()).rejects.toThrow(NoAuthError);
  });
});
