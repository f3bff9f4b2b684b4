import { gzipSync } from 'node:zlib';
import { describe, expect, it, test } from '@jest/globals';
import { acl, type ZooKeeper } from 'zookit';
import { CacheFullError, InvalidZNodeError, TreeCache, type TreeCacheOptions } from 'zookit/recipes';
import { knows, needs } from '../../support/features.js';
import { sharedServer } from '../../support/shared.js';
import { until, within } from '../../support/until.js';
import { watchedPaths } from '../../support/watches.js';
import { changeLog, contents, randomChanges, sameAsServer, serverContents } from '../../support/caches.js';
import { failureOf, useClients } from '../clients.js';

const clients = useClients();
const hidden = { acl: [acl.digest('somebody', 'else')] };

/** The texts of a tree, path by path. */
async function plant(tree: Readonly<Record<string, string | null>>): Promise<string> {
  const root = await clients.folder();
  for (const [path, data] of Object.entries(tree)) await clients.zk.create(root + path, data);
  return root;
}

async function settled(cache: TreeCache<unknown>, zk: ZooKeeper = clients.zk): Promise<void> {
  await until(() => sameAsServer(cache, zk), { what: 'the cache to be as the server' });
}

describe.each(['auto', 'oneShot'] as const)('a tree, by watches: %s', (watches) => {
  const open = (path: string, options: TreeCacheOptions<Buffer> = {}): Promise<TreeCache> =>
    TreeCache.open(clients.zk, path, { watches, ...options });

  it('is complete when it is ready', async () => {
    const root = await plant({ '/a': '1', '/a/b': '2', '/a/b/c': '3', '/d': null });
    await using cache = await open(root);
    expect([cache.size, cache.stale, cache.failure]).toEqual([5, false, undefined]);
    expect(cache.get(`${root}/a/b`)?.node.text()).toBe('2');
    expect(cache.get(`${root}/a/b`)?.value?.toString()).toBe('2');
    expect(cache.get(`${root}/a`)?.node.stat).toEqual((await clients.zk.getData(`${root}/a`)).stat);
    expect([...(cache.children(root) ?? [])].map(([name, { path }]) => [name, path]).sort()).toEqual([
      ['a', `${root}/a`],
      ['d', `${root}/d`],
    ]);
    expect([cache.children(`${root}/d`), cache.children(`${root}/none`)]).toEqual([new Map(), undefined]);
    expect([cache.get(`${root}/none`), cache.has(`${root}/none`), cache.has(`${root}/d`)]).toEqual([
      undefined,
      false,
      true,
    ]);
    expect(Array.from(cache, ({ path }) => path)).toEqual(
      expect.arrayContaining([root, `${root}/a`, `${root}/a/b`, `${root}/a/b/c`, `${root}/d`]),
    );
  });

  it('tells of each change, with data, stat and what was before', async () => {
    const root = await plant({ '/a': '1' });
    await using cache = await open(root);
    const log = changeLog(cache);
    await clients.zk.setData(`${root}/a`, '2');
    await log.until('changed /a 1 -> 2');
    await clients.zk.create(`${root}/b`, 'x');
    await log.until('added /b x');
    await clients.zk.create(`${root}/b/c`, 'y');
    await log.until('added /b/c y');
    await clients.zk.delete(`${root}/b/c`);
    await log.until('removed /b/c y');
    expect(log.all).toEqual(['changed /a 1 -> 2', 'added /b x', 'added /b/c y', 'removed /b/c y']);
  });

  it('M5: a root that is missing, comes, goes and comes again, with its parents, is followed', async () => {
    const folder = await clients.folder();
    const root = `${folder}/p/root`;
    await using cache = await open(root);
    expect([cache.size, cache.stale, cache.get(root)]).toEqual([0, false, undefined]);
    for (let round = 0; round < 3; round++) {
      await clients.zk.create(`${root}/a`, String(round), { parents: true });
      await until(() => cache.get(`${root}/a`)?.node.text() === String(round), { what: 'the child' });
      expect(cache.size).toBe(2);
      await clients.zk.deleteTree(`${folder}/p`);
      await until(() => cache.size === 0, { what: 'the cache to be empty' });
    }
  });

  it('a znode that is deleted and made again is another one, whatever its version', async () => {
    const root = await plant({ '/a': '1', '/a/b': 'x' });
    await using cache = await open(root);
    const log = changeLog(cache);
    const transaction = clients.zk.transaction().delete(`${root}/a/b`).delete(`${root}/a`);
    await transaction.create(`${root}/a`, '1').create(`${root}/a/b`, 'x').commit();
    await log.until('added /a/b x');
    expect(log.all).toEqual(['removed /a/b x', 'removed /a 1', 'added /a 1', 'added /a/b x']);
  });

  it('created-deleted-created storms end with what there is', async () => {
    const root = await plant({});
    await using cache = await open(root);
    const other = await clients.another();
    const path = `${root}/storm`;
    for (let round = 0; round < 50; round++) {
      void other.create(path, String(round));
      void other.create(`${path}/child`, String(round));
      void other.delete(`${path}/child`);
      void other.delete(path);
    }
    await other.create(path, 'last');
    await until(() => cache.get(path)?.node.text() === 'last', { what: 'the last one' });
    await settled(cache);
  });

  it('M1: after 1,000 writes has the last one, and the values that were told are in order', async () => {
    const root = await plant({ '/a': '0' });
    await using cache = await open(root);
    const seen: number[] = [];
    cache.on('changed', ({ znode }) => seen.push(Number(znode.node.text())));
    const other = await clients.another();
    await Promise.all(Array.from({ length: 1_000 }, (_, index) => other.setData(`${root}/a`, String(index + 1))));
    await until(() => cache.get(`${root}/a`)?.node.text() === '1000', { what: 'the last value' });
    expect(seen.at(-1)).toBe(1_000);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(new Set(seen).size).toBe(seen.length);
  });

  it('M8: after 1,000 random changes by another client is as the server, each znode told in order', async () => {
    const root = await plant({});
    await using cache = await open(root);
    const log = changeLog(cache);
    await randomChanges(await clients.another(), root, 1_000);
    await settled(cache);
    expect(log.problems).toEqual([]);
    expect(log.replayed()).toEqual(await serverContents(clients.zk, root));
  });

  it('M8: the same while it loads', async () => {
    const root = await plant({});
    const other = await clients.another();
    await randomChanges(other, root, 200);
    const changing = randomChanges(other, root, 500);
    const cache = new TreeCache(clients.zk, root, { watches });
    await using _ = cache;
    const log = changeLog(cache);
    await cache.ready({ timeout: 20_000 });
    await changing;
    await settled(cache);
    expect(log.problems).toEqual([]);
    expect(log.replayed()).toEqual(await serverContents(clients.zk, root));
  });

  it('is ready while others write without a pause', async () => {
    const root = await plant({ '/a': '0' });
    const other = await clients.another();
    let over = false;
    const writing = (async () => {
      while (!over) await other.setData(`${root}/a`, 'x');
    })();
    await using cache = await open(root);
    expect(cache.size).toBe(2);
    over = true;
    await writing;
  });

  it('goes no deeper than it is told, and leaves out what the filter refuses', async () => {
    const root = await plant({ '/a': '1', '/a/b': '2', '/a/b/c': '3', '/x': '4', '/x/y': '5' });
    const relative = (cache: TreeCache): string[] => Array.from(cache, ({ path }) => path.slice(root.length)).sort();
    await using alone = await open(root, { depth: 0 });
    await using shallow = await open(root, { depth: 2 });
    const asked: string[] = [];
    const filter = (path: string): boolean => {
      asked.push(path.slice(root.length));
      return !path.endsWith('/x') && !path.endsWith('/z');
    };
    await using filtered = await open(root, { filter });
    expect([relative(alone), relative(shallow), relative(filtered)]).toEqual([
      [''],
      ['', '/a', '/a/b', '/x', '/x/y'],
      ['', '/a', '/a/b', '/a/b/c'],
    ]);
    await clients.zk.create(`${root}/z`, '1');
    await clients.zk.create(`${root}/z/z`, '1');
    await clients.zk.create(`${root}/a/b/c/d`, '1');
    await clients.zk.create(`${root}/last`, '1');
    for (const cache of [shallow, filtered])
      await until(() => cache.has(`${root}/last`), { what: 'what was created last' });
    expect(relative(shallow)).toEqual(['', '/a', '/a/b', '/last', '/x', '/x/y', '/z', '/z/z']);
    await until(() => filtered.has(`${root}/a/b/c/d`), { what: 'what is deeper' });
    expect(relative(filtered)).toEqual(['', '/a', '/a/b', '/a/b/c', '/a/b/c/d', '/last']);
    expect([relative(alone), asked.filter((path) => path.startsWith('/x/') || path === '')]).toEqual([[''], []]);
  });

  it('leaves out what it may not read, tells so once, and has the rest', async () => {
    const root = await plant({ '/a': '1', '/b': '2' });
    await clients.zk.create(`${root}/secret`, 's', hidden);
    const cache = new TreeCache(clients.zk, root, { watches });
    await using _ = cache;
    const told: string[] = [];
    cache.on('unreadable', ({ path, error }) => told.push(`${path.slice(root.length)} ${error.constructor.name}`));
    await cache.ready();
    expect([cache.size, cache.failure, told]).toEqual([3, undefined, ['/secret NoAuthError']]);
    await clients.zk.create(`${root}/c`, '3');
    await until(() => cache.has(`${root}/c`), { what: 'the next one' });
    expect(told).toHaveLength(1);
    await clients.zk.delete(`${root}/secret`);
    await clients.zk.create(`${root}/secret`, 'open');
    await until(() => cache.get(`${root}/secret`)?.node.text() === 'open', { what: 'what can be read now' });
  });

  it('ends where its root may not be read', async () => {
    const root = `${await clients.folder()}/secret`;
    await clients.zk.create(root, 's', hidden);
    await expect(open(root)).rejects.toMatchObject({ code: 'NO_AUTH' });
  });

  it('ends with CacheFullError where there is more than it may hold', async () => {
    const root = await plant({ '/a': '12345', '/b': '12345' });
    await expect(open(root, { maxNodes: 2 })).rejects.toThrow(CacheFullError);
    await expect(open(root, { maxBytes: 9 })).rejects.toThrow(CacheFullError);
    await using cache = await open(root, { maxNodes: 3, maxBytes: 10 });
    const ended = new Promise((resolve) => cache.on('failed', resolve));
    const reading = (async () => {
      for await (const _ of cache) continue;
    })();
    await clients.zk.setData(`${root}/a`, '123456');
    const failure = await failureOf(within(reading, { what: 'the end' }));
    expect(failure).toMatchObject({ code: 'CACHE_FULL', path: root });
    expect([await ended, cache.failure, await failureOf(cache.ready())]).toEqual([failure, failure, failure]);
    expect([cache.stale, cache.size]).toEqual([true, 3]);
  });

  it('a filter that throws ends it', async () => {
    const root = await plant({ '/a': '1' });
    const filter = (path: string): boolean => {
      if (path.endsWith('/b')) throw new TypeError('no');
      return true;
    };
    await using cache = await open(root, { filter });
    const ended = new Promise((resolve) => cache.on('failed', resolve));
    await clients.zk.create(`${root}/b`);
    expect(await within(ended, { what: 'the failure' })).toBeInstanceOf(TypeError);
  });

  it('of a view has the paths of the view, the root among them', async () => {
    const root = await plant({ '/a': '1', '/a/b': '2' });
    const view = clients.zk.chroot(root);
    await using cache = await TreeCache.open(view, '/', { watches });
    expect(contents(cache)).toEqual({ '/': '', '/a': '1', '/a/b': '2' });
    await clients.zk.create(`${root}/c`, '3');
    await until(() => cache.get('/c')?.node.text() === '3', { what: 'the new one' });
    await clients.zk.deleteTree(root);
    await until(() => cache.size === 0, { what: 'the end of the root' });
    await clients.zk.create(root, 'again');
    await until(() => cache.get('/')?.node.text() === 'again', { what: 'the root' });
  });

  it('close takes the watches and the listeners away', async () => {
    const root = await plant({ '/a': '1', '/a/b': '2' });
    const zk = await clients.another();
    const listeners = (): number => zk.watches().reduce((sum, each) => sum + each.listeners, 0);
    const cache = await TreeCache.open(zk, root, { watches });
    expect(listeners()).toBeGreaterThan(0);
    const reading = (async () => {
      for await (const _ of cache) continue;
    })();
    await cache.close();
    await within(reading, { what: 'the end of the iteration' });
    expect(listeners()).toBe(0);
    await zk.sync('/');
    if (knows('removeWatches')) {
      await until(async () => (await watchedPaths(sharedServer(), clients.chroot + root)).length === 0, {
        what: 'the server to have no watch',
      });
    }
    await clients.zk.setData(`${root}/a`, 'late');
    await zk.sync('/');
    expect([cache.get(`${root}/a`)?.node.text(), cache.size, cache.stale]).toEqual(['1', 3, true]);
    await cache.close();
    expect(await failureOf(cache.ready())).toMatchObject({ code: 'CLOSED' });
  });

  it('M7: close during the first load leaves nothing', async () => {
    const root = await plant({});
    const other = await clients.another();
    await Promise.all(Array.from({ length: 500 }, (_, index) => other.create(`${root}/n-${index}`, 'x')));
    const zk = await clients.another();
    for (let round = 0; round < 10; round++) {
      const cache = new TreeCache(zk, root, { watches });
      let told = 0;
      cache.on('change', () => {
        told++;
      });
      const ready = failureOf(cache.ready());
      if (round > 0) await until(() => told >= 2 ** round / 2, { what: 'some of it', interval: 1 });
      await cache.close();
      const toldAtEnd = told;
      expect(await ready).toMatchObject({ code: 'CLOSED' });
      await zk.sync('/');
      expect([told, zk.watches()]).toEqual([toldAtEnd, []]);
    }
    if (knows('removeWatches')) {
      await until(async () => (await watchedPaths(sharedServer(), clients.chroot + root)).length === 0, {
        what: 'the server to have no watch',
      });
    }
  });

  needs('removeWatches')('goes on when somebody removes its watches', async () => {
    const root = await plant({ '/a': '1' });
    const zk = await clients.another();
    await using cache = await TreeCache.open(zk, root, { watches });
    await zk.removeWatches(root);
    await clients.zk.create(`${root}/b`, '2');
    await until(() => cache.has(`${root}/b`), { what: 'the new one' });
    await until(() => !cache.stale, { what: 'it to be current' });
  });
});

