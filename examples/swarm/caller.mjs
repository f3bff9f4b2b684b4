// Calls the service all the time, and says once a second how that went. A request that fails at one instance is made again
// at another one.
import { clearInterval, setInterval } from 'node:timers';
import { ZooKeeper } from 'zookit';
import { serviceFetch, ServiceRegistry } from 'zookit/recipes';

const { ZOOKEEPER = '127.0.0.1:2181', SERVICE = 'shop_web' } = process.env;
const zk = await ZooKeeper.connect(ZOOKEEPER, { sessionTimeout: 4_000 });
const counts = { calls: 0, failed: 0, retried: 0, served: {} };
let isOver = false;
process.once('SIGTERM', () => (isOver = true));

const call = serviceFetch(new ServiceRegistry(zk), { attempts: 3, attemptTimeout: 5_000 });

async function goOn() {
  while (!isOver) {
    try {
      const response = await call(`service://${SERVICE}/`);
      const { version } = await response.json();
      counts.calls++;
      counts.retried += response.attempts - 1;
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
await call.close();
await zk.close();
