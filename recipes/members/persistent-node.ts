import {
  BadVersionError,
  checkPath,
  ClosedError,
  type Data,
  LeaseLostError,
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
import type { OptionSubject } from '../common/options.js';
import { defer, type Deferred, Wait } from '../common/waiting.js';
import { isSequential, NodePlace } from './node-place.js';
import {
  checkConflictRule,
  checkNodeOptions,
  type ConflictRule,
  type PersistentNodeOptions,
} from './persistent-node-options.js';
import { TtlTouch } from './ttl-touch.js';

/** Whether the znode is in place; another object whenever that has changed, also when it is another znode. */
export type NodeState = { readonly standing: true; readonly path: string } | { readonly standing: false };

/** The znode belongs to somebody else. */
export class OwnedByOtherError extends ZooKeeperError {
  readonly code = 'OWNED_BY_OTHER';
}

/** What the znode is to hold; another object after each change. */
interface Wish {
  readonly data: Data;
}

/** `again`: it is to be looked at once more. `waits`: for another one to go. */
type Kept = 'stands' | 'again' | 'waits';

/**
 * A znode that is there until it is closed (Curator: PersistentNode, PersistentTtlNode). It is made again when somebody
 * deletes it, and an ephemeral one in each new session, at the same path and with the latest data. Data that others write
 * into it stay until the next `setData`.
 *
 * - While connected: it stands. Where another session has taken its place, that ends it with OwnedByOtherError.
 * - While disconnected: an ephemeral one stands as long as the session lives, one with a ttl as long as that. A lost
 *   connection deletes and creates nothing.
 * - After an expiry: an ephemeral one is gone until the new session has made it again; any other stands.
 *
 * Iterate it to be told whenever it is in place, or not.
 */
export class PersistentNode implements AsyncIterable<NodeState>, AsyncDisposable {
  readonly #following: Following;
  readonly #place: NodePlace;
  readonly #touch: TtlTouch | undefined;
  readonly #onConflict: Required<PersistentNodeOptions>['onConflict'];
  #wish: Wish;
  /** What was written last; undefined until ours was seen to stand. */
  #written: Wish | undefined;
  /** What was seen to stand last. */
  #kept: Wish | undefined;
  #lease: SessionLease | undefined;
  #failure: Error | undefined;
  #change: Deferred<void> = defer();
  #closed: Promise<void> | undefined;

  /** @throws InvalidPathError, InvalidArgumentError. Begins with {@link start}. */
  constructor(
    private readonly zk: ZooKeeper,
    /** What was asked for. Where the znode stands in the end, {@link path} says. */
    readonly basePath: string,
    data: Data = null,
    private readonly options: PersistentNodeOptions = {},
  ) {
    const { mode = 'ephemeral', ttl, acl, parents = 'container', onConflict = 'replace' } = options;
    checkPath(basePath, 'PersistentNode', isSequential(mode));
    checkNodeOptions(options, basePath);
    this.#wish = { data };
    this.#onConflict = onConflict;
    const isProtected = isSequential(mode) || options.protected === true;
    this.#place = new NodePlace(zk, basePath, { mode, ttl, acl, parents, protected: isProtected });
    this.#following = new Following(zk, {
      look: (changed) => this.#look(changed),
      looked: () => this.#tell(),
      failed: (error) => this.#fail(error),
    });
    if (ttl !== undefined) this.#touch = new TtlTouch(zk, ttl, options.touchEvery ?? ttl / 2, this.#following.wake);
  }

  /** Begins to keep the znode there. */
  start(): this {
    this.#following.start();
    return this;
  }

  /** Where the znode stands, with prefix and number; undefined before the server has given a sequential one its number. */
  get path(): string | undefined {
    return this.#place.path;
  }

  /** What it is to hold. */
  get data(): Data {
    return this.#wish.data;
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
    using wait = new Wait(options, this.#subject('published'));
    while (!(this.held && this.#kept === this.#wish)) {
      if (this.#failure !== undefined) throw this.#failure;
      await wait.race(this.#change.promise);
    }
  }

  /** Changes the data; what is published in the end is the latest. Resolves as {@link published} does. */
  async setData(data: Data, options: WaitOptions = {}): Promise<void> {
    this.#wish = { data };
    this.#following.wake();
    await this.published(options);
  }

  /** Whether it is in place now, and again whenever that has changed. Ends when it is closed. @throws what made it impossible. */
  async *[Symbol.asyncIterator](): AsyncGenerator<NodeState, void, undefined> {
    let told: SessionLease | 'none' | undefined;
    while (!this.#following.closing.aborted) {
      const { promise } = this.#change;
      const standing = this.held ? this.#lease : undefined;
      if (told !== (standing ?? 'none')) {
        told = standing ?? 'none';
        yield standing === undefined ? { standing: false } : { standing: true, path: this.path ?? this.basePath };
        continue;
      }
      if (this.#failure !== undefined) throw this.#failure;
      await promise;
    }
  }

  /**
   * Deletes the znode, or leaves it as it is (`keep`; the default for those with a ttl, as in Curator: they go when it is
   * over). Resolves when it is gone, or its session over. @throws NoAuthError; NotEmptyError; ClosedError where a znode
   * that is not ephemeral stays because the client was closed before.
   */
  close({ keep = this.#touch !== undefined }: { readonly keep?: boolean } = {}): Promise<void> {
    this.#closed ??= this.#end(keep);
    return this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #end(keep: boolean): Promise<void> {
    this.#fail(new ClosedError('it was closed', this.#subject('close'), false));
    await this.#following.close();
    this.#touch?.stop();
    if (this.path !== undefined) this.zk.unwatch(this.path, this.#following.wake);
    const isOurs = this.#written !== undefined || this.#place.mayHaveMade;
    if (keep || !isOurs) return;
    if (this.path !== undefined) await this.#touch?.remove(this.path);
    await this.#place.remove();
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#lease?.lose(error.message);
    this.#touch?.stop();
    this.#tell();
  }

  async #look(changed: () => void): Promise<void> {
    const { session } = this.zk;
    const wish = this.#wish;
    const { closing } = this.#following;
    const stat = await this.#place.look(changed, closing);
    const kept = await this.#keep(wish, session, stat);
    if (closing.aborted || kept === 'waits') return;
    if (kept === 'again' || this.zk.session !== session || !(await this.#touchIfDue())) {
      // Somebody interfered, or the session is another one than at the beginning: the next look sees how things are.
      changed();
      return;
    }
    this.#place.own(session);
    this.#kept = wish;
    this.#hold();
  }

  /** Brings the znode in line with the wish. */
  async #keep(wish: Wish, session: SessionInfo, stat: Stat | null): Promise<Kept> {
    const path = this.#place.path;
    if (stat === null || path === undefined) {
      this.#lease?.lose('the znode was deleted');
      const isMade = await this.#write(wish, this.#place.create(wish.data, session), this.options.parents === false);
      // What had no path could not be watched before.
      return isMade && path !== undefined ? 'stands' : 'again';
    }
    const hasStood = this.#written !== undefined;
    const isAsMade = this.#place.isAsMade(stat, session);
    if (isAsMade && (this.#place.isEphemeral || hasStood || this.#place.mayHaveMade))
      return this.#written === wish ? 'stands' : await this.#overwrite(wish, path, stat);
    // Our own one of a session that is over goes, or is gone and this server does not know it yet.
    const isOld = !isAsMade && this.#place.isOfFormerSession(stat);
    const rule = isOld ? 'replace' : await this.#ruleFor(path, stat);
    if (rule === undefined) return 'again';
    // Who has come after us stays: two who take each other's place would go on for ever.
    if (isOld || (rule === 'replace' && !hasStood)) {
      if (isAsMade) return await this.#overwrite(wish, path, stat);
      return (await this.#write(wish, this.#place.replace(wish.data, stat, session))) ? 'stands' : 'again';
    }
    this.#lease?.lose('another one has taken its place');
    this.#written = undefined;
    if (rule === 'wait') return 'waits';
    throw ownedByOther(path, stat);
  }

  async #overwrite(wish: Wish, path: string, { version }: Stat): Promise<Kept> {
    return (await this.#write(wish, this.zk.setData(path, wish.data, version))) ? 'stands' : 'again';
  }

  /** What to do about a znode that is not ours; undefined where it is another one than at the look. */
  async #ruleFor(path: string, { czxid }: Stat): Promise<ConflictRule | undefined> {
    const rule = this.#onConflict;
    if (typeof rule !== 'function') return rule;
    try {
      const node = await this.zk.getData(path, { signal: this.#following.closing });
      if (!node.stat.czxid.equals(czxid)) return undefined;
      return checkConflictRule(rule(node), this.#subject('onConflict'));
    } catch (error) {
      if (error instanceof NoNodeError) return undefined;
      throw error;
    }
  }

  /** Whether a write came through; not if somebody else has written, created or deleted since the look. */
  async #write(wish: Wish, write: Promise<unknown>, needsParent = false): Promise<boolean> {
    try {
      await write;
      this.#written = wish;
      return true;
    } catch (error) {
      const isOvertaken =
        error instanceof NodeExistsError ||
        error instanceof BadVersionError ||
        (error instanceof NoNodeError && !needsParent);
      if (isOvertaken) return false;
      throw error;
    }
  }

  async #touchIfDue(): Promise<boolean> {
    return this.path === undefined || this.#touch === undefined || (await this.#touch.touch(this.path));
  }

  #hold(): void {
    if (this.held) return;
    const lease = this.zk.lease(this.options);
    this.#lease = lease;
    lease.signal.addEventListener('abort', this.#onLoss, { once: true });
    if (lease.held) return;
    checkMargin(this.zk, this.options, 'PersistentNode', this.basePath);
    this.#following.wake();
  }

  /** It may be lost without a change that is told: when this process has slept. Then another look brings another one. */
  readonly #onLoss = (): void => {
    this.#following.wake();
    this.#tell();
  };

  #tell(): void {
    const change = this.#change;
    this.#change = defer();
    change.resolve();
  }

  #subject(method: string): OptionSubject {
    return { operation: `PersistentNode.${method}`, path: this.basePath };
  }
}

function ownedByOther(path: string, { ephemeralOwner }: Stat): OwnedByOtherError {
  const owner = ephemeralOwner.isZero() ? 'no session' : `the session 0x${ephemeralOwner.toUnsigned().toString(16)}`;
  return new OwnedByOtherError(`the znode belongs to ${owner}`, { path });
}