describe('the iteration', () => {
  it('begins with what is there, parents first, and ends with a break', async () => {
    const root = await plant({ '/a': '1', '/a/b': '2' });
    await using cache = await TreeCache.open(clients.zk, root);
    const seen: string[] = [];
    for await (const change of cache) {
      seen.push('path' in change ? `${change.type} ${change.path.slice(root.length)}` : change.type);
      if (change.type === 'ready') await clients.zk.create(`${root}/c`);
      if (seen.length === 5) break;
    }
    expect(seen).toEqual(['added ', 'added /a', 'added /a/b', 'ready', 'added /c']);
  });

  it('begins a cache that was not begun', async () => {
    const root = await plant({ '/a': '1' });
    await using cache = new TreeCache(clients.zk, root);
    const seen: string[] = [];
    for await (const change of cache) {
      seen.push(change.type);
      if (change.type === 'ready') break;
    }
    expect(seen).toEqual(['added', 'added', 'ready']);
  });

  it('ends an iteration that waits, by return', async () => {
    await using cache = await TreeCache.open(clients.zk, await clients.folder());
    const changes = cache[Symbol.asyncIterator]();
    expect([(await changes.next()).value?.type, (await changes.next()).value?.type]).toEqual(['added', 'ready']);
    const next = changes.next();
    await changes.return?.();
    expect(await next).toEqual({ done: true, value: undefined });
    expect(await changes.next()).toEqual({ done: true, value: undefined });
  });
});

