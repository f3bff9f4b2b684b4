// Two instances of a service register themselves; a client finds them, follows a change, and sees one go.
import { ZooKeeper } from 'zookit';
import { ServiceRegistry } from 'zookit/recipes';

const zk = await ZooKeeper.connect(process.argv[2] ?? '127.0.0.1:2181');
try {
  const registry = new ServiceRegistry(zk, { basePath: '/zookit-examples/services' });
  const first = await registry.register({ name: 'pricing', address: '10.0.0.1', port: 8080 });
  const second = await registry.register({ name: 'pricing', address: '10.0.0.2', port: 8080 });

  const provider = await registry.provider('pricing').ready({ timeout: 10_000 });
  for (let call = 1; call <= 4; call++) {
    const { address, port } = await provider.pick({ timeout: 10_000 });
    console.log(`call ${call} goes to ${address}:${port}`);
  }

  // The loop runs whenever the list has changed.
  const follow = async () => {
    for await (const { instances, stale } of provider) {
      console.log(
        `now: ${instances.map(({ address, port }) => `${address}:${port}`).sort()}${stale ? ' (stale)' : ''}`,
      );
      if (instances.length === 1) return;
    }
  };
  const followed = follow();
  await second.update({ port: 9090 });
  await first.unregister();
  await followed;

  await provider.close();
  await second.unregister();
  console.log(`found without a provider: ${(await registry.instances('pricing')).length}`);
} finally {
  await zk.close();
}
