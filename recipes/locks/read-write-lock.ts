import {
  checkPath,
  childPath,
  type Data,
  InvalidArgumentError,
  type LeaseOptions,
  LeaseLostError,
  type WaitOptions,
  type ZooKeeper,
} from 'zookit';
import { childrenOf, textsOf } from '../common/children.js';
import { Contender, type Line } from '../common/contender.js';
import { checkMargin, Holder } from '../common/holder.js';
import { checkLease, checkNames, leaseNames } from '../common/options.js';
import { canTryAgain, pause, Wait } from '../common/waiting.js';
import { LockSide } from './lock-side.js';
import {
  holds,
  joinable,
  READ,
  READ_WRITE_MARKERS,
  readersAndWriters,
  readRule,
  WRITE,
  writeRule,
} from './read-write-line.js';
import { enterWithNumberOf, type NumberOwner } from './shared-number.js';

/** How a {@link ReadWriteLock} behaves. */
export interface ReadWriteLockOptions extends LeaseOptions {
  /** The data of the znodes: who holds or waits, for operators and {@link ReadWriteLock.participants} to read. Default: none. */
  readonly data?: Data | undefined;
  /**
   * `fair` (the default): readers and writers come in the order in which they asked. `readers`: who asks to read while
   * others read comes in at once, past the writers who wait. No writer starves: only readers who stood before it when it
   * came can be joined, so it waits for these and those who joined them, and for nobody after that.
   */
  readonly preference?: 'fair' | 'readers' | undefined;
}

/** A read lock that is held. Its fencing token is that of a writer or reader whose place it shares, if it shares one. */
export class ReadLock extends Holder {}

/** A write lock that is held. */
export class WriteLock extends Holder {
  readonly #read: (writer: WriteLock, operation: string, options: WaitOptions) => Promise<ReadLock>;

  /** Made by the lock. */
  constructor(
    zk: ZooKeeper,
    contender: Contender,
    options: LeaseOptions,
    read: (writer: WriteLock, operation: string, options: WaitOptions) => Promise<ReadLock>,
  ) {
    super(zk, contender, options);
    this.#read = read;
  }

  /**
   * Takes a read lock beside this write lock, without waiting for anybody. It has the place of the writer in line: when
   * the write lock is released, no other writer comes in before it is released, too. One round trip.
   *
   * @throws LeaseLostError when the write lock is not held any more: the server looks whether its znode stands;
   * OperationTimeoutError, AbortedError, and what acquiring throws.
   */
  acquireRead(options: WaitOptions = {}): Promise<ReadLock> {
    return this.#read(this, 'WriteLock.acquireRead', options);
  }

  /**
   * Goes from writing to reading, without anybody writing in between: takes a read lock as {@link acquireRead} does, and
   * releases this one. If the wait ends in between, both are released.
   */
  async downgrade(options: WaitOptions = {}): Promise<ReadLock> {
    const read = await this.#read(this, 'WriteLock.downgrade', options);
    try {
      await this.release();
      return read;
    } catch (error) {
      await read.release();
      throw error;
    }
  }
}

/** Who stands in the line of a read-write lock, as others see it. */
export interface ReadWriteParticipant {
  readonly path: string;
  /** Its data, as text. */
  readonly id: string;
  readonly kind: 'read' | 'write';
  /** Whether it holds; otherwise it waits. */
  readonly holds: boolean;
}

/**
 * A lock that many hold at a time to read, or one to write, whatever process or language they are of.
 *
 * Znodes, as Curator's InterProcessReadWriteLock has them: `PATH/_c_<uuid>-__READ__<sequence>` and
 * `PATH/_c_<uuid>-__WRIT__<sequence>`, ephemeral, in one folder. A writer holds when it is the first of all, and watches
 * the one before it; a reader holds when no writer is before it, and watches the last writer before it. A reader that
 * takes over from its writer has the number of that (as in Curator from 5.5 on).
 *
 * - While connected: held until released, or until somebody deletes the znode.
 * - While disconnected: waiters go on waiting, holders hold as long as the session certainly lives.
 * - After an expiry: holders have lost; waiters line up again in the new session, at the end.
 *
 * Not re-entrant, and no way up: who reads and asks to write waits for itself.
 */
