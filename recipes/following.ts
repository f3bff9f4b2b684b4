import type { ZooKeeper } from 'zookit';
import { canTryAgain, defer, type Deferred, pause } from './waiting.js';

/** One look at the server, which leaves watches that call `changed`. */
export type Look = (changed: () => void) => Promise<void>;

/**
 * Looks, and looks again whenever something may have changed, until it is closed: what keeps a local picture of the
 * server, or the server in line with a local wish. Looks never overlap. Errors that pass are retried, in a new session
 * if need be; any other ends it, and `onFailed` is told.
 */
export class Following {
  readonly #closing = new AbortController();
  #change: Deferred<void> = defer();
  #done: Promise<void> | undefined;

  constructor(
    private readonly zk: ZooKeeper,
    private readonly look: Look,
    private readonly onFailed: (error: Error) => void,
  ) {}

  /** Begins. */
  start(): void {
    this.#done ??= this.#run();
  }

  /** Makes it look again. */
  readonly wake = (): void => this.#change.resolve();

  /** Aborts when it is closed. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** Ends it. Resolves when the last look is over. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.wake();
    await this.#done;
  }

  async #run(): Promise<void> {
    let failures = 0;
    while (!this.closing.aborted) {
      // A change that is told while the look is under way counts as one that came after it.
      this.#change = defer();
      try {
        await this.look(this.wake);
        failures = 0;
        await this.#change.promise;
      } catch (error) {
        if (this.closing.aborted) return;
        if (!canTryAgain(this.zk, error)) {
          this.onFailed(error instanceof Error ? error : new Error(String(error)));
          return;
        }
        await pause(this.zk, failures++, this.closing);
      }
    }
  }
}
