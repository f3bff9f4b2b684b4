/** What read-write locks and semaphores cost, counted at the socket. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ZooKeeper } from 'zookit';
import { type ReadLock, ReadWriteLock, Semaphore } from 'zookit/recipes';
import { type Proxy, startProxy } from '../../support/proxy.js';
import { sharedServer } from '../../support/shared.js';
import { until } from '../../support/until.js';
import { watchedPaths } from '../../support/watches.js';
import { useClients } from '../clients.js';

const op = {
  create: 1,
  delete: 2,
  exists: 3,
  getData: 4,
  getChildren: 8,
  sync: 9,
  ping: 11,
  multi: 14,
  removeWatches: 18,
};
const clients = useClients();
let proxy: Proxy;

beforeAll(async () => {
  proxy = await startProxy(sharedServer());
});

afterAll(async () => {
  await proxy.close();
});

function opCodes(): number[] {
  return proxy.requests.map(({ opCode }) => opCode).filter((opCode) => opCode !== op.ping && opCode !== op.sync);
}

async function proxied(): Promise<ZooKeeper> {
  return ZooKeeper.connect(proxy.connectString + clients.chroot);
}

async function lineOf(path: string, count: number): Promise<void> {
  await until(async () => (await clients.zk.getChildren(path)).length === count, { what: `a line of ${count}` });
}

/** The requests that go out before any of them is answered, and what comes of the promise. */
async function inOneGo<T>(
  count: number,
  act: () => Promise<T>,
): Promise<{ readonly asked: number[]; readonly result: T }> {
  proxy.requests.length = 0;
  proxy.holdReplies();
  const acting = act();
  await until(() => opCodes().length === count, { what: `${count} requests` });
  proxy.releaseReplies();
  const result = await acting;
  return { asked: opCodes(), result };
}

describe('a read-write lock', () => {
  it.each(['read', 'write'] as const)(
    'costs one round trip to take, and one to give back, where it is free (%s)',
    async (side) => {
      const path = await clients.folder();
      await using zk = await proxied();
      const lock = new ReadWriteLock(zk, path);
      const { asked, result } = await inOneGo(2, () => lock[side].acquire());
      expect(asked).toEqual([op.create, op.getChildren]);
      proxy.requests.length = 0;
      await result.release();
      expect(opCodes()).toEqual([op.delete]);
    },
  );

  it('asks nothing more when the last writer before a reader is gone; a writer looks again', async () => {
    const path = await clients.folder();
    const other = new ReadWriteLock(clients.zk, path);
    await using zk = await proxied();
    const lock = new ReadWriteLock(zk, path);
    const write = await other.write.acquire();
    const readers: Promise<ReadLock>[] = [];
    for (let count = 2; count <= 4; count++) {
      readers.push(lock.read.acquire());
      await lineOf(path, count);
    }
    // Each of the three watches its own znode, and that of the writer.
    await until(() => zk.watches().reduce((sum, { listeners }) => sum + listeners, 0) === 6, { what: 'their watches' });
    await zk.sync('/');
    proxy.requests.length = 0;
    await write.release();
    const held = await Promise.all(readers);
    await zk.sync('/');
    expect(opCodes()).toEqual([]);
    const writing = lock.write.acquire();
    await lineOf(path, 4);
    for (const each of held.slice(0, 2)) await each.release();
    await zk.sync('/');
    proxy.requests.length = 0;
    await held[2]!.release();
    await (await writing).release();
    expect(opCodes()).toEqual([op.delete, op.getChildren, op.delete]);
  });

  it('wakes nobody but the next: a writer watches the one before it, a reader the last writer before it', async () => {
    const path = await clients.folder();
    const other = await clients.another();
    const lock = new ReadWriteLock(clients.zk, path);
    const [reader, second] = [await lock.read.acquire(), await lock.read.acquire()];
    const writing = new ReadWriteLock(other, path).write.acquire();
    await lineOf(path, 3);
    const later = [1, 2].map(() => new ReadWriteLock(other, path).read.acquire());
    await lineOf(path, 5);
    await other.sync('/');
    const watched = (): number[] => other.watches().map(({ listeners }) => listeners);
    // Each of the three looks after its own znode: that of the writer has two readers behind it.
    await until(() => watched().reduce((sum, each) => sum + each, 0) === 6, { what: 'their watches' });
    expect(watched().sort()).toEqual([1, 1, 1, 3]);
    const paths = other.watches().map((each) => each.path);
    expect([paths.includes(second.path), paths.includes(reader.path)]).toEqual([true, false]);
    await second.release();
    await reader.release();
    await (await writing).release();
    for (const each of later) await (await each).release();
  });

  it('costs one round trip to read on after writing', async () => {
    const path = await clients.folder();
    await using zk = await proxied();
    const write = await new ReadWriteLock(zk, path).write.acquire();
    proxy.requests.length = 0;
    const read = await write.acquireRead();
    expect(opCodes().filter((each) => each !== op.getData)).toEqual([op.multi]);
    await write.release();
    await read.release();
  });

  it('with the preference for readers looks first, and joins in one round trip more', async () => {
    const path = await clients.folder();
    await using zk = await proxied();
    const lock = new ReadWriteLock(zk, path, { preference: 'readers' });
    proxy.requests.length = 0;
    const first = await lock.read.acquire();
    expect(opCodes().slice(0, 3)).toEqual([op.getChildren, op.create, op.getChildren]);
    const writing = new ReadWriteLock(clients.zk, path).write.acquire();
    await lineOf(path, 2);
    await zk.sync('/');
    proxy.requests.length = 0;
    const joined = await lock.read.acquire();
    expect(opCodes().filter((each) => each !== op.getData)).toEqual([op.getChildren, op.exists, op.multi]);
    await first.release();
    await joined.release();
    await (await writing).release();
  });
});

