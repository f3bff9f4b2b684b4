import { afterAll, beforeAll, describe, expect, it, test } from '@jest/globals';
import { ZooKeeper } from 'zookit';
import { Mutex } from 'zookit/recipes';
import { knows, since } from '../../support/features.js';
import { type Proxy, startProxy } from '../../support/proxy.js';
import { sharedServer } from '../../support/shared.js';
import { until } from '../../support/until.js';
import { watchedPaths } from '../../support/watches.js';
import { failureOf, useClients } from '../clients.js';

const op = { createContainer: 19, create: 1, delete: 2, getData: 4, getChildren: 8, sync: 9, ping: 11, multi: 14 };
const clients = useClients();
let proxy: Proxy;

beforeAll(async () => {
  proxy = await startProxy(sharedServer());
});

afterAll(async () => {
  await proxy.close();
});

function opCodes(): number[] {
  return proxy.requests.map(({ opCode }) => opCode).filter((opCode) => opCode !== op.ping);
}

async function proxied(): Promise<ZooKeeper> {
  return ZooKeeper.connect(proxy.connectString + clients.chroot);
}

async function lineOf(path: string, count: number): Promise<void> {
  await until(async () => (await clients.zk.getChildren(path)).length === count, { what: `a line of ${count}` });
}

describe('the znodes', () => {
  it('are those of Curator', async () => {
    const path = `${await clients.folder()}/locks/a`;
    await using zk = await proxied();
    proxy.requests.length = 0;
    await using lock = await new Mutex(zk, path, { data: 'me' }).acquire();
    const parents = knows('containers') ? op.createContainer : op.create;
    const made = proxy.requests
      .filter(({ opCode }) => opCode === parents)
      .map(({ body }) => body.toString('utf8', 4, 4 + body.readInt32BE(0)))
      .filter((each) => !each.endsWith('-lock-'));
    // Twice the lower one: its parent was missing at first.
    expect(made).toEqual([path, path.slice(0, -2), path].map((each) => clients.chroot + each));
    expect(proxy.totalConnections).toBe(1);
    const [name] = await clients.zk.getChildren(path);
    expect(name).toMatch(/^_c_[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}-lock-\d{10}$/);
    const node = await clients.zk.getData(lock.path);
    expect([node.text(), node.stat.ephemeralOwner]).toEqual(['me', zk.session.id]);
  });

  it('hold null unless told otherwise', async () => {
    await using lock = await new Mutex(clients.zk, await clients.folder()).acquire();
    expect((await clients.zk.getData(lock.path)).isNull).toBe(true);
  });
});

