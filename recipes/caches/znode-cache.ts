import { checkPath, ClosedError, type WaitOptions, type ZooKeeper } from 'zookit';
import { timeOfDay } from '../common/waiting.js';
import type { CachedZNode } from './cached-znode.js';
import { ChangeReader } from './change-reader.js';
import type { CacheChange, CacheEventMap } from './changes.js';
import { Listeners } from './listeners.js';
import { Mirror } from './mirror.js';
import { checkCacheOptions, type TreeCacheOptions } from './options.js';
import { Scope } from './scope.js';
import { type KnownZNodes, ZNodeTree } from './znode-tree.js';

/** What a kind of cache holds, beside its options. */
export interface CacheKind {
  readonly name: string;
  readonly optionNames: readonly string[];
  /** Whether the root itself is in the cache. */
  readonly withRoot: boolean;
  /** Whether the data are kept beside what was made of them. Default: they are. */
  readonly keepsData?: boolean;
  /** What is no option of this kind, because it is what makes it. */
  readonly fixed?: Pick<TreeCacheOptions<never>, 'depth' | 'watches'>;
}

/**
 * What all caches share: a part of the tree, kept current by watches, to be read without asking the server.
 *
 * - While connected: current, but for what is on its way; `stale` tells.
 * - While disconnected, and until a new session has looked: as it was last, and `stale` is true. What has changed in
 *   between is told once it is known, and then `resync`.
 * - A znode that was deleted and made again is another one: `removed`, then `added`.
 *
 * Iterate it for its changes (`for await`): first all that is there, as `added`, then each change. Parents are added
 * before and removed after what is below them, and the changes of a znode come in order. For a reader that is slower
 * than the changes, those of one znode are merged: it skips values, but never the last one, and nothing piles up.
 */
export abstract class ZNodeCache<T> implements AsyncIterable<CacheChange<T>>, AsyncDisposable {
  /** @internal */
  protected readonly tree: KnownZNodes<T>;
  readonly #mirror: Mirror;
  readonly #listeners = new Listeners<T>();
  readonly #readers = new Set<ChangeReader<T>>();
  #closed: Promise<void> | undefined;
  #staleSince = timeOfDay();

  /** @throws InvalidPathError, InvalidArgumentError. Begins with {@link start} or {@link ready}. */
  protected constructor(
    zk: ZooKeeper,
    /** The path that is followed. */
    readonly path: string,
    options: TreeCacheOptions<T>,
    private readonly kind: CacheKind,
  ) {
    checkPath(path, kind.name);
    checkCacheOptions(options, kind.optionNames, { operation: kind.name, path });
    const { depth = Infinity, filter, watches = 'auto' } = { ...options, ...kind.fixed };
    const scope = new Scope(path, depth, filter, kind.withRoot);
    const setting = { ...options, keepsData: kind.keepsData };
    const tree = new ZNodeTree<T>(scope, setting, (change) => this.#tell(change));
    this.tree = tree;
    this.#mirror = new Mirror(zk, scope, tree, watches, {
      left: (at, error) => this.#tell({ type: 'unreadable', path: at, error }),
      loaded: (isFirst) => this.#tell({ type: isFirst ? 'ready' : 'resync' }),
      currencyChanged: (isCurrent) => this.#currencyChanged(isCurrent),
      failed: (error) => this.#failed(error),
    });
  }

  /** Begins to read and to follow. */
  start(): this {
    if (this.#closed === undefined) this.#mirror.start();
    return this;
  }

  /**
   * Resolves when all that is there is in the cache; begins, if need be. A path where nothing is yet is ready, too.
   *
   * @throws OperationTimeoutError, AbortedError when the wait is ended; what has ended the cache, see {@link failure};
   * ClosedError.
   */
  async ready(options: WaitOptions = {}): Promise<this> {
    this.start();
    await this.#mirror.ready(options, { operation: `${this.kind.name}.ready`, path: this.path });
    return this;
  }

  /** Whether it may be out of date: there is no connection, or a change is known and not read yet. */
  get stale(): boolean {
    return !this.#mirror.isCurrent;
  }

  /** Since when it may be out of date, milliseconds since 1970; undefined while it is not. */
  get staleSince(): number | undefined {
    return this.stale ? this.#staleSince : undefined;
  }

  /** What has ended the cache: NoAuthError at its root, CacheFullError, the end of the client, a `filter` that threw. */
  get failure(): Error | undefined {
    return this.#mirror.failure;
  }

  /** Calls `listener` at once at each change of the kind; `change` stands for all kinds. A listener that throws disturbs no other. */
  on<E extends keyof CacheEventMap<T>>(event: E, listener: (event: CacheEventMap<T>[E]) => void): this {
    this.#listeners.add(event, listener);
    return this;
  }

  /** Takes a listener off. */
  off<E extends keyof CacheEventMap<T>>(event: E, listener: (event: CacheEventMap<T>[E]) => void): this {
    this.#listeners.remove(event, listener);
    return this;
  }

  /** What is there now, and then each change. Throws what ends the cache; ends when it is closed. */
  [Symbol.asyncIterator](): AsyncIterator<CacheChange<T>, undefined> {
    this.start();
    const reader = new ChangeReader<T>(() => this.#readers.delete(reader));
    for (const znode of this.known()) reader.push({ type: 'added', path: znode.path, znode });
    if (this.#mirror.isLoaded) reader.push({ type: 'ready' });
    if (this.failure === undefined) this.#readers.add(reader);
    else reader.end(this.#closed === undefined ? this.failure : undefined);
    return reader;
  }

  /** Stops following, and takes the watches away; iterations end. What was known can still be read. Never rejects. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** The znodes that belong to the cache. @internal */
  protected *known(): Generator<CachedZNode<T>, undefined> {
    for (const znode of this.tree.znodes()) if (this.kind.withRoot || znode.path !== this.path) yield znode;
  }

  async #close(): Promise<void> {
    const closed = this.#mirror.close(
      new ClosedError('the cache was closed', { operation: this.kind.name, path: this.path }, false),
    );
    this.#endReaders(undefined);
    this.#listeners.clear();
    await closed;
  }

  #tell(change: CacheChange<T>): void {
    if (this.#closed !== undefined) return;
    if (!this.kind.withRoot && 'path' in change && change.path === this.path) return;
    for (const reader of this.#readers) reader.push(change);
    this.#listeners.tell(change.type, change);
    this.#listeners.tell('change', change);
  }

  #currencyChanged(isCurrent: boolean): void {
    if (!isCurrent) this.#staleSince = timeOfDay();
    if (this.#closed === undefined) this.#listeners.tell('stale', !isCurrent);
  }

  #failed(error: Error): void {
    if (this.#closed !== undefined) return;
    this.#endReaders(error);
    this.#listeners.tell('failed', error);
  }

  #endReaders(error: Error | undefined): void {
    for (const reader of this.#readers) reader.end(error);
    this.#readers.clear();
  }
}

/** Begins a cache, and resolves when it is ready; else there is none. */
export async function opened<C extends ZNodeCache<unknown>>(cache: C, wait: WaitOptions): Promise<C> {
  try {
    return await cache.ready(wait);
  } catch (error) {
    await cache.close();
    throw error;
  }
}