describe('a semaphore', () => {
  it('costs one round trip to take, and one to give back, where leases are free', async () => {
    const path = await clients.folder();
    await using zk = await proxied();
    const semaphore = new Semaphore(zk, path, 3);
    await (await semaphore.acquire()).release();
    const { asked, result } = await inOneGo(3, () => semaphore.acquire());
    expect(asked).toEqual([op.create, op.getChildren, op.getChildren]);
    proxy.requests.length = 0;
    await result.release();
    expect(opCodes()).toEqual([op.delete]);
  });

  it('also for several leases, and with a count that stands in a znode', async () => {
    const path = await clients.folder();
    await using zk = await proxied();
    const semaphore = new Semaphore(zk, path, { path: `${path}/count`, initial: 3 });
    await (await semaphore.acquire()).release();
    const { asked, result } = await inOneGo(6, () => semaphore.acquire({ count: 3 }));
    expect(asked).toEqual([op.create, op.create, op.create, op.getChildren, op.getChildren, op.getData]);
    proxy.requests.length = 0;
    await result.release();
    expect(opCodes()).toEqual([op.delete, op.delete, op.delete]);
  });

  it('wakes one of those who wait when a lease is given back', async () => {
    const path = await clients.folder();
    const held = await new Semaphore(clients.zk, path, 1).acquire();
    await using zk = await proxied();
    const semaphore = new Semaphore(zk, path, 1);
    const first = semaphore.acquire();
    await until(async () => (await clients.zk.getChildren(`${path}/leases`)).length === 2, { what: 'the first' });
    const others = Array.from({ length: 3 }, () => semaphore.acquire());
    await lineOf(`${path}/locks`, 4);
    // The first watches the leases and its turn, each other one its own and the turn before it.
    await until(() => zk.watches().reduce((sum, { listeners }) => sum + listeners, 0) === 8, { what: 'their watches' });
    await zk.sync('/');
    proxy.requests.length = 0;
    const nextLinesUp = proxy.seen(({ opCode }) => opCode === op.create);
    await held.release();
    const lease = await first;
    await nextLinesUp;
    await zk.sync('/');
    // It looks and gives its turn away; the next one lines up its lease, and finds none free.
    const passing: number[] = [op.removeWatches, op.getData, op.exists];
    const asked = opCodes().filter((each) => !passing.includes(each));
    expect(asked.slice(0, 2)).toEqual([op.getChildren, op.delete]);
    expect(asked.filter((each) => each === op.create)).toHaveLength(1);
    await lease.release();
    for (const each of others) await (await each).release();
  });

  it('leaves no watch', async () => {
    const path = await clients.folder();
    const semaphore = new Semaphore(clients.zk, path, 2);
    await Promise.all(Array.from({ length: 8 }, () => semaphore.using(() => clients.zk.sync('/'))));
    await until(async () => (await watchedPaths(sharedServer(), clients.chroot + path)).length === 0, {
      what: 'no watch at the server',
    });
    expect(clients.zk.watches().filter((each) => each.path.startsWith(path))).toEqual([]);
  });
});
