import { describe, expect, it } from '@jest/globals';
import { ServiceRegistry, uriOf } from 'zookit/recipes';
import { until } from '../support/until.js';
import { usePeers } from './peers.js';

const peers = usePeers();

/** An instance, as the Java peer shows it. */
interface Shown {
  readonly id: string;
  readonly [field: string]: unknown;
}

describe('what Curator registers', () => {
  it('is found, with all its fields', async () => {
    const basePath = '/java-services';
    const java = await peers.curator.open('serviceDiscovery', basePath);
    const registry = new ServiceRegistry(peers.zk, { basePath });
    const fields = { name: 'cart', serviceId: 'cart-1', address: '10.0.0.7', port: 8080, sslPort: 8443 };
    await java.call('register', { ...fields, payload: 'blue', uriSpec: '{scheme}://{address}:{port}/x' });
    const [found] = await registry.instances('cart');
    expect(found).toEqual({
      ...{ name: 'cart', id: 'cart-1', address: '10.0.0.7', port: 8080, sslPort: 8443, payload: 'blue' },
      ...{ serviceType: 'DYNAMIC', enabled: true, registrationTimeUTC: expect.any(Number) },
      ...{ weight: null, zone: null },
      uriSpec: {
        parts: [
          { value: 'scheme', variable: true },
          { value: '://', variable: false },
          { value: 'address', variable: true },
          { value: ':', variable: false },
          { value: 'port', variable: true },
          { value: '/x', variable: false },
        ],
      },
    });
    expect(found && uriOf(found)).toBe('https://10.0.0.7:8080/x');
    expect(await registry.names()).toEqual(['cart']);
    await using provider = registry.provider('cart');
    expect(await provider.pick()).toEqual(found);
    await java.call('register', { ...fields, serviceId: 'cart-2' });
    await until(() => provider.list.instances.length === 2, { what: 'the second instance' });
    await java.call('update', { ...fields, port: 9090 });
    await until(() => provider.list.instances.some(({ port }) => port === 9090), { what: 'the change' });
    await java.call('unregister', { serviceId: 'cart-1' });
    await until(() => provider.list.instances.map(({ id }) => id).join() === 'cart-2', {
      what: 'the end of the first',
    });
    await java.close();
    await until(() => provider.list.instances.length === 0, { what: 'the end of both' });
  });

  it.each(['DYNAMIC', 'STATIC', 'PERMANENT', 'DYNAMIC_SEQUENTIAL'])('is found as %s, enabled or not', async (kind) => {
    const basePath = `/java-kinds-${kind}`;
    const java = await peers.curator.open('serviceDiscovery', basePath, { writesEnabled: true });
    const registry = new ServiceRegistry(peers.zk, { basePath });
    const fields = { name: 'cart', serviceId: 'cart-1', serviceType: kind };
    await java.call('register', { ...fields, enabled: false });
    expect(await registry.instances('cart')).toMatchObject([{ id: 'cart-1', serviceType: kind, enabled: false }]);
    await java.close();
  });

  it('is taken over by a registration of the same id; the other way round, one of the two has it', async () => {
    const basePath = '/both-kinds';
    const java = await peers.curator.open('serviceDiscovery', basePath);
    const registry = new ServiceRegistry(peers.zk, { basePath });
    await java.call('register', { name: 'cart', serviceId: '1', port: 1, serviceType: 'STATIC' });
    await using ours = await registry.register({ name: 'cart', id: '1', port: 2 });
    expect(await java.call('query', { name: 'cart' })).toMatchObject([{ id: '1', port: 2, serviceType: 'DYNAMIC' }]);
    // Curator deletes and creates, twice at the most: ours may come back in between, and then stays.
    await java.call('register', { name: 'cart', serviceId: '1', port: 3 });
    const isSettled = async (): Promise<boolean> => {
      const ports = (await registry.instances('cart')).map(({ port }) => port).join();
      return ours.held ? ports === '2' : ports === '3';
    };
    await until(isSettled, { what: 'one of the two to have it' });
    await java.close();
  });

  it.each([
    ['a number', 7, 7],
    ['an object, with its Java class', { zone: 'a' }, { '@class': 'java.util.LinkedHashMap', zone: 'a' }],
  ])('may have %s as payload', async (_, payload, found) => {
    const basePath = `/java-payload-${typeof payload}`;
    await using java = await peers.curator.open('serviceDiscovery', basePath);
    await java.call('register', { name: 'cart', serviceId: 'cart-1', payload });
    expect(await new ServiceRegistry(peers.zk, { basePath }).instances('cart')).toMatchObject([{ payload: found }]);
  });
});

