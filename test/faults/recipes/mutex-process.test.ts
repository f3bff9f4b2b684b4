/** Holders that are killed or stopped, with the server and without it. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { ZooKeeper } from 'zookit';
import { type Lock, Mutex } from 'zookit/recipes';
import { type Child, runScript } from '../../support/child.js';
import { gate, until, within } from '../../support/until.js';
import { startServer, type ZooKeeperServer } from '../../support/zookeeper.js';

const timeout = 1_000;
const path = '/lock';
let server: ZooKeeperServer;

beforeAll(async () => {
  server = await startServer();
});

afterAll(async () => {
  await server.close();
});

function connect(): Promise<ZooKeeper> {
  return ZooKeeper.connect(server.connectString, { sessionTimeout: timeout });
}

/** A process that takes the lock, says so, and then runs `then`. */
function holder(then = ''): Promise<Child> {
  const source = `
    import { ZooKeeper } from 'zookit';
    import { Mutex } from 'zookit/recipes';
    const zk = await ZooKeeper.connect('${server.connectString}', { sessionTimeout: ${timeout} });
    const lock = await new Mutex(zk, '${path}').acquire();
    const before = lock.held;
    let last = performance.now();
    console.log('held', String(lock.fencingToken));
    ${then}`;
  return runScript({ source });
}

it('I1: when the holder is killed, the next one holds within the session timeout and a second', async () => {
  await using child = await holder();
  const [, token] = (await child.line(/^held (\d+)$/)) as unknown as [string, string];
  await using zk = await connect();
  // One more who waits and is killed: it must not be in the way.
  await using waiter = await holder();
  await until(async () => (await zk.getChildren(path)).length === 2, { what: 'the waiter' });
  const acquiring = new Mutex(zk, path).acquire();
  await until(async () => (await zk.getChildren(path)).length === 3, { what: 'a line of three' });
  await Promise.all([child.kill(), waiter.kill()]);
  // The server ends sessions in ticks of 200 ms.
  const lock = await within(acquiring, { what: 'the lock', timeout: timeout + 1_000 + 200 });
  expect(lock.fencingToken.greaterThan(token)).toBe(true);
  await lock.release();
});

it('I11: a holder that was stopped past its session sees that at its first look, before any timer runs', async () => {
  // It blocks its own event loop: nothing but the look itself can tell it.
  await using child = await holder(`
    for (;;) {
      const now = performance.now();
      if (now - last > ${0.8 * timeout}) break;
      last = now;
    }
    console.log('woke', before, lock.held, lock.signal.aborted);
    await lock.release();
    await zk.close();
    console.log('ended');`);
  await child.line(/^held/);
  child.signal('SIGSTOP');
  await using zk = await connect();
  const lock = await new Mutex(zk, path).acquire({ timeout: timeout + 2_000 });
  child.signal('SIGCONT');
  expect((await child.line(/^woke.*/))[0]).toBe('woke true false true');
  await child.line(/^ended$/);
  expect([lock.held, await zk.has(lock.path)]).toEqual([true, true]);
  await lock.release();
});

it('I11: what a stopped holder was about to write is refused when it goes on, by itself and by the server', async () => {
  await using zk = await connect();
  await zk.upsert('/value', 'old');
  await using child = await holder(`
    // What it wrote before it was stopped, and what it had made up its mind to write.
    await lock.guard(zk.transaction()).setData('/value', 'first').commit();
    const ready = lock.guard(zk.transaction()).setData('/value', 'stale');
    const order = [];
    lock.signal.addEventListener('abort', () => order.push('signal'));
    console.log('ready');
    for (;;) {
      const now = performance.now();
      if (now - last > ${0.8 * timeout}) break;
      last = now;
    }
    const refusedHere = (() => {
      try {
        lock.guard(zk.transaction());
        return 'nothing';
      } catch (error) {
        return error.code;
      }
    })();
    const signalled = lock.signal.aborted;
    const refused = await ready.commit().then(() => 'nothing', (error) => error.code);
    console.log('woke', refusedHere, signalled, order.join(), refused);
    await lock.release();
    await zk.close();
    console.log('ended');`);
  await child.line(/^ready$/);
  child.signal('SIGSTOP');
  const lock = await new Mutex(zk, path).acquire({ timeout: timeout + 10_000 });
  await lock.guard(zk.transaction()).setData('/value', 'second').commit();
  child.signal('SIGCONT');
  // The session is over: the transaction reaches no server, or one that refuses it.
  const [, here, aborted, order, there] = (await child.line(/^woke (\w+) (\w+) (\w*) (\w+)$/)) as unknown as string[];
  expect([here, aborted, order]).toEqual(['LEASE_LOST', 'true', 'signal']);
  expect(['SESSION_EXPIRED', 'CONNECTION_LOSS', 'NO_NODE']).toContain(there);
  await child.line(/^ended$/);
  expect((await zk.getData('/value')).text()).toBe('second');
  expect(lock.held).toBe(true);
  await lock.release();
});

it('I2: while the server is stopped for longer than the session, the holder loses before anybody else holds', async () => {
  const zks = await Promise.all([connect(), connect(), connect()]);
  const [first, ...others] = zks;
  const lock = await new Mutex(first, path).acquire();
  const lost = gate<boolean>();
  lock.signal.addEventListener('abort', () => lost.open(lock.held));
  const heldAtAcquire: boolean[] = [];
  const acquire = async (zk: ZooKeeper): Promise<Lock> => {
    const next = await new Mutex(zk, path).acquire();
    heldAtAcquire.push(lock.held);
    return next;
  };
  const acquiring = others.map(async (zk) => {
    const next = await acquire(zk);
    await lock.release();
    expect([next.held, await zk.has(next.path)]).toEqual([true, true]);
    await next.release();
  });
  await until(async () => (await first.getChildren(path)).length === 3, { what: 'a line of three' });
  const stoppedAt = performance.now();
  server.pause();
  expect(await within(lost.promise, { what: 'the loss', timeout })).toBe(false);
  await until(() => performance.now() - stoppedAt > 1.5 * timeout, { what: 'one and a half sessions' });
  expect(heldAtAcquire).toEqual([]);
  server.resume();
  // Its session may have survived; then its znode stands until it is released.
  await until(() => first.state === 'connected', { what: 'the connection' });
  expect([lock.held, lock.signal.aborted]).toEqual([false, true]);
  await lock.release();
  await within(Promise.all(acquiring), { what: 'the others' });
  expect(heldAtAcquire).toEqual([false, false]);
  expect(await first.getChildren(path)).toEqual([]);
  await Promise.all(zks.map((zk) => zk.close()));
});
