/** Consumers that are killed or stopped in the middle of an item. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { ZooKeeper } from 'zookit';
import { Queue } from 'zookit/recipes';
import { type Child, runScript } from '../../support/child.js';
import { within } from '../../support/until.js';
import { startServer, type ZooKeeperServer } from '../../support/zookeeper.js';

const timeout = 1_000;
let server: ZooKeeperServer;

beforeAll(async () => {
  server = await startServer();
});

afterAll(async () => {
  await server.close();
});

function connect(): Promise<ZooKeeper> {
  return ZooKeeper.connect(server.connectString, { sessionTimeout: 30_000 });
}

/** A process that takes an item, says so, and then runs `then`. */
function worker(path: string, then = ''): Promise<Child> {
  const source = `
    import { ZooKeeper } from 'zookit';
    import { Queue } from 'zookit/recipes';
    const zk = await ZooKeeper.connect('${server.connectString}', { sessionTimeout: ${timeout} });
    const item = await new Queue(zk, '${path}', { maxAttempts: 3 }).take();
    const before = item.held;
    let last = performance.now();
    console.log('took', item.value, item.attempt);
    ${then}`;
  return runScript({ source });
}

it('what a consumer had that was killed comes back to another one, which waits for it, with one more attempt', async () => {
  await using zk = await connect();
  const queue = new Queue<string>(zk, '/killed', { maxAttempts: 3 });
  await queue.put('work');
  await using child = await worker('/killed');
  await child.line(/^took work 1$/);
  const taking = queue.take();
  await child.kill();
  const item = await within(taking, { what: 'the item', timeout: 10 * timeout });
  expect([item.value, item.attempt, await queue.size()]).toEqual(['work', 2, 1]);
  await item.ack();
  expect([await queue.size(), await zk.getChildren(queue.lockPath)]).toEqual([0, []]);
});

it('a consumer that was stopped past its session sees at its first look that the item is not its own, and cannot ack', async () => {
  await using zk = await connect();
  const queue = new Queue<string>(zk, '/stopped', { maxAttempts: 3 });
  await queue.put('work');
  await using child = await worker(
    '/stopped',
    `for (;;) {
      const now = performance.now();
      if (now - last > ${0.8 * timeout}) break;
      last = now;
    }
    console.log('woke', before, item.held, item.signal.aborted);
    await item.ack().catch((error) => console.log(error.code));
    await zk.close();`,
  );
  await child.line(/^took work 1$/);
  child.signal('SIGSTOP');
  const item = await queue.take({ timeout: 20 * timeout });
  child.signal('SIGCONT');
  expect((await child.line(/^woke.*/))[0]).toBe('woke true false true');
  await child.line(/^SESSION_EXPIRED$/);
  expect([item.held, await zk.has(item.path)]).toEqual([true, true]);
  await item.ack();
});
