import { checkPath, type WaitOptions, type ZooKeeper } from 'zookit';
import type { CachedZNode } from './cached-znode.js';
import { type TreeCacheOptions, treeCacheNames } from './options.js';
import { opened, ZNodeCache } from './znode-cache.js';

/**
 * A znode and all below it, in memory, kept current by watches (Curator: CuratorCache and TreeCache; kazoo: TreeCache).
 *
 * With servers from 3.6 on, by one persistent recursive watch: a write costs one event and one read, and a deletion one
 * event. Else by one-shot watches: two for each znode, and a read for each event.
 */
export class TreeCache<T = Buffer> extends ZNodeCache<T> implements Iterable<CachedZNode<T>> {
  /** @throws InvalidPathError, InvalidArgumentError. Begins with {@link start} or {@link ready}. */
  constructor(zk: ZooKeeper, path: string, options: TreeCacheOptions<T> = {}) {
    super(zk, path, options, { name: 'TreeCache', optionNames: treeCacheNames, withRoot: true });
  }

  /** A cache that has begun, and is ready. @throws as {@link ready}; the cache is then closed. */
  static async open<T = Buffer>(
    zk: ZooKeeper,
    path: string,
    options: TreeCacheOptions<T> & WaitOptions = {},
  ): Promise<TreeCache<T>> {
    const { timeout, signal, ...rest } = options;
    return await opened(new TreeCache<T>(zk, path, rest), { timeout, signal });
  }

  /** A znode by its path, as in every call of the client; undefined where it is not in the cache. @throws InvalidPathError. */
  get(path: string): CachedZNode<T> | undefined {
    checkPath(path, 'TreeCache.get');
    return this.tree.get(path);
  }

  /** Whether a znode is in the cache. @throws InvalidPathError. */
  has(path: string): boolean {
    checkPath(path, 'TreeCache.has');
    return this.tree.has(path);
  }

  /** The children of a znode by name, as they are now; undefined where it is not in the cache. @throws InvalidPathError. */
  children(path: string): Map<string, CachedZNode<T>> | undefined {
    checkPath(path, 'TreeCache.children');
    return this.tree.children(path);
  }

  /** How many znodes are in the cache. */
  get size(): number {
    return this.tree.size;
  }

  /** All znodes, parents before their children. */
  [Symbol.iterator](): Iterator<CachedZNode<T>, undefined> {
    return this.known();
  }
}