describe('the requests', () => {
  it('of a lock that is free: create and list in one go, and one to release it', async () => {
    const path = await clients.folder();
    await using zk = await proxied();
    proxy.requests.length = 0;
    proxy.holdReplies();
    const acquiring = new Mutex(zk, path).acquire();
    await proxy.seen(({ opCode }) => opCode === op.getChildren);
    expect(opCodes()).toEqual([op.create, op.getChildren]);
    proxy.releaseReplies();
    const lock = await acquiring;
    proxy.requests.length = 0;
    await lock.release();
    expect(opCodes()).toEqual([op.delete]);
  });

  it('of a release go out before what is asked for after the call', async () => {
    await using zk = await proxied();
    const lock = await new Mutex(zk, await clients.folder()).acquire();
    proxy.requests.length = 0;
    await Promise.all([lock.release(), zk.sync('/')]);
    expect(opCodes()).toEqual([op.delete, op.sync]);
  });

  it('of a lock with a delay: one more before and after, and the mark goes before the lock', async () => {
    const path = await clients.folder();
    await using zk = await proxied();
    proxy.requests.length = 0;
    const lock = await new Mutex(zk, path, { lockDelay: 1_000 }).acquire();
    await lock.release();
    // On a busy machine it is held for long enough to be watched over.
    const asked = opCodes().filter((opCode) => opCode !== op.getData);
    expect(asked).toEqual([op.create, op.getChildren, op.multi, op.multi, op.delete]);
  });

  it('of a lock that is held for longer: one more, which watches over it', async () => {
    await using zk = await proxied();
    const lock = await new Mutex(zk, await clients.folder()).acquire();
    proxy.requests.length = 0;
    await proxy.seen(({ opCode }) => opCode === op.getData);
    await lock.release();
    expect(opCodes()).toEqual([op.getData, op.delete]);
  });

  it('none with a signal that has fired', async () => {
    const path = await clients.folder();
    await using zk = await proxied();
    proxy.requests.length = 0;
    await failureOf(new Mutex(zk, path).acquire({ signal: AbortSignal.abort() }));
    expect(opCodes()).toEqual([]);
  });

  it('of those who wait: none, but for the one who cannot know whether it is the first', async () => {
    const path = await clients.folder();
    const foreign = await Promise.all(
      ['_c_77f4d3f0-lock-', '00ff__lock__'].map((name) =>
        clients.zk.create(`${path}/${name}`, null, { mode: 'ephemeralSequential' }),
      ),
    );
    await using zk = await proxied();
    const waiting = Array.from({ length: 3 }, () => new Mutex(zk, path).using(() => undefined));
    await lineOf(path, 5);
    const asked = async (): Promise<number[]> => {
      await zk.sync('/');
      return opCodes().filter((opCode) => opCode !== op.sync);
    };
    await asked();
    proxy.requests.length = 0;
    // The one in the middle gives up: who stood behind it must look who is before it now.
    await clients.zk.delete(foreign[1]!.path);
    await proxy.seen(({ opCode }) => opCode === op.getData);
    expect(await asked()).toEqual([op.getChildren, op.getData]);
    proxy.requests.length = 0;
    await clients.zk.delete(foreign[0]!.path);
    await Promise.all(waiting);
    expect(await asked()).toEqual([op.delete, op.delete, op.delete]);
  });

  it('of those who wait in one process: none, as they know of each other who is the first', async () => {
    const path = await clients.folder();
    const holder = await new Mutex(clients.zk, path).acquire();
    await using zk = await proxied();
    const mutex = new Mutex(zk, path);
    const waiting = Array.from({ length: 5 }, () => mutex.using(() => zk.sync('/')));
    await lineOf(path, 6);
    await zk.sync('/');
    proxy.requests.length = 0;
    await holder.release();
    await Promise.all(waiting);
    expect(opCodes()).toEqual(Array.from({ length: 5 }, () => [op.sync, op.delete]).flat());
  });
});

test('I9: of 200 hand-overs no watch is left, and each who waits has two', async () => {
  const path = await clients.folder();
  const other = await clients.another();
  const watched = (): Promise<string[]> => watchedPaths(sharedServer(), clients.chroot + path);
  const mutexes = [new Mutex(clients.zk, path), new Mutex(other, path)];
  let lock = await mutexes[0]!.acquire();
  for (let round = 1; round <= 200; round++) {
    const acquiring = mutexes[round % 2]!.acquire();
    if (round % 50 === 0) {
      // The lock is watched by its holder and by the one who waits for it, who also watches its own znode.
      await until(async () => (await watched()).length === 3, { what: 'three watches' });
    }
    await lock.release();
    lock = await acquiring;
  }
  await lock.release();
  expect(await watched()).toEqual([]);
});

since('3.5.0')('a wait that is ended leaves no watch', async () => {
  const path = await clients.folder();
  await using lock = await new Mutex(clients.zk, path).acquire();
  const other = await clients.another();
  for (let round = 0; round < 12; round++) {
    const stop = new AbortController();
    const acquiring = new Mutex(other, path).acquire({ signal: stop.signal });
    for (let turn = 0; turn < round; turn++) await other.exists('/');
    stop.abort();
    await failureOf(acquiring);
  }
  await other.sync('/');
  expect(await watchedPaths(sharedServer(), clients.chroot + path)).toEqual([clients.chroot + lock.path]);
});
