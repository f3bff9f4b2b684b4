import { randomUUID } from 'node:crypto';
import {
  BadVersionError,
  childPath,
  isPassing,
  type LeaseOptions,
  NodeExistsError,
  NoNodeError,
  SessionExpiredError,
  type SessionInfo,
  type SessionLease,
  type Stat,
  type Transaction,
  UnansweredError,
  type ZNode,
  type ZooKeeper,
  ZooKeeperError,
  type ZooKeeperOperations,
} from 'zookit';
import type { FencingToken } from '../common/fencing.js';
import { OwnWatch } from '../common/own-watch.js';
import { sweep } from '../common/sweeper.js';
import { pause } from '../common/waiting.js';
import { makeFolder, type QueuePaths } from './queue-paths.js';

/** How soon a claim begins to look after its lock, milliseconds: what is done sooner saves the request. */
const OWN_WATCH_DELAY = 10;

/** Somebody has deleted the lock of an item under work, or has changed the item: it is not ours to settle any more. */
export class ItemLostError extends ZooKeeperError {
  readonly code = 'ITEM_LOST';
}

/** What is added to a transaction. */
export type Step = (transaction: Transaction<readonly unknown[]>) => Transaction<readonly unknown[]>;

/**
 * An item that this process works on: an ephemeral znode of its name stands among the locks (Curator: `lockPath()`), and
 * goes with the session, so that somebody else gets the item.
 */
export class Claim {
  /** Claims an item; undefined if somebody else works on it, or it is gone. Leaves nothing behind when it fails. */
  static async take(zk: ZooKeeper, paths: QueuePaths, name: string, lease: LeaseOptions): Promise<Claim | undefined> {
    const attempt = new ClaimAttempt(zk, paths, name);
    const token = await attempt.lock();
    if (token === undefined) return undefined;
    try {
      const node = await attempt.read();
      return new Claim(zk, attempt, token, node, lease);
    } catch (error) {
      await sweep(zk, attempt.lockPath, attempt.session);
      if (error instanceof NoNodeError) return undefined;
      throw error;
    }
  }

  readonly path: string;
  readonly lockPath: string;
  readonly session: SessionInfo;
  readonly data: Buffer;
  /** The zxid of the item's creation. */
  readonly czxid: Stat['czxid'];
  readonly #lease: SessionLease;
  readonly #ownWatch: OwnWatch;
  readonly #ofSession: ZooKeeperOperations;
  #version: number;

  private constructor(
    private readonly zk: ZooKeeper,
    attempt: ClaimAttempt,
    readonly fencingToken: FencingToken,
    node: ZNode,
    lease: LeaseOptions,
  ) {
    this.path = attempt.path;
    this.lockPath = attempt.lockPath;
    this.session = attempt.session;
    this.data = node.data;
    this.czxid = node.stat.czxid;
    this.#version = node.stat.version;
    this.#ofSession = attempt.ofSession;
    this.#lease = zk.lease(lease);
    this.#ownWatch = new OwnWatch(zk, this.lockPath, this.session, (why) => this.#lease.lose(why));
    // Between the last answer and now the session may have been replaced: then nothing is held.
    if (zk.session === this.session) this.#ownWatch.beginLater(OWN_WATCH_DELAY);
    else this.#lease.lose('its session has ended');
  }

  get held(): boolean {
    return this.#lease.held;
  }

  get signal(): AbortSignal {
    return this.#lease.signal;
  }

  /** Replaces the data of the item. */
  async write(data: Buffer): Promise<void> {
    const version = this.#version;
    try {
      await this.#commit((transaction) => transaction.setData(this.path, data, version).check(this.lockPath));
    } catch (error) {
      throw error instanceof NoNodeError ? this.#lost(error) : error;
    }
    this.#version = (version + 1) | 0;
  }

  /** Deletes the item and its lock, and what else the step says, all together. */
  async finish(step: Step = (transaction) => transaction): Promise<void> {
    await this.#end((transaction) => step(transaction.delete(this.lockPath).delete(this.path)));
  }

