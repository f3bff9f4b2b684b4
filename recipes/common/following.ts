import { setMaxListeners } from 'node:events';
import type { SessionEvent, ZooKeeper } from 'zookit';
import { canTryAgain, defer, type Deferred, pause, timeOfDay } from './waiting.js';

/** What is done with a {@link Following}. */
export interface Follower {
  /** Looks at the server, and leaves watches that call `changed`. */
  look(changed: () => void): Promise<void>;
  /** A look is done, or the connection has come or gone. */
  looked(): void;
  /** An error that does not pass has ended it. */
  failed(error: Error): void;
}

/**
 * Looks, and looks again whenever something may have changed, until it is closed: what keeps a local picture of the
 * server, or the server in line with a local wish. Looks never overlap. Each connection brings a look. Errors that pass
 * are retried, in a new session if need be; any other ends it.
 */
export class Following {
  readonly #closing = new AbortController();
  #change: Deferred<void> = defer();
  /** What is known: of before a change, being looked up, or up to date. */
  #picture: 'old' | 'coming' | 'current' = 'old';
  /** When it was current last. */
  #staleSince = timeOfDay();
  #done: Promise<void> | undefined;

  constructor(
    private readonly zk: ZooKeeper,
    private readonly follower: Follower,
  ) {
    // A look may have many reads under way.
    setMaxListeners(0, this.closing);
  }

  /** Begins. */
  start(): void {
    this.#done ??= this.#run();
  }

  /** Makes it look again. */
  readonly wake = (): void => {
    this.#outdate();
    this.#change.resolve();
  };

  /** Whether there is a connection, and nothing is known to have changed since the last look. */
  get isCurrent(): boolean {
    return this.#picture === 'current' && this.zk.state === 'connected';
  }

  /** Since when it is not current, milliseconds since 1970; undefined while it is. */
  get staleSince(): number | undefined {
    if (this.isCurrent) return undefined;
    // The connection has gone, and nobody was told yet.
    return this.#picture === 'current' ? timeOfDay() : this.#staleSince;
  }

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
    this.zk.on('session', this.#onSession);
    for (let failures = 0; !this.closing.aborted;) {
      try {
        await this.#look();
        failures = 0;
        await this.#change.promise;
      } catch (error) {
        if (this.closing.aborted) break;
        if (!canTryAgain(this.zk, error)) {
          this.follower.failed(error instanceof Error ? error : new Error(String(error)));
          break;
        }
        await pause(this.zk, failures++, this.closing);
      }
    }
    this.#outdate();
    this.zk.off('session', this.#onSession);
  }

  #outdate(): void {
    if (this.#picture === 'current') this.#staleSince = timeOfDay();
    this.#picture = 'old';
  }

  async #look(): Promise<void> {
    // A change that is told while the look is under way counts as one that came after it.
    this.#change = defer();
    this.#picture = 'coming';
    await this.follower.look(this.wake);
    if (this.#picture === 'coming') this.#picture = 'current';
    this.follower.looked();
  }

  readonly #onSession = (event: SessionEvent): void => {
    if (event.type !== 'connected') this.#outdate();
    // A look that was begun without a connection is made on this one.
    else if (this.#picture !== 'coming') this.wake();
    this.follower.looked();
  };
}
