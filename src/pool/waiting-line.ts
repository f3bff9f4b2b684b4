import { after } from '../clock.js';
import { AbortedError, OperationTimeoutError } from '../errors.js';
import type { LentClient } from './lent-client.js';

/** How long to wait for a client, and what ends the wait. */
export interface AcquireOptions {
  /** Milliseconds. Default: the pool's `acquireTimeout`. */
  readonly timeout?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

interface Waiter {
  resolve(lent: LentClient): void;
  reject(error: Error): void;
}

const context = { operation: 'acquire' };

/** Those who wait for a client, in the order of their calls. */
export class WaitingLine {
  readonly #waiters = new Set<Waiter>();

  get length(): number {
    return this.#waiters.size;
  }

  /** Waits. `explain` gives what a timeout has to say, and its cause. */
  wait(
    timeout: number,
    signal: AbortSignal | undefined,
    explain: () => { readonly why: string; readonly cause: unknown },
  ): Promise<LentClient> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waiters.delete(waiter);
        timer.cancel();
        signal?.removeEventListener('abort', onAbort);
      };
      const waiter: Waiter = {
        resolve: (lent) => {
          leave();
          resolve(lent);
        },
        reject: (error) => {
          leave();
          reject(error);
        },
      };
      const timer = after(timeout, () => {
        const { why, cause } = explain();
        waiter.reject(
          new OperationTimeoutError(`no client of the pool within ${timeout} ms: ${why}`, { ...context, cause }, false),
        );
      });
      const onAbort = (): void =>
        waiter.reject(new AbortedError('it was aborted', { ...context, cause: signal?.reason }, false));
      signal?.addEventListener('abort', onAbort);
      this.#waiters.add(waiter);
      if (signal?.aborted === true) onAbort();
    });
  }

  /** Hands a client to the first one. */
  serve(lent: LentClient): void {
    const [first] = this.#waiters;
    first?.resolve(lent);
  }

  /** Sends all away. */
  rejectAll(error: Error): void {
    for (const waiter of [...this.#waiters]) waiter.reject(error);
  }
}