describe('what zookit registers', () => {
  it('is found by Curator, with all its fields', async () => {
    const basePath = '/node-services';
    await using java = await peers.curator.open('serviceDiscovery', basePath);
    const registry = new ServiceRegistry(peers.zk, { basePath });
    const uriSpec = {
      parts: [
        { value: 'http://', variable: false },
        { value: 'address', variable: true },
        { value: '/cart', variable: false },
      ],
    };
    const fields = { name: 'cart', id: 'cart-1', address: '10.0.0.8', port: 80, sslPort: 443 };
    const service = await registry.register({ ...fields, payload: 'green', uriSpec });
    const [found, ...others] = await java.call<Shown[]>('query', { name: 'cart' });
    expect(others).toEqual([]);
    expect(found).toEqual({
      ...{ ...fields, payload: 'green', serviceType: 'DYNAMIC', enabled: true, uri: 'http://10.0.0.8/cart' },
      registrationTimeUTC: service.instance.registrationTimeUTC,
    });
    expect(await java.call('names')).toEqual(['cart']);
    expect(await java.call('pick', { name: 'cart' })).toBe('cart-1');
    await service.update({ port: 81, payload: null });
    expect(await java.call('query', { name: 'cart' })).toMatchObject([{ port: 81, payload: null }]);
    await service.unregister();
    expect(await java.call('query', { name: 'cart' })).toEqual([]);
  });

  it('is passed over by a provider of Curator while it is not enabled', async () => {
    const basePath = '/node-disabled';
    await using java = await peers.curator.open('serviceDiscovery', basePath);
    const registry = new ServiceRegistry(peers.zk, { basePath });
    await using off = await registry.register({ name: 'cart', id: 'off', enabled: false });
    await using on = await registry.register({ name: 'cart', id: 'on' });
    const found = await java.call<Shown[]>('query', { name: 'cart' });
    expect(new Map(found.map(({ id, enabled }) => [id, enabled]))).toEqual(
      new Map([
        [off.instance.id, false],
        [on.instance.id, true],
      ]),
    );
    for (let pick = 0; pick < 4; pick++) expect(await java.call('pick', { name: 'cart' })).toBe('on');
  });

  it('with weight and zone is read by Curator, which passes over them', async () => {
    const basePath = '/node-weight';
    await using java = await peers.curator.open('serviceDiscovery', basePath);
    const registry = new ServiceRegistry(peers.zk, { basePath });
    await using service = await registry.register({ name: 'cart', id: '1', port: 80, weight: 3, zone: 'north' });
    expect(await java.call('query', { name: 'cart' })).toMatchObject([{ id: '1', port: 80, enabled: true }]);
    expect(await java.call('pick', { name: 'cart' })).toBe('1');
    expect(await registry.instances('cart')).toEqual([service.instance]);
  });

  it('drains: Curator picks it no more, and finds it still', async () => {
    const basePath = '/node-drain';
    await using java = await peers.curator.open('serviceDiscovery', basePath);
    const registry = new ServiceRegistry(peers.zk, { basePath });
    const old = await registry.register({ name: 'cart', id: 'old' });
    await using young = await registry.register({ name: 'cart', id: 'young' });
    const unregistering = old.unregister({ drain: 600_000 });
    await until(async () => (await java.call<Shown[]>('query', { name: 'cart' })).some(({ enabled }) => !enabled), {
      what: 'the drain',
    });
    for (let pick = 0; pick < 4; pick++) expect(await java.call('pick', { name: 'cart' })).toBe(young.instance.id);
    await old.unregister({ drain: 0 });
    await unregistering;
    expect(await java.call('query', { name: 'cart' })).toMatchObject([{ id: 'young' }]);
  });

  it.each(['STATIC', 'PERMANENT', 'DYNAMIC_SEQUENTIAL'] as const)('as %s is read by Curator', async (serviceType) => {
    const basePath = `/node-kinds-${serviceType}`;
    await using java = await peers.curator.open('serviceDiscovery', basePath);
    const registry = new ServiceRegistry(peers.zk, { basePath });
    const service = await registry.register({ name: 'cart', id: '1', port: 80, serviceType });
    expect(await java.call('query', { name: 'cart' })).toMatchObject([{ id: '1', port: 80, serviceType }]);
    await service.unregister();
    expect(await java.call('query', { name: 'cart' })).toEqual([]);
  });

  it('has the URI that Curator builds of its template, too', async () => {
    const basePath = '/node-uri';
    await using java = await peers.curator.open('serviceDiscovery', basePath);
    const registry = new ServiceRegistry(peers.zk, { basePath });
    const uriSpec = '{scheme}://{address}:{port}/{name}/{id}?{ssl-port}&{registration-time-utc}&{service-type}&{[}{]}';
    for (const sslPort of [null, 8443]) {
      await using service = await registry.register({
        name: 'cart',
        id: '1',
        address: 'a',
        port: 80,
        sslPort,
        uriSpec,
      });
      const [found] = await java.call<Shown[]>('query', { name: 'cart' });
      expect(found?.uri).toBe(uriOf(service.instance));
    }
  });

  it('with an object that names its Java class as payload is read by Curator', async () => {
    const basePath = '/node-payload';
    await using java = await peers.curator.open('serviceDiscovery', basePath);
    const registry = new ServiceRegistry(peers.zk, { basePath });
    const payload = { '@class': 'java.util.LinkedHashMap', zone: 'a' };
    await using service = await registry.register({ name: 'cart', payload });
    expect(await java.call('query', { name: 'cart' })).toMatchObject([
      { id: service.instance.id, payload: { zone: 'a' } },
    ]);
  });
});
