import { InvalidArgumentError, ZooKeeperError } from 'zookit';
import { checkNames, type OptionSubject } from '../common/options.js';
import type { DecodingOptions } from './cached-znode.js';

/** What a cache of several znodes can be told. */
export interface CacheOptions<T> extends DecodingOptions<T> {
  /** The most znodes that it may hold. One more ends it with CacheFullError. Default: no limit. */
  readonly maxNodes?: number | undefined;
  /** The most bytes of data that it may hold, unpacked. More end it with CacheFullError. Default: no limit. */
  readonly maxBytes?: number | undefined;
  /**
   * Which znodes belong to the cache, asked by path, with the same answer each time. What is refused is left out with all
   * below it, and is not read. What it throws ends the cache. Default: all.
   */
  readonly filter?: ((path: string) => boolean) | undefined;
  /**
   * How changes are learned of: by one persistent recursive watch, where the server has them (3.6), else by one-shot
   * watches, one or two for each znode; or always by those. Default `'auto'`.
   */
  readonly watches?: 'auto' | 'oneShot' | undefined;
}

/** What a cache of a tree can be told. */
export interface TreeCacheOptions<T> extends CacheOptions<T> {
  /** How many levels below the root; 0 is the root alone. Default: all. */
  readonly depth?: number | undefined;
}

export const decodingNames = ['decode', 'compression'] as const satisfies readonly (keyof DecodingOptions<never>)[];
export const cacheNames = [
  ...decodingNames,
  ...(['maxNodes', 'maxBytes', 'filter', 'watches'] as const),
] as const satisfies readonly (keyof CacheOptions<never>)[];
export const treeCacheNames = [...cacheNames, 'depth'] as const satisfies readonly (keyof TreeCacheOptions<never>)[];

/** There is more than a cache may hold. It has ended: a part would be taken for the whole. */
export class CacheFullError extends ZooKeeperError {
  readonly code = 'CACHE_FULL';
}

/** Refuses what is no option of a cache. */
export function checkCacheOptions(
  options: TreeCacheOptions<unknown>,
  known: readonly string[],
  subject: OptionSubject,
): void {
  checkNames(options, known, subject);
  const { decode, filter, compression, watches } = options;
  for (const [name, value] of Object.entries({ decode, filter }))
    if (value !== undefined && typeof value !== 'function')
      throw new InvalidArgumentError(`${name} is no function`, subject);
  if (compression !== undefined && compression !== 'gzip')
    throw new InvalidArgumentError(`compression is ${String(compression)}; it must be "gzip"`, subject);
  if (watches !== undefined && watches !== 'auto' && watches !== 'oneShot')
    throw new InvalidArgumentError(`watches is ${String(watches)}; it must be "auto" or "oneShot"`, subject);
  for (const [name, least] of [
    ['depth', 0],
    ['maxNodes', 1],
    ['maxBytes', 0],
  ] as const) {
    const value = options[name];
    if (value === undefined || value === Infinity || (Number.isInteger(value) && value >= least)) continue;
    throw new InvalidArgumentError(`${name} is ${String(value)}; it must be a whole number, ${least} or more`, subject);
  }
}
