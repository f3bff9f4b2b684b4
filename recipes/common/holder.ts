import {
  InvalidArgumentError,
  LeaseLostError,
  type LeaseOptions,
  type SessionLease,
  type Transaction,
  type ZooKeeper,
} from 'zookit';
import type { Contender } from './contender.js';
import type { FencingToken } from './fencing.js';

/** The znode that a {@link Holder} holds by: its place in a line. */
export type HeldPlace = Pick<Contender, 'path' | 'session' | 'fencingToken' | 'lookAfter' | 'leave'>;

/**
 * Something that is held as long as a znode of our session stands: a lock, a leadership.
 *
 * - While connected it is held, unless somebody deletes the znode.
 * - While disconnected it is held until the session may have ended, less a margin; with `loseOn: 'suspended'` not even so long.
 * - After the session has ended it is lost for good.
 *
 * Dispose of it (`await using`) or call `release()`; also when it was lost, because its session may live on.
 */
export class Holder implements AsyncDisposable {
  readonly #zk: ZooKeeper;
  readonly #place: HeldPlace;
  readonly #lease: SessionLease;
  #released: Promise<void> | undefined;

  /** Made by the recipe. */
  constructor(zk: ZooKeeper, place: HeldPlace, options: LeaseOptions) {
    this.#zk = zk;
    this.#place = place;
    this.#lease = zk.lease(options);
    // Between the last answer and now the session may have been replaced: then nothing is held.
    if (zk.session === place.session) place.lookAfter((why) => this.#lease.lose(why));
    else this.#lease.lose('its session has ended');
  }

  /** The znode that stands for it. */
  get path(): string {
    return this.#place.path;
  }

  /** Whether it is certainly still held, worked out at this look. Once `false`, always `false`. */
  get held(): boolean {
    return this.#lease.held;
  }

  /** Aborts when it is lost or released. Hand it to whatever is done under the lock. */
  get signal(): AbortSignal {
    return this.#lease.signal;
  }

  /** A number higher than that of every holder before. */
  get fencingToken(): FencingToken {
    return this.#place.fencingToken;
  }

  /**
   * Makes a transaction one of the holder: the server carries it out only as long as the znode that stands for the
   * holder is there. If it is gone, `commit()` rejects with NoNodeError, whose `path` is that of the znode, and nothing
   * was written. Its result is `undefined`, at the end of those added so far. The transaction may be that of any client
   * of the same ensemble, whatever its root.
   *
   * @throws LeaseLostError at once when it is not held any more.
   */
  guard<Results extends readonly unknown[]>(transaction: Transaction<Results>): Transaction<[...Results, undefined]> {
    if (!this.held)
      throw new LeaseLostError('it is not held any more', {
        operation: 'guard',
        path: this.path,
        cause: this.signal.reason,
      });
    // Nobody else ever has a znode of this name, so its version says nothing.
    return transaction.check(this.path, undefined, this.#zk);
  }

  /**
   * Gives it back. Resolves when the znode is gone or its session is over; while disconnected, that is after the
   * reconnect. Calling it again waits for the same end. @throws NoAuthError.
   */
  release(): Promise<void> {
    this.#lease.release();
    this.#released ??= this.giveBack();
    return this.#released;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }

  /** What a release does at the server. */
  protected giveBack(): Promise<void> {
    return this.#place.leave();
  }

  /** Gives it back against the will of whoever holds it: the signal aborts for this reason. Never rejects. */
  protected breakOff(why: string): void {
    this.#lease.lose(why);
    this.#released ??= this.giveBack();
    // Whoever releases it later is told of the failure.
    this.#released.catch(() => undefined);
  }
}

/** Refuses a lease that would be lost as soon as it is won. @throws InvalidArgumentError. */
export function checkMargin(zk: ZooKeeper, { margin }: LeaseOptions, operation: string, path: string): void {
  const { timeout } = zk.session;
  if (margin === undefined || timeout === 0 || margin < timeout) return;
  throw new InvalidArgumentError(
    `the margin of ${margin} ms leaves nothing of the session timeout, which is ${timeout} ms`,
    { operation, path },
  );
}