describe('data', () => {
  it('are decoded; M9: what cannot be is marked, and keeps its last good value', async () => {
    const root = await plant({ '/a': '{"n":1}', '/bad': '{' });
    const decode = (node: { json(): unknown }, path: string): number =>
      path === root ? 0 : (node.json() as { n: number }).n;
    await using cache = await TreeCache.open(clients.zk, root, { decode });
    expect(cache.get(`${root}/a`)).toMatchObject({ value: 1 });
    expect(cache.get(`${root}/a`)?.invalid).toBeUndefined();
    const bad = cache.get(`${root}/bad`);
    expect([bad?.value, bad?.invalid?.code, bad?.node.text()]).toEqual([undefined, 'INVALID_ZNODE', '{']);
    await clients.zk.setData(`${root}/a`, 'no');
    await until(() => cache.get(`${root}/a`)?.invalid !== undefined, { what: 'the mark' });
    const marked = cache.get(`${root}/a`);
    expect([marked?.value, marked?.invalid?.cause]).toEqual([1, expect.any(SyntaxError)]);
    expect(marked?.invalid).toBeInstanceOf(InvalidZNodeError);
    await clients.zk.setData(`${root}/a`, '{"n":2}');
    await until(() => cache.get(`${root}/a`)?.value === 2, { what: 'the next good value' });
    expect([cache.get(`${root}/a`)?.invalid, cache.failure]).toEqual([undefined, undefined]);
  });

  it('are unpacked where they are said to be gzip; none are none', async () => {
    const root = await plant({ '/empty': '', '/none': null, '/plain': 'text' });
    await clients.zk.create(`${root}/a`, gzipSync('packed'));
    await using cache = await TreeCache.open(clients.zk, root, { compression: 'gzip' });
    const of = (name: string) => cache.get(`${root}/${name}`);
    expect([of('a')?.node.text(), of('empty')?.node.text(), of('none')?.node.isNull]).toEqual(['packed', '', true]);
    expect([of('plain')?.invalid?.code, of('plain')?.node.text()]).toEqual(['INVALID_ZNODE', 'text']);
    expect(of('a')?.node.stat.dataLength).toBe(gzipSync('packed').length);
  });
});

