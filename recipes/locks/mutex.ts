import { checkPath, type Data, type LeaseOptions, type WaitOptions, type ZooKeeper } from 'zookit';
import { Contender, type Line } from '../common/contender.js';
import { checkMargin, Holder } from '../common/holder.js';
import { checkLease, checkNames, leaseNames } from '../common/options.js';
import { Wait } from '../common/waiting.js';

/** How a {@link Mutex} behaves. */
export interface MutexOptions extends LeaseOptions {
  /** The data of the znode that stands for the lock: who holds it, for operators to read. Default: none. */
  readonly data?: Data | undefined;
}

/** A lock that is held. */
export class Lock extends Holder {}

/** What Curator, go-zookeeper and kazoo put before the number in the names of their contenders. */
const MARKERS = ['lock-', '__lock__'] as const;

/**
 * A lock that one holder has at a time, in the order in which they asked for it, whatever process or language they are
 * of. Not re-entrant: who asks twice waits for itself.
 *
 * Znodes, as Curator's InterProcessMutex has them: `PATH/_c_<uuid>-lock-<sequence>`, ephemeral; the lowest holds, each
 * other one watches the one before it. kazoo's `__lock__` contenders are waited for; kazoo waits for ours if it is told
 * `extra_lock_patterns=["-lock-"]`.
 *
 * - While connected: held until released, or until somebody deletes the znode.
 * - While disconnected: waiters go on waiting, holders hold as long as the session certainly lives.
 * - After an expiry: holders have lost; waiters line up again in the new session, at the end.
 *
 * An uncontended lock costs one round trip to take, and one to give back.
 */
export class Mutex {
  readonly #line: Line;

  /** @throws InvalidPathError, InvalidArgumentError. Does not connect. */
  constructor(
    private readonly zk: ZooKeeper,
    readonly path: string,
    private readonly options: MutexOptions = {},
  ) {
    checkPath(path, 'Mutex');
    checkNames(options, [...leaseNames, 'data'], { operation: 'Mutex', path });
    checkLease(options, { operation: 'Mutex', path });
    this.#line = { path, name: MARKERS[0], markers: MARKERS, data: options.data ?? null };
  }

  /**
   * Waits for the lock and takes it. However the wait ends, no znode stays behind.
   *
   * @throws OperationTimeoutError, AbortedError when the wait is ended; ClosedError, AuthFailedError when the client
   * is; SessionExpiredError with `renewSession: false`; NoAuthError; InvalidArgumentError when the margin is longer than
   * the session timeout.
   */
  async acquire(options: WaitOptions = {}): Promise<Lock> {
    using wait = new Wait(options, { operation: 'Mutex.acquire', path: this.path });
    for (;;) {
      const lock = await this.#take(await Contender.lead(this.zk, this.#line, wait), wait);
      if (lock !== undefined) return lock;
    }
  }

  /**
   * Takes the lock if nobody has it or waits for it; otherwise resolves with undefined, and stands in no line. Throws as
   * {@link acquire} does.
   */
  async tryAcquire(options: WaitOptions = {}): Promise<Lock | undefined> {
    using wait = new Wait(options, { operation: 'Mutex.tryAcquire', path: this.path });
    for (;;) {
      const contender = await Contender.leadAtOnce(this.zk, this.#line, wait);
      if (contender === undefined) return undefined;
      const lock = await this.#take(contender, wait);
      if (lock !== undefined) return lock;
    }
  }

  /** Runs `work` under the lock, and releases it whatever happens. What `work` returns or throws is passed on. */
  async using<T>(work: (lock: Lock) => T | Promise<T>, options: WaitOptions = {}): Promise<T> {
    await using lock = await this.acquire(options);
    return await work(lock);
  }

  /** Nothing if it was lost between the answer and now: the caller shall not get what is no lock any more. */
  async #take(contender: Contender, wait: Wait): Promise<Lock | undefined> {
    const lock = new Lock(this.zk, contender, this.options);
    if (lock.held) return lock;
    await wait.race(lock.release());
    checkMargin(this.zk, this.options, 'Mutex.acquire', this.path);
    return undefined;
  }
}
