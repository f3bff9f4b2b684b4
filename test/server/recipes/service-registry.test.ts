import { networkInterfaces } from 'node:os';
import { describe, expect, it, test } from '@jest/globals';
import { ClosedError, InvalidArgumentError, InvalidPathError, NoAuthError, acl } from 'zookit';
import { type RegisteredService, ServiceRegistry } from 'zookit/recipes';
import { sharedServer } from '../../support/shared.js';
import { until } from '../../support/until.js';
import { watchedPaths } from '../../support/watches.js';
import { failureOf, useClients } from '../clients.js';

const clients = useClients();

async function registry(): Promise<ServiceRegistry> {
  return new ServiceRegistry(clients.zk, { basePath: `${await clients.folder()}/services` });
}

describe('register', () => {
  it("writes Curator's path and JSON, byte by byte, under our session", async () => {
    const services = await registry();
    const before = Date.now();
    await using cart = await services.register({
      name: 'cart',
      id: 'cart-1',
      address: '10.0.0.7',
      port: 8080,
      payload: { '@class': 'shop.Cart', weight: 3 },
      uriSpec: { parts: [{ value: 'scheme', variable: true }] },
    });
    const node = await clients.zk.getData(`${services.basePath}/cart/cart-1`);
    const { registrationTimeUTC } = cart.instance;
    expect(node.text()).toBe(
      '{"name":"cart","id":"cart-1","address":"10.0.0.7","port":8080,"sslPort":null,' +
        `"payload":{"@class":"shop.Cart","weight":3},"registrationTimeUTC":${registrationTimeUTC},` +
        '"serviceType":"DYNAMIC","uriSpec":{"parts":[{"value":"scheme","variable":true}]}}',
    );
    expect(node.stat.ephemeralOwner).toEqual(clients.zk.session.id);
    expect([registrationTimeUTC >= before - 1, registrationTimeUTC <= Date.now() + 1]).toEqual([true, true]);
    expect([cart.held, cart.signal.aborted]).toEqual([true, false]);
  });

  it('finds id and address by itself', async () => {
    const services = await registry();
    await using one = await services.register({ name: 'cart' });
    await using two = await services.register({ name: 'cart' });
    expect(one.instance.id).not.toBe(two.instance.id);
    const own = Object.values(networkInterfaces()).flatMap((each) => each?.map(({ address }) => address) ?? []);
    expect(own).toContain(one.instance.address);
  });

  it('refuses what is no registration before anything is written', async () => {
    const services = await registry();
    for (const wrong of [{ name: '' }, { name: 'a/b' }, { name: 'a', id: '..' }, { name: 'a', port: 70_000 }])
      await expect(services.register(wrong)).rejects.toThrow(InvalidArgumentError);
    await expect(services.register({ name: 'a', margin: -1 })).rejects.toThrow(InvalidArgumentError);
    await expect(services.register({ name: 'a', payload: 1n })).rejects.toThrow(InvalidArgumentError);
    const warnings: Error[] = [];
    const warn = (warning: Error): void => void warnings.push(warning);
    process.on('warning', warn);
    await expect(services.register({ name: 'a', id: 'b\u0000' })).rejects.toThrow(InvalidPathError);
    await clients.zk.sync('/');
    process.off('warning', warn);
    expect([warnings, await services.names()]).toEqual([[], []]);
    expect(() => new ServiceRegistry(clients.zk, { basePath: 'services' })).toThrow(InvalidPathError);
  });

  it('takes the time since when it is there, if that is not now', async () => {
    const services = await registry();
    await using cart = await services.register({ name: 'cart', id: 'cart-1', registrationTimeUTC: 1_700_000_000_000 });
    expect(cart.instance.registrationTimeUTC).toBe(1_700_000_000_000);
    expect(await services.instances('cart')).toMatchObject([{ registrationTimeUTC: 1_700_000_000_000 }]);
    await expect(services.register({ name: 'cart', registrationTimeUTC: NaN })).rejects.toThrow(InvalidArgumentError);
  });

  it('rejects where the ACL forbids it', async () => {
    const services = await registry();
    await clients.zk.create(services.basePath, '', { acl: acl.readOnly });
    await expect(services.register({ name: 'cart' })).rejects.toThrow(NoAuthError);
  });

  it('takes the place of the same id of an earlier session, and nobody sees it missing', async () => {
    const { basePath } = await registry();
    const path = `${basePath}/cart/cart-1`;
    const [earlier, observer] = [await clients.another(), await clients.another()];
    await earlier.create(path, '{"name":"cart","id":"cart-1"}', { mode: 'ephemeral', parents: true });
    const zk = await clients.another();
    const seen: boolean[] = [];
    let done = false;
    const observing = (async () => {
      while (!done) seen.push(await observer.has(path));
    })();
    await using cart = await new ServiceRegistry(zk, { basePath }).register({ name: 'cart', id: 'cart-1', port: 1 });
    done = true;
    await observing;
    expect(seen).not.toContain(false);
    const node = await zk.getData(path);
    expect([node.stat.ephemeralOwner, node.json<{ port: number }>().port]).toEqual([zk.session.id, 1]);
    await earlier.close();
    expect([await zk.has(path), cart.held]).toEqual([true, true]);
  });

  it('of the same id in another process ends the earlier registration: the two do not fight', async () => {
    const services = await registry();
    const old = await services.register({ name: 'cart', id: 'cart-1', port: 1 });
    const zk = await clients.another();
    const young = await new ServiceRegistry(zk, { basePath: services.basePath }).register({
      name: 'cart',
      id: 'cart-1',
      port: 2,
    });
    await until(() => !old.held, { what: 'the old one to know' });
    expect([old.signal.aborted, young.held]).toEqual([true, true]);
    expect(await failureOf(old.update({ port: 3 }))).toMatchObject({ code: 'OWNED_BY_OTHER' });
    await old.unregister();
    expect(await services.instances('cart')).toMatchObject([{ port: 2 }]);
    expect((await zk.exists(`${services.basePath}/cart/cart-1`))?.version).toBe(0);
    await young.unregister();
  });

  it('of the same id in the same session is one registration, as it was written last', async () => {
    const services = await registry();
    const one = await services.register({ name: 'cart', id: 'cart-1', port: 1 });
    const two = await services.register({ name: 'cart', id: 'cart-1', port: 2 });
    const version = async (): Promise<unknown> =>
      (await clients.zk.exists(`${services.basePath}/cart/cart-1`))?.version;
    await clients.zk.sync('/');
    for (let look = 0; look < 20; look++) expect(await version()).toBe(1);
    expect(await services.instances('cart')).toMatchObject([{ port: 2 }]);
    await Promise.all([one.unregister(), two.unregister()]);
    expect(await services.instances('cart')).toEqual([]);
  });
});

