import type { ZooKeeper } from '../zookeeper.js';

/** What a lent client needs of its pool. */
export interface Lender {
  /** Takes the client back; with `discard`, its session is closed. Throws `InvalidArgumentError` if it is not lent. */
  takeBack(lent: LentClient, discard: boolean): Promise<void>;
  /** Whether the client is still lent. */
  hasLent(lent: LentClient): boolean;
}

/**
 * A client that a pool has lent. Give it back by `release()`, or by `await using`.
 *
 * `zk` works for one session: if that expires, its operations reject with `SessionExpiredError`, and so they do until
 * the client is given back. Once it is given back, every use of `zk` throws or rejects with `ClosedError`, listeners
 * are gone, and whatever was left on the session (watches, ephemeral znodes, leases, added credentials) is ended,
 * together with the session.
 */
export class LentClient implements AsyncDisposable {
  readonly #lender: Lender;

  /** Made by `pool.acquire()`. @internal */
  constructor(
    lender: Lender,
    /** The client. It cannot be closed: `close()` rejects with `InvalidArgumentError`. */
    readonly zk: ZooKeeper,
  ) {
    this.#lender = lender;
  }

  /** Gives the client back. Resolves when others can have it, or its session is closed. @throws InvalidArgumentError if it was given back before. */
  async release(): Promise<void> {
    await this.#lender.takeBack(this, false);
  }

  /** Gives the client back to be closed, because something about its session is not right. @throws InvalidArgumentError if it was given back before. */
  async discard(): Promise<void> {
    await this.#lender.takeBack(this, true);
  }

  /** Gives the client back, unless that was done before. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#lender.hasLent(this)) await this.#lender.takeBack(this, false);
  }
}
