import type { WaitOptions, ZooKeeper } from 'zookit';
import type { CachedZNode, DecodingOptions } from './cached-znode.js';
import { decodingNames } from './options.js';
import { opened, ZNodeCache } from './znode-cache.js';

/**
 * One znode, in memory, kept current by watches (Curator: NodeCache; kazoo: DataWatch). That it is missing is a value,
 * too. One-shot watches serve it on every release of the server: the read that each change costs leaves the next one.
 */
export class NodeCache<T = Buffer> extends ZNodeCache<T> {
  /** @throws InvalidPathError, InvalidArgumentError. Begins with {@link start} or {@link ready}. */
  constructor(zk: ZooKeeper, path: string, options: DecodingOptions<T> = {}) {
    super(zk, path, options, {
      name: 'NodeCache',
      optionNames: decodingNames,
      withRoot: true,
      fixed: { depth: 0, watches: 'oneShot' },
    });
  }

  /** A cache that has begun, and is ready. @throws as {@link ready}; the cache is then closed. */
  static async open<T = Buffer>(
    zk: ZooKeeper,
    path: string,
    options: DecodingOptions<T> & WaitOptions = {},
  ): Promise<NodeCache<T>> {
    const { timeout, signal, ...rest } = options;
    return await opened(new NodeCache<T>(zk, path, rest), { timeout, signal });
  }

  /** The znode as it was read last; undefined where there is none. */
  get current(): CachedZNode<T> | undefined {
    return this.tree.get(this.path);
  }
}
