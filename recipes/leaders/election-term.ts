import { LeaseLostError, type Transaction, type WaitOptions } from 'zookit';
import type { FencingToken } from '../common/fencing.js';
import type { Leadership } from './leadership.js';

/** What the function of an election has in hand while it runs. */
export class ElectionTerm<Payload = unknown> {
  readonly #leadership: Leadership<Payload>;
  readonly #over = new AbortController();

  /** Made by the election. */
  constructor(leadership: Leadership<Payload>) {
    this.#leadership = leadership;
    const { signal } = leadership;
    const lost = (): void => this.#over.abort(signal.reason);
    if (signal.aborted) lost();
    else signal.addEventListener('abort', lost, { once: true });
  }

  /** Aborts when the leadership may be lost, and when the function shall return: hand it to whatever takes time. */
  get signal(): AbortSignal {
    return this.#over.signal;
  }

  /** Whether this candidate certainly leads, worked out at this look; also after an interruption, until the function returns. */
  get held(): boolean {
    return this.#leadership.held;
  }

  /** A number higher than that of every leader before. */
  get fencingToken(): FencingToken {
    return this.#leadership.fencingToken;
  }

  /** The znode that stands for the term. */
  get path(): string {
    return this.#leadership.path;
  }

  /** As `guard()` of a `Holder`: the server carries the transaction out only as long as the term's znode is there. */
  guard<Results extends readonly unknown[]>(transaction: Transaction<Results>): Transaction<[...Results, undefined]> {
    return this.#leadership.guard(transaction);
  }

  /** As `proclaim()` of a `Leadership`: tells others something about this leader. */
  proclaim(payload: Payload, options: WaitOptions = {}): Promise<void> {
    return this.#leadership.proclaim(payload, options);
  }

  /** Asks the function to return. Called by the election. @internal */
  interrupt(why: string): void {
    this.#over.abort(new LeaseLostError(why));
  }
}
