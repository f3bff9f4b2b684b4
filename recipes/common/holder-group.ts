import type { Transaction } from 'zookit';
import type { Holder } from './holder.js';

/**
 * Several holders as one: it is held as long as all of its parts are. Dispose of it (`await using`) or call `release()`;
 * also when it was lost, because its other parts are still held.
 */
export class HolderGroup<Part extends Holder = Holder> implements AsyncDisposable {
  #controller: AbortController | undefined;
  #released: Promise<void> | undefined;

  /** Made by the recipe. */
  constructor(
    /** What is held, in the order in which it was taken; each with a fencing token of its own. */
    readonly parts: readonly Part[],
  ) {}

  /** Whether every part is certainly still held, worked out at this look. Once `false`, always `false`. */
  get held(): boolean {
    return this.parts.every(({ held }) => held);
  }

  /** Aborts when any part is lost or released, with the reason of that part. */
  get signal(): AbortSignal {
    this.#controller ??= this.#follow();
    return this.#controller.signal;
  }

  /**
   * Makes a transaction one of the group: the server carries it out only as long as the znodes of all parts are there, as
   * {@link Holder.guard} says of one. One result `undefined` for each part comes at the end.
   *
   * @throws LeaseLostError at once when a part is not held any more.
   */
  guard<Results extends readonly unknown[]>(
    transaction: Transaction<Results>,
  ): Transaction<[...Results, ...undefined[]]> {
    let guarded: Transaction<readonly unknown[]> = transaction;
    for (const part of this.parts) guarded = part.guard(guarded);
    return guarded as Transaction<[...Results, ...undefined[]]>;
  }

  /**
   * Gives all parts back, the last one first, whatever becomes of the others. Resolves when their znodes are gone or
   * their sessions over. @throws NoAuthError; AggregateError where several parts fail.
   */
  release(): Promise<void> {
    this.#released ??= this.#releaseAll();
    return this.#released;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }

  #follow(): AbortController {
    const controller = new AbortController();
    for (const { signal } of this.parts) {
      const onAbort = (): void => controller.abort(signal.reason);
      if (signal.aborted) onAbort();
      else signal.addEventListener('abort', onAbort, { once: true });
    }
    return controller;
  }

  async #releaseAll(): Promise<void> {
    // All at once: the requests go out, and are carried out, in this order.
    const results = await Promise.allSettled([...this.parts].reverse().map((part) => part.release()));
    const failures = results
      .filter((result): result is PromiseRejectedResult => result.status === 'rejected')
      .map(({ reason }): unknown => reason);
    if (failures.length === 1) throw failures[0];
    if (failures.length > 1) throw new AggregateError(failures, `${failures.length} parts could not be released`);
  }
}
