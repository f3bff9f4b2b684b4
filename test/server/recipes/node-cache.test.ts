import { describe, expect, it } from '@jest/globals';
import { NoAuthError, acl } from 'zookit';
import { NodeCache } from 'zookit/recipes';
import { knows } from '../../support/features.js';
import { sharedServer } from '../../support/shared.js';
import { within } from '../../support/until.js';
import { watchedPaths } from '../../support/watches.js';
import { changeLog } from '../../support/caches.js';
import { failureOf, useClients } from '../clients.js';

const clients = useClients();

/** A cache as what `changeLog` takes. */
function logOf(cache: NodeCache): ReturnType<typeof changeLog> {
  const known = cache.current === undefined ? [] : [cache.current];
  return changeLog(Object.assign(cache, { [Symbol.iterator]: () => known[Symbol.iterator]() }));
}

describe('a cache of one znode', () => {
  it('M5: absent, created, written, deleted, created again: each is told, and is a value', async () => {
    const path = `${await clients.folder()}/p/a`;
    await using cache = await NodeCache.open(clients.zk, path);
    expect([cache.current, cache.stale]).toEqual([undefined, false]);
    const log = logOf(cache);
    await clients.zk.create(path, '1', { parents: true });
    await log.until('added  1');
    await clients.zk.setData(path, '2');
    await log.until('changed  1 -> 2');
    expect(cache.current?.node.stat).toEqual((await clients.zk.getData(path)).stat);
    await clients.zk.deleteTree(path.slice(0, -2));
    await log.until('removed  2');
    expect(cache.current).toBeUndefined();
    await clients.zk.create(path, '3', { parents: true });
    await log.until('added  3');
    expect(log.all).toEqual(['added  1', 'changed  1 -> 2', 'removed  2', 'added  3']);
    expect(log.problems).toEqual([]);
  });

  it('reads nothing of what is below, and leaves one watch', async () => {
    const path = await clients.folder();
    await clients.zk.create(`${path}/child`, 'x');
    const zk = await clients.another();
    await using cache = await NodeCache.open(zk, path);
    expect(zk.watches()).toEqual([{ path, kind: 'data', listeners: 1 }]);
    expect(zk.metrics().operations.byName.getChildren).toBeUndefined();
    await cache.close();
    expect(zk.watches()).toEqual([]);
    await zk.sync('/');
    if (knows('removeWatches')) expect(await watchedPaths(sharedServer(), clients.chroot + path)).toEqual([]);
  });

  it('M1: after 1,000 writes has the last one', async () => {
    const path = (await clients.zk.create(`${await clients.folder()}/a`, '0')).path;
    await using cache = await NodeCache.open(clients.zk, path, { decode: (node) => Number(node.text()) });
    const reading = (async () => {
      const seen: number[] = [];
      for await (const change of cache) {
        if (change.type === 'changed' || change.type === 'added') seen.push(change.znode.value ?? NaN);
        if (seen.at(-1) === 1_000) return seen;
      }
      return seen;
    })();
    const other = await clients.another();
    await Promise.all(Array.from({ length: 1_000 }, (_, index) => other.setData(path, String(index + 1))));
    const seen = await within(reading, { what: 'the last value' });
    expect(seen).toEqual([...new Set(seen)].sort((a, b) => a - b));
    expect(cache.current?.value).toBe(1_000);
  });

  it('ends where the znode may not be read, or is made again so', async () => {
    const hidden = { acl: [acl.digest('somebody', 'else')] };
    const path = `${await clients.folder()}/a`;
    await clients.zk.create(path, '1', hidden);
    await expect(NodeCache.open(clients.zk, path)).rejects.toThrow(NoAuthError);
    await clients.zk.transaction().delete(path).create(path, '1').commit();
    await using cache = await NodeCache.open(clients.zk, path);
    const changes = cache[Symbol.asyncIterator]();
    expect([(await changes.next()).value?.type, (await changes.next()).value?.type]).toEqual(['added', 'ready']);
    // Its deletion is what is told: of what may not be read, servers tell nothing.
    await clients.zk.transaction().delete(path).create(path, '2', hidden).commit();
    expect((await changes.next()).value?.type).toBe('removed');
    const failure = await failureOf(changes.next());
    expect(failure).toBeInstanceOf(NoAuthError);
    expect([cache.failure, cache.current]).toEqual([failure, undefined]);
  });

  it('takes the options of data, and no others', () => {
    const { zk } = clients;
    expect(() => new NodeCache(zk, '/a', { depth: 1 } as object)).toThrow(
      'NodeCache /a: there is no option "depth"; known are decode, compression',
    );
  });
});