export class ReadWriteLock {
  /** The side of the readers. */
  readonly read: LockSide<ReadLock>;
  /** The side of the writers. */
  readonly write: LockSide<WriteLock>;
  readonly #readers: Line;

  /** @throws InvalidPathError, InvalidArgumentError. Does not connect. */
  constructor(
    private readonly zk: ZooKeeper,
    readonly path: string,
    private readonly options: ReadWriteLockOptions = {},
  ) {
    const subject = { operation: 'ReadWriteLock', path };
    checkPath(path, 'ReadWriteLock');
    checkNames(options, [...leaseNames, 'data', 'preference'], subject);
    checkLease(options, subject);
    const { data = null, preference = 'fair' } = options;
    if (preference !== 'fair' && preference !== 'readers') {
      const problem = `the preference is ${String(preference)}; it must be "fair" or "readers"`;
      throw new InvalidArgumentError(problem, subject);
    }
    const line = { path, markers: READ_WRITE_MARKERS, data };
    const readers = { ...line, name: READ, rule: readRule };
    const writers = { ...line, name: WRITE, rule: writeRule };
    const join = preference === 'fair' ? () => undefined : (wait: Wait) => this.#join(wait);
    this.#readers = readers;
    this.read = new LockSide(zk, path, {
      name: 'ReadWriteLock.read',
      options,
      enter: async (wait) => (await join(wait)) ?? (await Contender.lead(zk, readers, wait)),
      enterAtOnce: async (wait) => (await join(wait)) ?? (await Contender.leadAtOnce(zk, readers, wait)),
      hold: (contender) => new ReadLock(zk, contender, options),
    });
    this.write = new LockSide(zk, path, {
      name: 'ReadWriteLock.write',
      options,
      enter: (wait) => Contender.lead(zk, writers, wait),
      enterAtOnce: (wait) => Contender.leadAtOnce(zk, writers, wait),
      hold: (contender) => new WriteLock(zk, contender, options, this.#readBeside),
    });
  }

  /** All who hold or wait, in the order in which they are served. Those that vanish meanwhile are left out. */
  async participants(): Promise<ReadWriteParticipant[]> {
    const all = readersAndWriters(await childrenOf(this.zk, this.path));
    const found = await textsOf(this.zk, this.path, all);
    return found.map((each) => ({ path: each.path, id: each.id, kind: each.kind, holds: holds(each, all) }));
  }

  /** Comes in beside readers who hold, past the writers who wait behind them. Undefined where there are none of both. */
  async #join(wait: Wait): Promise<Contender | undefined> {
    for (let failures = 0; ;) {
      wait.check();
      try {
        const reader = joinable(await wait.race(childrenOf(this.zk, this.path)));
        if (reader === undefined) return undefined;
        const owner: NumberOwner = { path: childPath(this.path, reader.name), isJoined: true };
        const contender = await enterWithNumberOf(this.zk, this.#readers, owner, wait);
        if (contender !== undefined) return contender;
      } catch (error) {
        if (wait.isOver || !canTryAgain(this.zk, error)) throw error;
        await wait.race(pause(this.zk, failures++, wait.signal));
      }
    }
  }

  readonly #readBeside = async (writer: WriteLock, operation: string, options: WaitOptions): Promise<ReadLock> => {
    const subject = { operation, path: this.path };
    using wait = new Wait(options, subject);
    const { path, fencingToken } = writer;
    const owner: NumberOwner = { path, fencingToken, isJoined: false };
    const contender = writer.held ? await enterWithNumberOf(this.zk, this.#readers, owner, wait) : undefined;
    const read = contender === undefined ? undefined : new ReadLock(this.zk, contender, this.options);
    if (read?.held === true) return read;
    if (read !== undefined) await wait.race(read.release());
    checkMargin(this.zk, this.options, operation, this.path);
    throw new LeaseLostError('the write lock is not held any more', { ...subject, cause: writer.signal.reason });
  };
}
