import { InvalidArgumentError } from 'zookit';
import type { FencingToken } from '../common/fencing.js';
import type { Claim } from './claim.js';

/** What becomes of an item in the end. Made by the queue. */
export interface Settling {
  /** It is done. */
  done(): Promise<void>;
  /** It goes back to the end of the queue, from the value with this index on, or becomes a dead letter. */
  back(from: number): Promise<void>;
  /** It stays where it is, as if it had not been taken. */
  untouched(): Promise<void>;
}

/** What is known of an item beside its values. */
export interface ItemFacts {
  readonly id: string;
  readonly attempt: number;
}

/**
 * An item that this process works on. Nobody else gets it until it is given back, or until the session has ended: then
 * it is handed out again. Settle it by `ack()`, `nack()` or `release()`; what comes first counts. An async disposable:
 * `await using` gives back what was not settled.
 *
 * - While connected it is held, unless somebody deletes the znode of its lock.
 * - While disconnected it is held until the session may have ended, less a margin; with `loseOn: 'suspended'` not even so long.
 * - After the session has ended it is lost, and somebody else may work on it: stop when `signal` aborts.
 */
export class QueueItem<T> implements AsyncDisposable {
  readonly #claim: Claim;
  readonly #settling: Settling;
  #settled: Promise<void> | undefined;

  /** Stays the same however often the item is handed out: tell by it what was done already. */
  readonly id: string;
  /** 1 when it is handed out for the first time. Which times are counted depends on `maxAttempts`. */
  readonly attempt: number;
  /** All values of the item: one, unless they were put by `putMulti` or by Curator's of that name. */
  readonly values: readonly T[];

  /** Made by the queue. */
  constructor(claim: Claim, values: readonly T[], facts: ItemFacts, settling: Settling) {
    this.#claim = claim;
    this.#settling = settling;
    this.values = values;
    this.id = facts.id;
    this.attempt = facts.attempt;
  }

  /** The value. @throws InvalidArgumentError if the item has several: see {@link values}. */
  get value(): T {
    const { values, path } = this;
    if (values.length === 1) return values[0] as T;
    const problem = `the item has ${values.length} values, which were put together; use values`;
    throw new InvalidArgumentError(problem, { operation: 'QueueItem.value', path });
  }

  /** The znode of the item. */
  get path(): string {
    return this.#claim.path;
  }

  /** Whether it is certainly still ours, worked out at this look. Once `false`, always `false`. */
  get held(): boolean {
    return this.#claim.held;
  }

  /** Aborts when it is lost or settled. Hand it to whatever is done with the item. */
  get signal(): AbortSignal {
    return this.#claim.signal;
  }

  /** A number higher than that of everybody who had the item before. */
  get fencingToken(): FencingToken {
    return this.#claim.fencingToken;
  }

  /**
   * It is done: deletes the item and its lock in one transaction. While disconnected it is sent after the reconnect, and
   * again until its outcome is known.
   *
   * @throws SessionExpiredError, ItemLostError: somebody else gets the item, or has it; with `mayHaveBeenApplied` nobody
   * can tell. ClosedError, AuthFailedError; NoAuthError.
   */
  ack(): Promise<void> {
    return this.#settle(() => this.#settling.done());
  }

  /**
   * It could not be done: puts the item at the end of the queue, with one more attempt on its account. When it has had
   * `maxAttempts`, it becomes a dead letter. One transaction, all or nothing. Throws as {@link ack}.
   */
  nack(): Promise<void> {
    return this.nackFrom(0);
  }

  /** As {@link nack}, where the values before this index are done: only the others go back. */
  nackFrom(index: number): Promise<void> {
    const { values, path } = this;
    if (!(Number.isInteger(index) && index >= 0 && index < Math.max(1, values.length))) {
      const problem = `the index is ${String(index)}; it must be one of the ${values.length} values, from 0`;
      throw new InvalidArgumentError(problem, { operation: 'QueueItem.nackFrom', path });
    }
    return this.#settle(() => this.#settling.back(index));
  }

  /**
   * Gives it back as if it had not been taken: it stays where it is, and counts no attempt. Resolves also when it was lost
   * before. @throws ClosedError, AuthFailedError; NoAuthError.
   */
  release(): Promise<void> {
    return this.#settle(() => this.#settling.untouched());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // What somebody has asked for is settled there; what has gone wrong there was told to whoever has asked.
    if (this.#settled === undefined) await this.release();
  }

  #settle(settle: () => Promise<void>): Promise<void> {
    this.#settled ??= settle();
    return this.#settled;
  }

  /** Whether one of the methods that settle it was called. */
  get isSettled(): boolean {
    return this.#settled !== undefined;
  }
}
