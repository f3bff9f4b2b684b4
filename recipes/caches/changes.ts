import type { CachedZNode } from './cached-znode.js';

/** A znode is in the cache that was not: new, or new to the cache. Its parent came before it. */
export interface ZNodeAdded<T> {
  readonly type: 'added';
  readonly path: string;
  readonly znode: CachedZNode<T>;
}

/** The data of a znode were written. */
export interface ZNodeChanged<T> {
  readonly type: 'changed';
  readonly path: string;
  readonly znode: CachedZNode<T>;
  readonly previous: CachedZNode<T>;
}

/** A znode is gone, after all that was below it. One that was deleted and made again is `removed`, then `added`. */
export interface ZNodeRemoved<T> {
  readonly type: 'removed';
  readonly path: string;
  /** What was known of it last. */
  readonly znode: CachedZNode<T>;
}

/**
 * A znode cannot be read, as a rule because its ACL forbids it: it is left out, with all below it. Told once, until it
 * could be read again.
 */
export interface ZNodeUnreadable {
  readonly type: 'unreadable';
  readonly path: string;
  readonly error: Error;
}

/** All that was there at the beginning is in the cache. Once. */
export interface CacheReady {
  readonly type: 'ready';
}

/** After a lost connection or session: the cache has caught up, and what was missed has been told before this. */
export interface CacheResync {
  readonly type: 'resync';
}

/** What a cache tells. */
export type CacheChange<T> =
  ZNodeAdded<T> | ZNodeChanged<T> | ZNodeRemoved<T> | ZNodeUnreadable | CacheReady | CacheResync;

/**
 * The changes by name; `change` stands for all of them, `failed` tells what has ended the cache, and `stale` whether it may
 * be out of date, whenever that has changed.
 */
export type CacheEventMap<T> = { [Change in CacheChange<T> as Change['type']]: Change } & {
  readonly change: CacheChange<T>;
  readonly failed: Error;
  readonly stale: boolean;
};
