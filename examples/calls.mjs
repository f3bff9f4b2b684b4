// A service with two instances is called by fetch; one of them is killed, and no call fails.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { ZooKeeper } from 'zookit';
import { serviceFetch, ServiceRegistry } from 'zookit/recipes';

const zk = await ZooKeeper.connect(process.argv[2] ?? '127.0.0.1:2181');
const registry = new ServiceRegistry(zk, { basePath: '/zookit-examples/services' });

const start = async (id) => {
  const server = createServer((request, response) => response.end(`${id} answers ${request.url}`)).listen(
    0,
    '127.0.0.1',
  );
  await once(server, 'listening');
  const service = await registry.register({ name: 'pricing', id, address: '127.0.0.1', port: server.address().port });
  return { server, service };
};

const call = serviceFetch(registry);
try {
  // The process knows what it needs, and does not begin without it.
  const dependencies = registry.dependencies([{ name: 'pricing', atLeast: 2 }]);
  const instances = [await start('anna'), await start('ben')];
  await dependencies.ready({ timeout: 10_000 });
  await dependencies.close();

  for (let number = 1; number <= 4; number++) {
    const response = await call(`service://pricing/prices/${number}`);
    console.log(await response.text());
  }

  // As when its process is killed: it stays registered for a while, and takes no connections.
  instances[0].server.closeAllConnections();
  instances[0].server.close();
  for (let number = 5; number <= 8; number++) {
    const response = await call(`service://pricing/prices/${number}`);
    console.log(await response.text());
  }

  for (const { service } of instances) await service.unregister();
  instances[1].server.close();
  instances[1].server.closeAllConnections();
  const failed = await call('service://pricing/prices/9', { timeout: 300 }).catch((error) => error);
  console.log(failed.message);
} finally {
  await call.close();
  await zk.close();
}
