import { ServiceRegistry } from 'zookit/recipes';

export async function services(stage) {
  const shop = new ServiceRegistry(await stage.connect());
  const provider = shop.provider('pricing');
  await provider.ready();
  const { instances: none, stale } = provider.list;
  stage.check('nobody has registered yet', { none, stale }, { none: [], stale: false });

  stage.say('two instances register, each in a session of its own');
  const instances = [];
  for (const [id, address] of [
    ['a', '10.0.0.1'],
    ['b', '10.0.0.2'],
  ]) {
    const registry = new ServiceRegistry(await stage.connect());
    instances.push(await registry.register({ name: 'pricing', id, address, port: 8080, payload: { zone: 'north' } }));
  }
  await stage.show('/services');
  await stage.checkSoon('the shop finds both', () => addresses(provider), ['10.0.0.1:8080', '10.0.0.2:8080']);
  const picked = [await provider.pick(), await provider.pick()].map(({ id }) => id).sort();
  stage.check('and takes them in turn', picked, ['a', 'b']);

  stage.say('one moves to another port');
  await instances[0].update({ port: 9090 });
  await stage.checkSoon('the shop sees it', () => addresses(provider), ['10.0.0.1:9090', '10.0.0.2:8080']);
  stage.check('its znode was changed in place', (await stage.observer.exists('/services/pricing/a'))?.version, 1);

  stage.say('one wants no calls for a while; the other one is unregistered');
  await instances[0].update({ enabled: false });
  await instances[1].unregister();
  await stage.checkSoon('the shop knows', () => addresses(provider), ['10.0.0.1:9090']);
  await stage.show('/services');
  const code = await provider.pick({ timeout: 100 }).catch((error) => error.code);
  stage.check('there is none to pick', code, 'OPERATION_TIMEOUT');
  await provider.close();
}

function addresses(provider) {
  return provider.list.instances.map(({ address, port }) => `${address}:${port}`).sort();
}
