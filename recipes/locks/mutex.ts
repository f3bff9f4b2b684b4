import { checkPath, childPath, InvalidArgumentError, parentOf, type WaitOptions, type ZooKeeper } from 'zookit';
import { Contender, type Line } from '../common/contender.js';
import { checkMargin } from '../common/holder.js';
import { checkDelay, checkNames, checkWait, type OptionSubject, waitNames } from '../common/options.js';
import { sweepAfterWait } from '../common/sweeper.js';
import { Wait } from '../common/waiting.js';
import { CrashMark, markPathOf } from './mutex-crash-mark.js';
import { firstInLine, type LockParticipant, readLine } from './mutex-line.js';
import { checkLock, Lock, lockContext, lockNames, type LockOptions } from './mutex-lock.js';
import { type LockView, observeLine } from './mutex-observer.js';
import { checkRevoke, revokeContender, type RevokeOptions, type RevokeOutcome } from './mutex-revocation.js';

/** How a {@link Mutex} behaves; the options of a lock are those of each holder that says nothing else. */
export interface MutexOptions extends LockOptions {
  /**
   * Whether work that is done under the lock already gets one more handle of it, in place of waiting for itself. Which
   * work that is, `using()` and `lock.run()` say: it and all that it begins. Default `false`.
   */
  readonly reentrant?: boolean | undefined;
  /**
   * For how long a lock stays closed whose holder's session has ended without a release, milliseconds: for work that may
   * go on for a while and cannot be fenced. All who contend have to set it. Default: not at all.
   */
  readonly lockDelay?: number | undefined;
  /**
   * How the names of further contenders end before the number, beside `lock-` and `__lock__`: those of other libraries,
   * which are waited for. Default: none.
   */
  readonly markers?: readonly string[] | undefined;
}

/** How a lock is waited for, and held. */
export interface AcquireLockOptions extends WaitOptions, LockOptions {}

/** What Curator, go-zookeeper and kazoo put before the number in the names of their contenders. */
const MARKERS = ['lock-', '__lock__'] as const;

const OWN_NAMES = ['reentrant', 'lockDelay', 'markers'] as const satisfies readonly (keyof MutexOptions)[];

const ACQUIRE_NAMES = [...waitNames, ...lockNames];

/**
 * A lock that one holder has at a time, in the order in which they asked for it, whatever process or language they are
 * of. Not re-entrant unless told to be: who asks twice waits for itself.
 *
 * Znodes, as Curator's InterProcessMutex has them: `PATH/_c_<uuid>-lock-<sequence>`, ephemeral; the lowest holds, each
 * other one watches the one before it. kazoo's `__lock__` contenders are waited for; kazoo waits for ours if it is told
 * `extra_lock_patterns=["-lock-"]`. With `lockDelay`, there is also `PATH-__held__` as long as the lock is held, and
 * after a crash.
 *
 * - While connected: held until released, until somebody deletes the znode, or until `maxHold` and its grace are over.
 * - While disconnected: waiters go on waiting, holders hold as long as the session certainly lives.
 * - After an expiry: holders have lost; waiters line up again in the new session, at the end.
 *
 * An uncontended lock costs one round trip to take, and one to give back; one more each with `lockDelay`.
 */
export class Mutex {
  readonly #line: Line;
  readonly #policy: LockOptions;

  /** @throws InvalidPathError, InvalidArgumentError. Does not connect. */
  constructor(
    private readonly zk: ZooKeeper,
    readonly path: string,
    private readonly options: MutexOptions = {},
  ) {
    checkPath(path, 'Mutex');
    checkMutex(options, { operation: 'Mutex', path });
    const markers = [...MARKERS, ...(options.markers ?? [])];
    this.#line = { path, name: MARKERS[0], markers, data: options.data ?? null };
    this.#policy = without(options, OWN_NAMES);
  }

