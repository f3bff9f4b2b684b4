import {
  BadVersionError,
  checkPath,
  ClosedError,
  type Data,
  LeaseLostError,
  type LeaseOptions,
  NodeExistsError,
  NoNodeError,
  type SessionInfo,
  type SessionLease,
  type Stat,
  type WaitOptions,
  type ZooKeeper,
  ZooKeeperError,
} from 'zookit';
import { Following } from '../common/following.js';
import { checkMargin } from '../common/holder.js';
import { checkLease, checkNames, leaseNames } from '../common/options.js';
import { sweepOwned } from '../common/sweeper.js';
import { defer, type Deferred, Wait } from '../common/waiting.js';

/** How an {@link OwnedNode} behaves. */
export interface OwnedNodeOptions extends LeaseOptions {
  /**
   * What to do when there is a znode of another session at first: take its place, because it is that of an earlier run
   * of ours, or fail. Default `'replace'`.
   */
  readonly onConflict?: 'replace' | 'fail' | undefined;
}

/** The znode belongs to somebody else. */
export class OwnedByOtherError extends ZooKeeperError {
  readonly code = 'OWNED_BY_OTHER';
}

/** What the znode is to hold; another object after each update. */
interface Wish {
  readonly data: Data;
}

/**
 * An ephemeral znode that is there until it is closed (Curator: PersistentNode). It is made again in each new session,
 * with the latest data, and when somebody deletes it; missing parents are made as containers. Data that others write
 * into it stay until the next update.
 *
 * - While connected: it stands. Where another session has taken its place, that ends it with OwnedByOtherError.
 * - While disconnected: it stands as long as the session lives. A lost connection deletes and creates nothing.
 * - After an expiry: it is gone until the new session has made it again.
 */
export class OwnedNode implements AsyncDisposable {
  readonly #following: Following;
  #wish: Wish;
  /** What was seen to stand last. */
  #kept: { readonly wish: Wish; readonly session: SessionInfo } | undefined;
  #lease: SessionLease | undefined;
  #failure: Error | undefined;
  #change: Deferred<void> = defer();
  #closed: Promise<void> | undefined;

  /** @throws InvalidPathError, InvalidArgumentError. Begins with {@link start}. */
  constructor(
    private readonly zk: ZooKeeper,
    readonly path: string,
    data: Data,
    private readonly options: OwnedNodeOptions = {},
  ) {
    checkPath(path, 'OwnedNode');
    checkNames(options, [...leaseNames, 'onConflict'], { operation: 'OwnedNode', path });
    checkLease(options, { operation: 'OwnedNode', path });
    this.#wish = { data };
    this.#following = new Following(zk, {
      look: (changed) => this.#look(changed),
      looked: () => this.#tell(),
      failed: (error) => this.#fail(error),
    });
  }

  /** Begins to keep the znode there. */
  start(): this {
    this.#following.start();
    return this;
  }

  /** Whether the znode certainly stands, worked out at this look. It may come true again. */
  get held(): boolean {
    return this.#lease?.held === true;
  }

  /** Aborts when the znode of now may be gone. A new one after the next creation. */
  get signal(): AbortSignal {
    return this.#lease?.signal ?? AbortSignal.abort(new LeaseLostError('the znode is not there yet'));
  }

  /** Resolves when the znode stands and has the latest data. @throws OperationTimeoutError, AbortedError, ClosedError, what made it impossible. */
  async published(options: WaitOptions = {}): Promise<void> {
    using wait = new Wait(options, { operation: 'OwnedNode.published', path: this.path });
    while (!(this.held && this.#kept?.wish === this.#wish)) {
      if (this.#failure !== undefined) throw this.#failure;
      await wait.race(this.#change.promise);
    }
  }

  /** Changes the data; what is published in the end is the latest. Resolves as {@link published} does. */
  async update(data: Data, options: WaitOptions = {}): Promise<void> {
    this.#wish = { data };
    this.#following.wake();
    await this.published(options);
  }

  /** Deletes the znode. Resolves when it is gone, or its session over. @throws NoAuthError. */
  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #end(): Promise<void> {
    this.#fail(new ClosedError('it was closed', { operation: 'OwnedNode', path: this.path }, false));
    await this.#following.close();
    this.zk.unwatch(this.path, this.#following.wake);
    await sweepOwned(this.zk, this.path);
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#lease?.lose(error.message);
    this.#tell();
  }

  async #look(changed: () => void): Promise<void> {
    const { session } = this.zk;
    const wish = this.#wish;
    const { closing } = this.#following;
    const stat = await this.zk.exists(this.path, { watch: changed, signal: closing });
    const stands = await this.#keep(wish, session, stat);
    if (closing.aborted) return;
    if (stands && this.zk.session === session) {
      this.#kept = { wish, session };
      this.#hold();
    } else {
      // Somebody interfered, or the session is another one than at the beginning: the next look sees how things are.
      changed();
    }
  }

  /** Brings the znode in line with the wish. Resolves with whether that was possible at the first go. */
  async #keep(wish: Wish, session: SessionInfo, stat: Stat | null): Promise<boolean> {
    const kept = this.#kept;
    if (stat === null) {
      this.#lease?.lose('the znode was deleted');
      return await unlessOvertaken(this.zk.create(this.path, wish.data, { mode: 'ephemeral', parents: 'container' }));
    }
    if (stat.ephemeralOwner.equals(session.id)) {
      if (kept?.wish === wish) return true;
      return await unlessOvertaken(this.zk.setData(this.path, wish.data, stat.version));
    }
    // Our own one of a session that is over goes, or is gone and this server does not know it yet. Who has come after us
    // stays: two who take each other's place would go on for ever.
    const isOfFormerSession = kept?.session.id.equals(stat.ephemeralOwner) === true;
    const mayReplace = kept === undefined && this.options.onConflict !== 'fail';
    if (!isOfFormerSession && !mayReplace) throw this.#ownedByOther(stat);
    return await this.#replace(wish, stat);
  }

  /** In one transaction, so that nobody sees the znode missing. */
  async #replace({ data }: Wish, stat: Stat): Promise<boolean> {
    const replacing = this.zk
      .transaction()
      .delete(this.path, stat.version)
      .create(this.path, data, { mode: 'ephemeral' });
    return await unlessOvertaken(replacing.commit());
  }

  #hold(): void {
    if (this.held) return;
    const lease = this.zk.lease(this.options);
    this.#lease = lease;
    // It may be lost without a change that is told: when this process has slept. Then another look brings another one.
    lease.signal.addEventListener('abort', this.#following.wake, { once: true });
    if (lease.held) return;
    checkMargin(this.zk, this.options, 'OwnedNode', this.path);
    this.#following.wake();
  }

  #ownedByOther({ ephemeralOwner }: Stat): OwnedByOtherError {
    const owner = `0x${ephemeralOwner.toUnsigned().toString(16)}`;
    return new OwnedByOtherError(`the znode belongs to the session ${owner}`, { path: this.path });
  }

  #tell(): void {
    const change = this.#change;
    this.#change = defer();
    change.resolve();
  }
}

/** Whether a write came through; not if somebody else has written, created or deleted since the look. */
async function unlessOvertaken(write: Promise<unknown>): Promise<boolean> {
  try {
    await write;
    return true;
  } catch (error) {
    if (error instanceof NoNodeError || error instanceof NodeExistsError || error instanceof BadVersionError)
      return false;
    throw error;
  }
}
