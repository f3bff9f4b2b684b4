import type { LeaseOptions, WaitOptions, ZooKeeper } from 'zookit';
import type { Contender } from '../common/contender.js';
import { checkMargin, type Holder } from '../common/holder.js';
import { Wait } from '../common/waiting.js';

/** What a {@link LockSide} needs to know of its lock. */
export interface LockSideRule<Held extends Holder> {
  /** Which lock, and which side of it: `ReadWriteLock.read`. */
  readonly name: string;
  readonly options: LeaseOptions;
  /** One that has entered. */
  enter(wait: Wait): Promise<Contender>;
  /** One that has entered, if that needs no waiting. */
  enterAtOnce(wait: Wait): Promise<Contender | undefined>;
  hold(contender: Contender): Held;
}

/** One side of a lock that has several: to be acquired as a mutex is. */
export class LockSide<Held extends Holder> {
  /** Made by the lock. */
  constructor(
    private readonly zk: ZooKeeper,
    readonly path: string,
    private readonly rule: LockSideRule<Held>,
  ) {}

  /** Which lock, and which side of it: `ReadWriteLock.read`. */
  get kind(): string {
    return this.rule.name;
  }

  /**
   * Waits for this side and takes it. However the wait ends, no znode stays behind.
   *
   * @throws OperationTimeoutError, AbortedError when the wait is ended; ClosedError, AuthFailedError when the client
   * is; SessionExpiredError with `renewSession: false`; NoAuthError; InvalidArgumentError when the margin is longer than
   * the session timeout.
   */
  async acquire(options: WaitOptions = {}): Promise<Held> {
    using wait = new Wait(options, { operation: `${this.rule.name}.acquire`, path: this.path });
    for (;;) {
      const held = await this.#take(await this.rule.enter(wait), wait);
      if (held !== undefined) return held;
    }
  }

  /**
   * Takes this side if that needs no waiting; otherwise resolves with undefined, and stands in no line. Throws as
   * {@link acquire} does.
   */
  async tryAcquire(options: WaitOptions = {}): Promise<Held | undefined> {
    using wait = new Wait(options, { operation: `${this.rule.name}.tryAcquire`, path: this.path });
    for (;;) {
      const contender = await this.rule.enterAtOnce(wait);
      if (contender === undefined) return undefined;
      const held = await this.#take(contender, wait);
      if (held !== undefined) return held;
    }
  }

  /** Runs `work` while this side is held, and releases it whatever happens. What `work` returns or throws is passed on. */
  async using<T>(work: (held: Held) => T | Promise<T>, options: WaitOptions = {}): Promise<T> {
    await using held = await this.acquire(options);
    return await work(held);
  }

  /** Nothing if it was lost between the answer and now: the caller shall not get what is not held any more. */
  async #take(contender: Contender, wait: Wait): Promise<Held | undefined> {
    const held = this.rule.hold(contender);
    if (held.held) return held;
    await wait.race(held.release());
    checkMargin(this.zk, this.rule.options, `${this.rule.name}.acquire`, this.path);
    return undefined;
  }
}