  /**
   * Waits for the lock and takes it. However the wait ends, no znode stays behind. Options of the lock are those of this
   * holder alone.
   *
   * @throws OperationTimeoutError, AbortedError when the wait is ended; ClosedError, AuthFailedError when the client
   * is; SessionExpiredError with `renewSession: false`; NoAuthError; InvalidArgumentError, also when the margin is longer
   * than the session timeout; LeaseLostError with `reentrant`, under a lock that was lost.
   */
  async acquire(options: AcquireLockOptions = {}): Promise<Lock> {
    const { wait, policy, line, held } = this.#begin('acquire', options);
    using _ = wait;
    if (held !== undefined) return held;
    for (;;) {
      const lock = await this.#take(await Contender.lead(this.zk, line, wait), policy, wait);
      if (lock !== undefined) return lock;
    }
  }

  /**
   * Takes the lock if nobody has it or waits for it; otherwise resolves with undefined, and stands in no line. After a
   * crash it waits for the end of the `lockDelay`. Throws as {@link acquire} does.
   */
  async tryAcquire(options: AcquireLockOptions = {}): Promise<Lock | undefined> {
    const { wait, policy, line, held } = this.#begin('tryAcquire', options);
    using _ = wait;
    if (held !== undefined) return held;
    for (;;) {
      const contender = await Contender.leadAtOnce(this.zk, line, wait);
      if (contender === undefined) return undefined;
      const lock = await this.#take(contender, policy, wait);
      if (lock !== undefined) return lock;
    }
  }

  /** Runs `work` under the lock, and releases it whatever happens. What `work` returns or throws is passed on. */
  async using<T>(work: (lock: Lock) => T | Promise<T>, options: AcquireLockOptions = {}): Promise<T> {
    await using lock = await this.acquire(options);
    return await (this.options.reentrant === true ? lock.run(() => work(lock)) : work(lock));
  }

  /** Who holds the lock and who waits for it, in order, at one look. Anybody can ask. Throws as reads do. */
  participants(): Promise<LockParticipant[]> {
    return readLine(this.zk, this.#line);
  }

  /**
   * Who holds the lock and who waits for it, now and again whenever that has changed, until the loop is left. Goes on over
   * lost connections and expiries; meanwhile the view is `stale`. Views that come too fast are passed over, the last one
   * never.
   *
   * Each observer asks the servers for the list whenever somebody comes or goes, and reads each who comes once; those who
   * wait for the lock do not.
   *
   * @throws InvalidArgumentError at once; in the loop AbortedError, NoAuthError, ClosedError, AuthFailedError.
   */
  observe(options: Pick<WaitOptions, 'signal'> = {}): AsyncGenerator<LockView, void, undefined> {
    const subject = { operation: 'Mutex.observe', path: this.path };
    checkNames(options, ['signal'], subject);
    checkWait(options, subject);
    return observeLine(this.zk, this.#line, options);
  }

  /**
   * Asks the holder to give the lock back (Curator: Revoker): writes `__REVOKE__` into its znode, over the data that were
   * there. It is told by `onRevoke` and `lock.revoked`, and decides by itself, unless there is a `breakAfter`: then its
   * znode is deleted after that time, and it has lost as soon as it learns of that. Who comes next may hold before; what
   * is written with `guard()` or a fencing token is safe from that.
   *
   * @param holder its znode, or a participant; also one that waits, which is then asked as soon as it holds. Default: the
   * holder.
   * @throws InvalidArgumentError; AbortedError; NoAuthError without the permission to write the znode; what else writes
   * throw.
   */
  async revoke(holder?: string | Pick<LockParticipant, 'path'>, options: RevokeOptions = {}): Promise<RevokeOutcome> {
    const subject = { operation: 'Mutex.revoke', path: this.path };
    checkRevoke(options, subject);
    const path = this.#contenderOf(holder, subject) ?? (await firstInLine(this.zk, this.#line));
    return path === undefined ? 'nobody' : await revokeContender(this.zk, path, options, subject);
  }

  #begin(method: string, options: AcquireLockOptions): Beginning {
    const subject = { operation: `Mutex.${method}`, path: this.path };
    checkNames(options, ACQUIRE_NAMES, subject);
    checkLock(options, subject);
    const hasOwn = lockNames.some((name) => options[name] !== undefined);
    const policy = hasOwn ? { ...this.#policy, ...without(options, waitNames) } : this.#policy;
    const line = options.data === undefined ? this.#line : { ...this.#line, data: options.data };
    const isNested = this.options.reentrant === true;
    const held = isNested ? lockContext.find(this.zk, this.path, subject.operation)?.nested(policy) : undefined;
    const wait = new Wait({ timeout: options.timeout, signal: options.signal }, subject);
    return { wait, policy, line, held };
  }

  /** Nothing if it was lost between the answer and now: the caller shall not get what is no lock any more. */
  async #take(contender: Contender, policy: LockOptions, wait: Wait): Promise<Lock | undefined> {
    const mark = await this.#mark(contender, wait);
    if (mark === 'gone') return undefined;
    const lock = new Lock(this.zk, contender, policy, mark);
    if (lock.held) return lock;
    await wait.race(lock.release());
    checkMargin(this.zk, policy, 'Mutex.acquire', this.path);
    return undefined;
  }

  /** Puts up the mark of a lock that has some, after the wait that a crash has brought. */
  async #mark(contender: Contender, wait: Wait): Promise<CrashMark | 'gone' | undefined> {
    const { lockDelay } = this.options;
    if (lockDelay === undefined) return undefined;
    const mark = new CrashMark(this.zk, contender, this.path, lockDelay);
    const leave = async (): Promise<void> => {
      await mark.clear();
      await contender.leave();
    };
    try {
      if (await mark.putUp(wait)) return mark;
      await wait.race(contender.leave());
      return 'gone';
    } catch (error) {
      await sweepAfterWait(this.zk, wait, contender.path, leave());
      throw error;
    }
  }

