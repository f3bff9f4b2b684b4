import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ZooKeeper } from 'zookit';
import { ChildrenCache, NodeCache, TreeCache } from 'zookit/recipes';
import { changeLog, contents, randomChanges, sameAsServer, serverContents } from '../../support/caches.js';
import { expireSession } from '../../support/expire-session.js';
import { knows } from '../../support/features.js';
import { sharedServer } from '../../support/shared.js';
import { until, within } from '../../support/until.js';
import { startServer, type ZooKeeperServer } from '../../support/zookeeper.js';
import { failureOf, op, type Rig, SHORT, startRig } from '../rig.js';

const root = '/tree';

/** A rig, and a tree at its server. */
async function planted(
  tree: Readonly<Record<string, string>>,
  options: Parameters<typeof startRig>[0] = { sessionTimeout: 30_000 },
): Promise<Rig> {
  const rig = await startRig(options);
  for (const [path, data] of Object.entries(tree)) await rig.observer.create(root + path, data);
  return rig;
}

async function many(rig: Rig, count: number): Promise<void> {
  const { observer } = rig;
  await observer.create(root);
  for (let from = 0; from < count; from += 100) {
    const transaction = observer.transaction();
    for (let index = from; index < from + 100; index++) transaction.create(`${root}/n-${index}`, String(index));
    await transaction.commit();
  }
}

async function fresh(cache: { readonly stale: boolean }): Promise<void> {
  await until(() => !cache.stale, { what: 'it to be current', timeout: 20_000 });
}

