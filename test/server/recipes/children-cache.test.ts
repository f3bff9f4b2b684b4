import { describe, expect, it } from '@jest/globals';
import { CacheFullError, ChildrenCache } from 'zookit/recipes';
import { knows } from '../../support/features.js';
import { sharedServer } from '../../support/shared.js';
import { until } from '../../support/until.js';
import { watchedPaths } from '../../support/watches.js';
import { useClients } from '../clients.js';

const clients = useClients();

describe.each(['auto', 'oneShot'] as const)('a cache of children, by watches: %s', (watches) => {
  it('has the children with their data, and nothing of the parent or of what is below', async () => {
    const path = await clients.folder();
    const { zk } = clients;
    await zk.setData(path, 'parent');
    for (const name of ['a', 'b']) await zk.create(`${path}/${name}`, name);
    await zk.create(`${path}/a/deep`, 'x');
    const decoded: string[] = [];
    const decode = (node: { text(): string }, at: string): string => {
      decoded.push(at.slice(path.length));
      return node.text().toUpperCase();
    };
    await using cache = await ChildrenCache.open(zk, path, { watches, decode });
    const texts = (): Record<string, unknown> =>
      Object.fromEntries([...cache].map(([name, { value }]) => [name, value]));
    expect([texts(), cache.size, cache.has('a'), cache.has('deep')]).toEqual([{ a: 'A', b: 'B' }, 2, true, false]);
    expect([cache.get('a')?.path, cache.parent?.dataLength, decoded.sort()]).toEqual([`${path}/a`, 6, ['/a', '/b']]);

    const told: string[] = [];
    cache.on('change', (change) => told.push('path' in change ? `${change.type} ${change.path}` : change.type));
    await zk.setData(path, 'other');
    await zk.setData(`${path}/a/deep`, 'y');
    await zk.create(`${path}/a/deeper`, 'y');
    await zk.create(`${path}/c`, 'c');
    await until(() => cache.has('c'), { what: 'the new child' });
    await zk.delete(`${path}/b`);
    await until(() => !cache.has('b'), { what: 'the child to go' });
    expect(told).toEqual([`added ${path}/c`, `removed ${path}/b`]);
    expect(texts()).toEqual({ a: 'A', c: 'C' });
  });

  it('is empty where the parent is missing, and fills when it comes', async () => {
    const path = `${await clients.folder()}/none`;
    await using cache = await ChildrenCache.open(clients.zk, path, { watches });
    expect([cache.size, cache.parent, cache.stale]).toEqual([0, undefined, false]);
    for (let round = 0; round < 3; round++) {
      await clients.zk.create(`${path}/a`, String(round), { parents: true });
      await until(() => cache.get('a')?.node.text() === String(round), { what: 'the child' });
      expect(cache.parent).toBeDefined();
      await clients.zk.deleteTree(path);
      await until(() => cache.size === 0 && cache.parent === undefined, { what: 'the end of both' });
    }
  });

  it('holds so many, not counting the parent; the filter counts first', async () => {
    const path = await clients.folder();
    for (const name of ['a', 'b', 'c']) await clients.zk.create(`${path}/${name}`);
    await using cache = await ChildrenCache.open(clients.zk, path, { watches, maxNodes: 3 });
    expect(cache.size).toBe(3);
    const opening = ChildrenCache.open(clients.zk, path, { watches, maxNodes: 2 });
    await expect(opening).rejects.toThrow(CacheFullError);
    await expect(opening).rejects.toThrow('there are more than 2 znodes');
    const filter = (child: string): boolean => !child.endsWith('c');
    await using filtered = await ChildrenCache.open(clients.zk, path, { watches, maxNodes: 2, filter });
    expect([...filtered.children().keys()].sort()).toEqual(['a', 'b']);
  });

  it('G3: has all of 10,000 children, and never more than a few reads under way', async () => {
    const path = await clients.folder();
    const zk = await clients.another({ maxReplyBytes: 4 * 1024 * 1024 });
    const other = await clients.another();
    for (let from = 0; from < 10_000; from += 1_000) {
      const transaction = other.transaction();
      for (let index = from; index < from + 1_000; index++) transaction.create(`${path}/child-${index}`);
      await transaction.commit();
    }
    let most = 0;
    const cache = new ChildrenCache(zk, path, { watches });
    await using _ = cache;
    cache.on('added', () => (most = Math.max(most, zk.toJSON().inFlight)));
    await cache.ready();
    expect([cache.size, cache.get('child-9999')?.path]).toEqual([10_000, `${path}/child-9999`]);
    expect(most).toBeLessThanOrEqual(128);
    await cache.close();
    expect(zk.watches()).toEqual([]);
    if (knows('removeWatches')) {
      await until(async () => (await watchedPaths(sharedServer(), clients.chroot + path)).length === 0, {
        what: 'the server to have no watch',
        timeout: 20_000,
      });
    }
  }, 60_000);
});

it('takes no depth', () => {
  expect(() => new ChildrenCache(clients.zk, '/a', { depth: 1 } as object)).toThrow(/there is no option "depth"/);
});