  #contenderOf(holder: string | Pick<LockParticipant, 'path'> | undefined, subject: OptionSubject): string | undefined {
    if (holder === undefined) return undefined;
    const path = typeof holder === 'string' ? holder : holder.path;
    checkPath(path, subject.operation);
    if (parentOf(path) === this.path) return path;
    const right = childPath(this.path, '...');
    throw new InvalidArgumentError(`${path} stands in no line of this lock; it must be ${right}`, subject);
  }
}

/** What an attempt to take a lock begins with. */
interface Beginning {
  readonly wait: Wait;
  readonly policy: LockOptions;
  readonly line: Line;
  /** A handle of the lock that the caller's work is done under. */
  readonly held: Lock | undefined;
}

function checkMutex(options: MutexOptions, subject: OptionSubject): void {
  checkNames(options, [...lockNames, ...OWN_NAMES], subject);
  checkLock(options, subject);
  const { reentrant, lockDelay, markers } = options;
  if (reentrant !== undefined && typeof reentrant !== 'boolean')
    throw new InvalidArgumentError(`reentrant is ${String(reentrant)}; it must be true or false`, subject);
  checkDelay('lockDelay', lockDelay, subject);
  if (lockDelay !== undefined && subject.path === '/')
    throw new InvalidArgumentError(`a lock at the root has no place for ${markPathOf('')}; give it a path`, subject);
  if (markers?.every((marker) => typeof marker === 'string' && marker !== '') === false)
    throw new InvalidArgumentError('markers must be texts that are not empty', subject);
}

/** The options without those of these names, and without those that are undefined. */
function without<Options extends object, Name extends keyof Options>(
  options: Options,
  names: readonly Name[],
): Omit<Options, Name> {
  const kept = Object.entries(options).filter(([name, value]) => value !== undefined && !names.includes(name as Name));
  return Object.fromEntries(kept) as Omit<Options, Name>;
}
