import { gunzipSync } from 'node:zlib';
import { ZNode, ZooKeeperError } from 'zookit';

/** The most bytes that the data of one znode may unpack to: a few kilobytes of gzip can be made to fill all memory. */
export const MOST_UNPACKED = 64 * 1024 * 1024;

/** What the data of znodes are taken for. */
export interface DecodingOptions<T> {
  /**
   * Makes the value out of a znode, such as `(node) => node.json<Config>()`. What it throws marks that znode as `invalid`,
   * which keeps its last good value. Default: the value is the data.
   */
  readonly decode?: ((node: ZNode, path: string) => T) | undefined;
  /** How the data are packed; what is empty is not (Curator: GzipCompressionProvider). Default: they are not. */
  readonly compression?: 'gzip' | undefined;
}

/** The data of a znode cannot be unpacked, or its decoder does not take them. */
export class InvalidZNodeError extends ZooKeeperError {
  readonly code = 'INVALID_ZNODE';
}

interface Known {
  readonly path: string;
  /** Data, unpacked, and stat, as they were read together. */
  readonly node: ZNode;
}

interface Valid<T> extends Known {
  readonly value: T;
  readonly invalid?: undefined;
}

interface Invalid<T> extends Known {
  /** The last good value; undefined if there was none. */
  readonly value: T | undefined;
  /** What is wrong with the data that the znode holds. */
  readonly invalid: InvalidZNodeError;
}

/** A znode in a cache, as it was read. Never changed: after a change there is another one. */
export type CachedZNode<T> = Valid<T> | Invalid<T>;

/** Makes what is cached out of what was read; `last` is what was cached of the znode so far. */
export function decodeZNode<T>(
  path: string,
  read: ZNode,
  last: CachedZNode<T> | undefined,
  options: DecodingOptions<T>,
): CachedZNode<T> {
  let node = read;
  try {
    node = unpacked(read, options);
    return { path, node, value: options.decode === undefined ? (node.data as T) : options.decode(node, path) };
  } catch (cause) {
    const problem = node === read && options.compression !== undefined ? 'not unpacked' : 'not decoded';
    const invalid = new InvalidZNodeError(`the data could be ${problem}`, { operation: 'cache', path, cause });
    return { path, node, value: last?.value, invalid };
  }
}

function unpacked<T>(node: ZNode, { compression }: DecodingOptions<T>): ZNode {
  if (compression === undefined || node.data.length === 0) return node;
  return new ZNode(gunzipSync(node.data, { maxOutputLength: MOST_UNPACKED }), node.stat);
}
