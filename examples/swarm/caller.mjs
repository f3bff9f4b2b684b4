// Calls the service all the time, by a list that is kept current, and says once a second how that went.
import { once } from 'node:events';
import { get } from 'node:http';
import { clearInterval, setInterval } from 'node:timers';
import { ZooKeeper } from 'zookit';
import { ServiceRegistry } from 'zookit/recipes';

const { ZOOKEEPER = '127.0.0.1:2181', SERVICE = 'shop_web' } = process.env;
const zk = await ZooKeeper.connect(ZOOKEEPER, { sessionTimeout: 4_000 });
const provider = new ServiceRegistry(zk).provider(SERVICE);
const counts = { calls: 0, failed: 0, retried: 0, served: {} };
let isOver = false;
process.once('SIGTERM', () => (isOver = true));

async function request({ address, port }) {
  const sent = get({ host: address, port, timeout: 5_000 });
  sent.on('timeout', () => sent.destroy(new Error('no answer in 5 s')));
  const [response] = await once(sent, 'response');
  let text = '';
  for await (const chunk of response) text += chunk;
  return JSON.parse(text);
}

/** One call, and where that fails, the same at up to two other instances. */
async function call() {
  const tried = new Set();
  for (;;) {
    try {
      return await provider.use(
        (instance) => {
          tried.add(instance.id);
          return request(instance);
        },
        { exclude: tried, timeout: 30_000 },
      );
    } catch (error) {
      if (tried.size >= 3) throw error;
      counts.retried++;
      console.log(`again: ${error.message}`);
    }
  }
}

async function goOn() {
  while (!isOver) {
    try {
      const { version } = await call();
      counts.calls++;
      counts.served[version] = (counts.served[version] ?? 0) + 1;
    } catch (error) {
      counts.failed++;
      console.log(`failed: ${error.message}`);
    }
  }
}

const report = setInterval(() => console.log(JSON.stringify(counts)), 1_000);
await Promise.all([goOn(), goOn(), goOn()]);
clearInterval(report);
console.log(JSON.stringify(counts));
await provider.close();
await zk.close();
