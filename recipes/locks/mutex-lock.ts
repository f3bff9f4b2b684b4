import { type Data, InvalidArgumentError, type LeaseOptions, parentOf, type SessionInfo, type ZooKeeper } from 'zookit';
import { type HeldPlace, Holder } from '../common/holder.js';
import { checkDelay, checkLease, leaseNames, type OptionSubject } from '../common/options.js';
import { after } from '../common/waiting.js';
import { LockContext, type LockInContext } from './mutex-context.js';
import type { CrashMark } from './mutex-crash-mark.js';
import { Revocation } from './mutex-revocation.js';

/** How one holder holds a lock. */
export interface LockOptions extends LeaseOptions {
  /** The data of the znode that stands for the lock: who holds it, for operators to read. Default: none. */
  readonly data?: Data | undefined;
  /** Called once when the lock is wanted back: see `lock.revoked`. What it throws is its own affair. */
  readonly onRevoke?: ((lock: Lock) => void) | undefined;
  /** For how long the lock may be held, milliseconds; then it is wanted back. Default: for ever. */
  readonly maxHold?: number | undefined;
  /** How long after `maxHold` the lock is taken away from who has not given it back, milliseconds. Default 1,000. */
  readonly maxHoldGrace?: number | undefined;
}

/** How long a holder has to give back what it has held for `maxHold`, unless told otherwise, milliseconds. */
const GRACE = 1_000;

/** The names of the options of a lock. */
export const lockNames = [...leaseNames, 'data', 'onRevoke', 'maxHold', 'maxHoldGrace'] as const;

/** Refuses what is no policy of a holder. @throws InvalidArgumentError. */
export function checkLock(options: LockOptions, subject: OptionSubject): void {
  checkLease(options, subject);
  checkDelay('maxHold', options.maxHold, subject);
  checkDelay('maxHoldGrace', options.maxHoldGrace, subject);
  if (options.onRevoke !== undefined && typeof options.onRevoke !== 'function')
    throw new InvalidArgumentError('onRevoke is no function', subject);
}

/** A lock that is held. */
export class Lock extends Holder implements LockInContext {
  readonly #zk: ZooKeeper;
  readonly #session: SessionInfo;
  readonly #mark: CrashMark | undefined;
  #revocation: Revocation | undefined;
  #isReleased = false;

  /** Made by the recipe. */
  constructor(zk: ZooKeeper, place: HeldPlace, options: LockOptions = {}, mark?: CrashMark) {
    super(zk, place, options);
    this.#zk = zk;
    this.#session = place.session;
    this.#mark = mark;
    const { onRevoke, maxHold, maxHoldGrace = GRACE } = options;
    // On a turn of its own: what it throws is its own affair.
    const tell = (): void => queueMicrotask(() => onRevoke?.(this));
    if (onRevoke !== undefined) this.revoked.addEventListener('abort', tell);
    if (maxHold !== undefined && this.held) this.#limit(maxHold, maxHoldGrace);
  }

  /**
   * Aborts when the lock is wanted back: somebody has asked for it, by `mutex.revoke()` or by Curator's Revoker, or it
   * was held for `maxHold`. The reason is a LockRevokedError. It stays held until it is released: that is up to the
   * holder. The first look at it costs one read, which leaves a watch.
   */
  get revoked(): AbortSignal {
    const revocation = this.#revocable();
    if (this.held) revocation.begin();
    return revocation.signal;
  }

  /** Whether `release()` was called. @internal */
  get isReleased(): boolean {
    return this.#isReleased;
  }

  /** Whether the znode is one of the current session of this client, or of another view of it. @internal */
  isOf(zk: ZooKeeper): boolean {
    return zk.session.id.equals(this.#session.id);
  }

  /**
   * Runs `work` as done under this lock: with a mutex that is `reentrant`, it and all that it begins get nested handles
   * of the lock in place of waiting for it. `mutex.using()` does that by itself.
   */
  run<T>(work: () => T): T {
    return lockContext.run(this.#zk, parentOf(this.path), this, work);
  }

  override release(): Promise<void> {
    this.#isReleased = true;
    return super.release();
  }

  /** One more handle of the same lock. It ends by its own release, and with this one. @internal */
  nested({ margin, loseOn }: LeaseOptions): Lock {
    return new NestedLock(this.#zk, this, this.#session, { margin, loseOn });
  }

  protected override giveBack(): Promise<void> {
    // The request goes out in this turn.
    return this.#mark === undefined ? super.giveBack() : this.#mark.clear().then(() => super.giveBack());
  }

  #revocable(): Revocation {
    if (this.#revocation === undefined) {
      const revocation = new Revocation(this.#zk, this.path, this.#session);
      this.signal.addEventListener('abort', () => revocation.end());
      this.#revocation = revocation;
    }
    return this.#revocation;
  }

  #limit(maxHold: number, grace: number): void {
    let stop = after(maxHold, () => {
      stop = after(grace, () => {
        // Its work may go on: for those who come next that is no better than a crash.
        this.#mark?.keep();
        this.breakOff(`it was held for more than ${maxHold} ms, and not given back in ${grace} ms`);
      });
      this.#revocable().ask(`the lock was held for ${maxHold} ms, as long as it may be`);
    });
    this.signal.addEventListener('abort', () => stop());
  }
}

/** Which locks the work that runs now is done under. */
export const lockContext = new LockContext<Lock>();

/** A handle of a lock that the same work holds already. */
class NestedLock extends Lock {
  constructor(
    zk: ZooKeeper,
    private readonly outer: Lock,
    session: SessionInfo,
    options: LeaseOptions,
  ) {
    super(zk, placeIn(outer, session), options);
  }

  override get revoked(): AbortSignal {
    return this.outer.revoked;
  }

  override run<T>(work: () => T): T {
    return this.outer.run(work);
  }

  override nested(options: LeaseOptions): Lock {
    return this.outer.nested(options);
  }
}

/** The place of a handle: it is gone with the outer one, and nothing has to be given back. */
function placeIn(outer: Lock, session: SessionInfo): HeldPlace {
  const { path, fencingToken, signal } = outer;
  const ended = new AbortController();
  return {
    path,
    fencingToken,
    session,
    lookAfter: (onGone) => {
      const onAbort = (): void => onGone('the lock that it is a handle of is over');
      signal.addEventListener('abort', onAbort, { signal: ended.signal });
    },
    leave: () => {
      ended.abort();
      return Promise.resolve();
    },
  };
}