test('one persistent watch does, and a server without it is asked for nothing that it does not know', async () => {
  const root = await plant({ '/a': '1', '/a/b': '2' });
  const zk = await clients.another();
  await using cache = await TreeCache.open(zk, root);
  expect(cache.size).toBe(3);
  const kinds = zk.watches().map(({ kind, path }) => `${kind} ${path.slice(root.length)}`);
  if (knows('addWatch')) expect(kinds).toEqual(['recursive ']);
  else expect(kinds.sort()).toEqual(['children ', 'children /a', 'children /a/b', 'data ', 'data /a', 'data /a/b']);
  expect(zk.metrics().connections).toMatchObject({ connected: 1, reconnected: 0 });
});

test('arguments are checked at once', () => {
  const { zk } = clients;
  const failure = (options: object, path = '/x'): unknown => {
    try {
      return new TreeCache(zk, path, options).size;
    } catch (error) {
      return (error as Error).message;
    }
  };
  expect(failure({}, 'x')).toMatch(/TreeCache x: /);
  expect(failure({ maxnodes: 1 })).toMatch(/there is no option "maxnodes"; known are decode, compression, /);
  expect(failure({ depth: -1 })).toBe('TreeCache /x: depth is -1; it must be a whole number, 0 or more');
  expect(failure({ maxNodes: 0 })).toBe('TreeCache /x: maxNodes is 0; it must be a whole number, 1 or more');
  expect(failure({ filter: 1 })).toBe('TreeCache /x: filter is no function');
  expect(failure({ compression: 'zip' })).toBe('TreeCache /x: compression is zip; it must be "gzip"');
  expect(failure({ watches: 'none' })).toBe('TreeCache /x: watches is none; it must be "auto" or "oneShot"');
  expect(failure({ depth: Infinity, maxNodes: Infinity, maxBytes: 0 })).toBe(0);
});
