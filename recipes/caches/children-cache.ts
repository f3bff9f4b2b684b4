import { childPath, nameOf, type Stat, type WaitOptions, type ZooKeeper } from 'zookit';
import type { CachedZNode } from './cached-znode.js';
import { type CacheOptions, cacheNames } from './options.js';
import { opened, ZNodeCache } from './znode-cache.js';

/**
 * The children of a znode with their data, in memory, kept current by watches (Curator: PathChildrenCache; kazoo:
 * ChildrenWatch). What is below the children is not read, nor are the data of the znode itself.
 *
 * With servers from 3.6 on, by one persistent recursive watch; where much goes on below the children, which it tells of
 * in vain, `watches: 'oneShot'` is cheaper.
 */
export class ChildrenCache<T = Buffer> extends ZNodeCache<T> implements Iterable<[string, CachedZNode<T>]> {
  /** @throws InvalidPathError, InvalidArgumentError. Begins with {@link start} or {@link ready}. */
  constructor(zk: ZooKeeper, path: string, options: CacheOptions<T> = {}) {
    super(zk, path, options, {
      name: 'ChildrenCache',
      optionNames: cacheNames,
      withRoot: false,
      fixed: { depth: 1 },
    });
  }

  /** A cache that has begun, and is ready. @throws as {@link ready}; the cache is then closed. */
  static async open<T = Buffer>(
    zk: ZooKeeper,
    path: string,
    options: CacheOptions<T> & WaitOptions = {},
  ): Promise<ChildrenCache<T>> {
    const { timeout, signal, ...rest } = options;
    return await opened(new ChildrenCache<T>(zk, path, rest), { timeout, signal });
  }

  /** A child by its name; undefined where it is not in the cache. */
  get(name: string): CachedZNode<T> | undefined {
    return this.tree.get(childPath(this.path, name));
  }

  /** Whether a child is in the cache. */
  has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  /** The children by name, as they are now. */
  children(): Map<string, CachedZNode<T>> {
    return new Map(this);
  }

  /** How many children are in the cache. */
  get size(): number {
    return this.tree.size - (this.tree.has(this.path) ? 1 : 0);
  }

  /** The stat of the znode itself as it was read last; undefined where there is none. Its children may be newer. */
  get parent(): Stat | undefined {
    return this.tree.get(this.path)?.node.stat;
  }

  /** All children with their names. */
  *[Symbol.iterator](): Generator<[string, CachedZNode<T>], undefined> {
    for (const znode of this.known()) yield [nameOf(znode.path), znode];
  }
}
