// A service that registers itself as a task of its Swarm. When the task is to end, its callers go elsewhere first.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { ZooKeeper } from 'zookit';
import { ServiceRegistry } from 'zookit/recipes';

const { ZOOKEEPER = '127.0.0.1:2181', PORT = '8080', VERSION = '1', DRAIN = '3000' } = process.env;
const port = Number(PORT);

const says = JSON.stringify({ version: VERSION, task: process.env.ZOOKIT_TASK_ID });
const server = createServer((request, response) => {
  response.setHeader('content-type', 'application/json');
  // Some work, so that there is a call under way most of the time.
  setTimeout(() => response.end(says), 20);
});
server.listen(port);
await once(server, 'listening');

const zk = await ZooKeeper.connect(ZOOKEEPER, { sessionTimeout: 4_000 });
const registered = await new ServiceRegistry(zk).registerTask({
  port,
  payload: { version: VERSION },
  drain: Number(DRAIN),
  // Callers have let go. What is still under way is answered before the process ends.
  onDrain: () => new Promise((resolve) => server.close(resolve)),
  closeClient: true,
});
const { id, address } = registered.instance;
console.log(`registered ${id} at ${address}:${port}: ${JSON.stringify(registered.task)}`);
registered.stopping.addEventListener('abort', () => console.log(`going: ${id}`));