describe.each(['auto', 'oneShot'] as const)('a cache of a tree, by watches: %s', (watches) => {
  it('keeps what it knows without a connection, says so, and then tells what was missed, before resync', async () => {
    await using rig = await planted({
      '': 'r',
      '/kept': '1',
      '/changed': '1',
      '/gone': '1',
      '/gone/x': '1',
      '/new': '1',
    });
    await using cache = await TreeCache.open(rig.zk, root, { watches });
    const before = contents(cache);
    const log = changeLog(cache);
    await rig.unlink();
    expect([contents(cache), cache.stale]).toEqual([before, true]);
    await rig.observer.setData(`${root}/changed`, '2');
    await rig.observer.deleteTree(`${root}/gone`);
    await rig.observer.delete(`${root}/new`);
    await rig.observer.create(`${root}/new`, '1');
    await rig.observer.create(`${root}/added`, '1');
    await rig.observer.create(`${root}/added/x`, '1');
    expect(log.all).toEqual([]);
    await rig.relink();
    await fresh(cache);
    expect(log.problems).toEqual([]);
    expect(log.all.slice(-1)).toEqual(['resync']);
    expect(log.all.slice(0, -1).sort()).toEqual([
      ...['added /added 1', 'added /added/x 1', 'added /new 1', 'changed /changed 1 -> 2'],
      ...['removed /gone 1', 'removed /gone/x 1', 'removed /new 1'],
    ]);
    expect(log.replayed()).toEqual(await serverContents(rig.observer, root));
  });

  it('tells nothing but resync where nothing has changed, and reads no data again', async () => {
    await using rig = await planted({ '': 'r', '/a': '1', '/a/b': '2' });
    await using cache = await TreeCache.open(rig.zk, root, { watches });
    const log = changeLog(cache);
    await rig.reconnect();
    await fresh(cache);
    expect(log.all).toEqual(['resync']);
    const read = rig.newestRequests.filter(({ opCode }) => opCode === op.getData);
    // Behind one-shot watches that were set again, the answer for the root comes after all that they have to tell.
    expect(read).toHaveLength(watches === 'auto' && knows('addWatch') ? 0 : 1);
  });

  it('notices that the root, or all of it, is gone or made again', async () => {
    await using rig = await planted({ '': 'r', '/a': '1', '/a/b': '2' });
    await using cache = await TreeCache.open(rig.zk, root, { watches });
    const log = changeLog(cache);
    await rig.unlink();
    await rig.observer.deleteTree(root);
    await rig.relink();
    await fresh(cache);
    expect(log.all).toEqual(['removed /a/b 2', 'removed /a 1', 'removed  r', 'resync']);
    await rig.unlink();
    await rig.observer.create(root, 'r');
    await rig.observer.create(`${root}/a`, '1');
    await rig.relink();
    await fresh(cache);
    await rig.unlink();
    await rig.observer.deleteTree(root);
    await rig.observer.create(root, 'r');
    await rig.observer.create(`${root}/a`, '1');
    await rig.relink();
    await fresh(cache);
    expect(log.all.slice(4)).toEqual([
      ...['added  r', 'added /a 1', 'resync'],
      ...['removed /a 1', 'removed  r', 'added  r', 'added /a 1', 'resync'],
    ]);
    expect(log.problems).toEqual([]);
  });

  it('goes on in a new session, where it is not current before it has looked', async () => {
    await using rig = await planted(
      { '': 'r', '/kept': '1', '/changed': '1', '/gone': '1' },
      { sessionTimeout: SHORT },
    );
    await using cache = await TreeCache.open(rig.zk, root, { watches });
    const log = changeLog(cache);
    const staleWhenConnected: boolean[] = [];
    rig.zk.on('connected', () => staleWhenConnected.push(cache.stale));
    await rig.outlive();
    await rig.observer.setData(`${root}/changed`, '2');
    await rig.observer.delete(`${root}/gone`);
    await rig.observer.create(`${root}/added`, '1');
    expect([cache.size, cache.stale, log.all]).toEqual([4, true, []]);
    await rig.relink();
    await fresh(cache);
    expect(log.all.slice(-1)).toEqual(['resync']);
    expect(log.all.slice(0, -1).sort()).toEqual(['added /added 1', 'changed /changed 1 -> 2', 'removed /gone 1']);
    await rig.observer.setData(`${root}/kept`, '2');
    await log.until('changed /kept 1 -> 2');
    expect([staleWhenConnected, log.problems]).toEqual([[true], []]);
  });

  it('is complete after reconnects during the first load', async () => {
    await using rig = await startRig({ sessionTimeout: 30_000 });
    await many(rig, 1_500);
    await using cache = new TreeCache(rig.zk, root, { watches });
    const log = changeLog(cache);
    const ready = cache.ready({ timeout: 25_000 });
    let added = 0;
    let resets = 0;
    cache.on('added', () => {
      if (++added % 300 !== 0 || resets === 4) return;
      resets++;
      rig.proxy.resetAll();
    });
    await ready;
    await fresh(cache);
    expect([cache.size, resets, log.problems]).toEqual([1_501, 4, []]);
    expect(log.all.filter((each) => each === 'ready')).toHaveLength(1);
    expect(await sameAsServer(cache, rig.observer)).toBe(true);
  });

  it('is complete after an expiry during the first load', async () => {
    await using rig = await startRig({ sessionTimeout: 30_000 });
    await many(rig, 1_000);
    await using cache = new TreeCache(rig.zk, root, { watches });
    const log = changeLog(cache);
    const ready = cache.ready({ timeout: 28_000 });
    await until(() => cache.size > 100, { what: 'some of it', interval: 1 });
    rig.proxy.holdReplies();
    await expireSession(sharedServer(), rig.zk.session.export());
    rig.proxy.heal({ deliver: false });
    rig.proxy.resetAll();
    await ready;
    expect(rig.events.types).toContain('expired');
    expect([cache.size, log.problems]).toEqual([1_001, []]);
  });

  it('M8: equals a fresh read after random changes and a connection that is lost again and again', async () => {
    await using rig = await planted({ '': 'r' });
    await using cache = await TreeCache.open(rig.zk, root, { watches });
    const log = changeLog(cache);
    let over = false;
    const resetting = (async () => {
      while (!over) await rig.reconnect();
    })();
    for (const seed of [1, 2, 3]) await randomChanges(rig.observer, root, 250, seed);
    over = true;
    await resetting;
    await until(() => sameAsServer(cache, rig.observer), { what: 'the cache to be as the server' });
    expect(log.problems).toEqual([]);
    expect(log.replayed()).toEqual(await serverContents(rig.observer, root));
  });

  it('is not behind after any of many lost reads, with and without a queue', async () => {
    for (const offlineQueue of [{}, false] as const) {
      await using rig = await planted({ '': 'r', '/a': '0' }, { sessionTimeout: 30_000, offlineQueue });
      await using cache = await TreeCache.open(rig.zk, root, { watches });
      for (let round = 1; round <= 10; round++) {
        const lost = round % 2 === 0 ? 'swallowNextReply' : 'swallowNextRequest';
        const wanted = round % 3 === 0 ? op.exists : op.getData;
        void rig.proxy[lost](({ opCode }) => opCode === wanted);
        await rig.observer.setData(`${root}/a`, String(round));
        await until(() => cache.get(`${root}/a`)?.node.text() === String(round), { what: `the value ${round}` });
      }
    }
  });

  it('can be closed at once without a connection, in the middle of a load, too', async () => {
    await using rig = await startRig({ sessionTimeout: 30_000 });
    await many(rig, 500);
    const cache = new TreeCache(rig.zk, root, { watches });
    const ready = failureOf(cache.ready());
    await until(() => cache.size > 10, { what: 'some of it', interval: 1 });
    await rig.unlink();
    const opening = failureOf(TreeCache.open(rig.zk, root, { watches, timeout: 50 }));
    expect(await within(opening, { what: 'the error', timeout: 5_000 })).toMatchObject({ code: 'OPERATION_TIMEOUT' });
    await within(cache.close(), { what: 'the end', timeout: 5_000 });
    expect(await ready).toMatchObject({ code: 'CLOSED' });
    await rig.relink();
    await rig.zk.sync('/');
    expect(rig.zk.watches()).toEqual([]);
  });

  it('ends with the client: iterations and listeners are told', async () => {
    await using rig = await planted({ '': 'r' });
    const cache = await TreeCache.open(rig.zk, root, { watches });
    const failed = new Promise((resolve) => cache.on('failed', resolve));
    const changes = cache[Symbol.asyncIterator]();
    await changes.next();
    await changes.next();
    const next = failureOf(changes.next());
    await rig.zk.close();
    const failure = await next;
    expect(failure).toMatchObject({ code: 'CLOSED' });
    expect([await failed, cache.failure, cache.size, cache.stale]).toEqual([failure, failure, 1, true]);
    await cache.close();
  });
});