  /** Leaves the item where it is, for others; `data`: what it is to hold then. */
  async leave(data?: Buffer): Promise<void> {
    await this.#end((transaction) => {
      const unlocked = transaction.delete(this.lockPath);
      return data === undefined ? unlocked : unlocked.setData(this.path, data);
    });
  }

  async #end(step: Step): Promise<void> {
    // From the request on, somebody else may have it, long before the answer comes.
    this.#ownWatch.end();
    this.#lease.release();
    try {
      await this.#commit(step);
    } catch (error) {
      // Somebody has deleted the item itself: there is nothing left to do with it.
      if (!(error instanceof NoNodeError)) throw error;
      await sweep(this.zk, this.lockPath, this.session);
    }
  }

  /** Sends the transaction until its outcome is known, in this session. Its first operation can be done only once. */
  async #commit(step: Step): Promise<void> {
    let isInDoubt = false;
    for (let attempt = 0; ; attempt++) {
      try {
        await step(this.#ofSession.transaction()).commit();
        return;
      } catch (error) {
        if ((error instanceof NoNodeError || error instanceof BadVersionError) && error.transaction?.index === 0) {
          if (isInDoubt) return;
          throw this.#lost(error);
        }
        if (error instanceof UnansweredError) isInDoubt ||= error.mayHaveBeenApplied;
        if (error instanceof SessionExpiredError && isInDoubt) throw Object.assign(error, { mayHaveBeenApplied: true });
        if (!isPassing(error)) throw error;
        await pause(this.zk, attempt);
      }
    }
  }

  #lost(cause: unknown): ItemLostError {
    this.#lease.lose('somebody else has taken the item away');
    const problem = 'somebody else has deleted the lock of the item, or changed the item';
    return new ItemLostError(problem, { operation: 'QueueItem', path: this.path, cause });
  }
}

/** The making of a claim, in one session. */
class ClaimAttempt {
  readonly path: string;
  readonly lockPath: string;
  readonly session: SessionInfo;
  readonly ofSession: ZooKeeperOperations;
  /** Tells our lock from that of anybody else, also of the same session. */
  readonly #mark = randomUUID();
  #early: Promise<ZNode> | undefined;

  constructor(
    private readonly zk: ZooKeeper,
    private readonly paths: QueuePaths,
    name: string,
  ) {
    this.path = childPath(paths.items, name);
    this.lockPath = childPath(paths.locks, name);
    this.session = zk.session;
    this.ofSession = zk.ofThisSession();
  }

  /** Locks the item, if it is there and nobody else has locked it. */
  async lock(): Promise<FencingToken | undefined> {
    let isInDoubt = false;
    for (let attempt = 0; ; attempt++) {
      try {
        if (isInDoubt) {
          const found = await this.#find();
          if (found !== undefined) return found;
          isInDoubt = false;
        }
        return await this.#create();
      } catch (error) {
        if (error instanceof NodeExistsError) return undefined;
        if (error instanceof NoNodeError) {
          // The first operation asks for the item, the second one needs the folder of the locks.
          if (error.transaction?.index === 0) return undefined;
          await makeFolder(this.zk, this.paths.locks);
          continue;
        }
        if (error instanceof UnansweredError) isInDoubt ||= error.mayHaveBeenApplied;
        if (!isPassing(error)) throw error;
        await pause(this.zk, attempt);
      }
    }
  }

  /** The item, as it is under the lock. */
  async read(): Promise<ZNode> {
    return await (this.#early ?? this.ofSession.getData(this.path));
  }

  async #create(): Promise<FencingToken> {
    const locking = this.ofSession
      .transaction()
      .check(this.path)
      .create(this.lockPath, this.#mark, { mode: 'ephemeral' })
      .commit();
    // The server answers in order, and what is sent again comes later: asked for now, the item is read under the lock.
    this.#early = this.ofSession.getData(this.path);
    this.#early.catch(() => undefined);
    const [, created] = await locking;
    return created.zxid;
  }

  /** Our lock, if a try that nobody knows the outcome of has made it. */
  async #find(): Promise<FencingToken | undefined> {
    this.#early = undefined;
    try {
      const lock = await this.ofSession.getData(this.lockPath, { sync: true });
      return lock.text() === this.#mark ? lock.stat.czxid : undefined;
    } catch (error) {
      if (error instanceof NoNodeError) return undefined;
      throw error;
    }
  }
}