describe('a registered service', () => {
  it('publishes its updates in place; what is not given stays', async () => {
    const services = await registry();
    await using cart = await services.register({ name: 'cart', id: '1', address: 'a', port: 1, payload: 'x' });
    await cart.update({ port: 2, payload: null });
    await cart.update({ sslPort: undefined, enabled: false } as { enabled: boolean });
    const [instance] = await services.instances('cart');
    expect(instance).toEqual({ ...cart.instance, address: 'a', port: 2, payload: null, sslPort: null, enabled: false });
    await expect(cart.update({ port: -1 })).rejects.toThrow(InvalidArgumentError);
    expect(cart.instance.port).toBe(2);
    expect((await clients.zk.exists(`${services.basePath}/cart/1`))?.version).toBe(2);
  });

  it('of many updates at once publishes the last one', async () => {
    const services = await registry();
    await using cart = await services.register({ name: 'cart', id: '1', port: 0 });
    await Promise.all(Array.from({ length: 50 }, (_, port) => cart.update({ port })));
    expect(await services.instances('cart')).toMatchObject([{ port: 49 }]);
  });

  it('leaves what others write into it until the next update', async () => {
    const services = await registry();
    await using cart = await services.register({ name: 'cart', id: '1', port: 1 });
    const path = `${services.basePath}/cart/1`;
    await (await clients.another()).setData(path, '{"name":"cart","enabled":false}');
    for (let look = 0; look < 20; look++)
      expect(await services.instances('cart')).toMatchObject([{ enabled: false, port: null }]);
    await cart.update({});
    expect(await services.instances('cart')).toMatchObject([{ enabled: true, port: 1 }]);
  });

  it('comes back when somebody deletes it', async () => {
    const services = await registry();
    await using cart = await services.register({ name: 'cart', id: '1', port: 1 });
    const { signal } = cart;
    await (await clients.another()).delete(`${services.basePath}/cart/1`);
    await until(async () => (await services.instances('cart')).length === 1, { what: 'the new one' });
    await until(() => cart.held, { what: 'it to know' });
    expect([signal.aborted, cart.signal.aborted]).toEqual([true, false]);
  });

  it('is gone when it is unregistered, and leaves no watch', async () => {
    const services = await registry();
    const cart = await services.register({ name: 'cart' });
    await Promise.all([cart.unregister(), cart.unregister()]);
    expect([cart.held, cart.signal.aborted]).toEqual([false, true]);
    expect(await services.instances('cart')).toEqual([]);
    await expect(cart.update({ port: 1 })).rejects.toThrow(ClosedError);
    expect(await watchedPaths(sharedServer(), clients.chroot + services.basePath)).toEqual([]);
  });
});

test('names and instances are what the server has now', async () => {
  const services = await registry();
  expect([await services.names(), await services.instances('cart')]).toEqual([[], []]);
  const registered: RegisteredService[] = [];
  for (const name of ['cart', 'cart', 'price']) registered.push(await services.register({ name, port: 1 }));
  expect(await services.names()).toEqual(['cart', 'price']);
  // What is no instance is left out.
  await clients.zk.create(`${services.basePath}/cart/foreign`, 'hello');
  await clients.zk.create(`${services.basePath}/cart/null`, null);
  const ids = (await services.instances('cart')).map(({ id }) => id).sort();
  expect(ids).toEqual([registered[0]!.instance.id, registered[1]!.instance.id].sort());
  await Promise.all(registered.map((each) => each.unregister()));
});