describe('a client that opens no new session', () => {
  it('ends the cache with its session', async () => {
    await using rig = await planted({ '': 'r' }, { sessionTimeout: SHORT, renewSession: false });
    await using cache = await TreeCache.open(rig.zk, root);
    const failed = new Promise((resolve) => cache.on('failed', resolve));
    await rig.outlive();
    await rig.restore();
    expect(await within(failed, { what: 'the failure' })).toMatchObject({ code: 'SESSION_EXPIRED' });
    expect(cache.size).toBe(1);
  });
});

describe('caches of one znode, and of its children', () => {
  it('learn of what was missed', async () => {
    await using rig = await planted({ '': '1', '/a': '1', '/b': '1' });
    await using node = await NodeCache.open(rig.zk, root);
    await using children = await ChildrenCache.open(rig.zk, root);
    await rig.unlink();
    expect([node.stale, children.stale, node.current?.node.text(), children.size]).toEqual([true, true, '1', 2]);
    await rig.observer.setData(root, '2');
    await rig.observer.delete(`${root}/a`);
    await rig.observer.create(`${root}/c`, '1');
    await rig.relink();
    await fresh(node);
    await fresh(children);
    expect([node.current?.node.text(), [...children.children().keys()].sort()]).toEqual(['2', ['b', 'c']]);
    await rig.unlink();
    await rig.observer.deleteTree(root);
    await rig.relink();
    await fresh(node);
    await fresh(children);
    expect([node.current, children.size, children.parent]).toEqual([undefined, 0, undefined]);
  });
});

describe('M3: with the server down at the start', () => {
  let server: ZooKeeperServer;

  beforeAll(async () => {
    server = await startServer();
    await using zk = await ZooKeeper.connect(server.connectString);
    await zk.create('/a', '1');
    await server.stop();
    await zk.close({ timeout: 10 });
  });

  afterAll(async () => {
    await server.close();
  });

  it('it is ready when the server comes, unless the wait is over before', async () => {
    await using zk = ZooKeeper.open(server.connectString);
    const opening = TreeCache.open(zk, '/a');
    const failure = await failureOf(TreeCache.open(zk, '/a', { timeout: 100 }));
    expect(failure).toMatchObject({ code: 'OPERATION_TIMEOUT', operation: 'TreeCache.ready', path: '/a' });
    await server.start();
    await using cache = await within(opening, { what: 'the cache' });
    expect([cache.get('/a')?.node.text(), cache.stale]).toEqual(['1', false]);
  });
});
