import { ClosedError, type ZooKeeper } from 'zookit';
import { Announcer } from './announcer.js';
import { Following } from './following.js';
import type { OptionSubject } from './options.js';

/**
 * A local picture of the server that is kept current by looks: what waits for it, iterates over it and closes it.
 *
 * - While connected: current, as fast as the watches tell.
 * - While disconnected, and until a new session has looked: what was seen last, and not current.
 */
export class LiveView extends Announcer {
  readonly #following: Following;
  #hasLooked = false;

  constructor(
    zk: ZooKeeper,
    /** Who looks at what, for errors. */
    private readonly subject: OptionSubject,
    /** Looks at the server, takes what it sees, and leaves watches that call `changed`. */
    look: (changed: () => void) => Promise<void>,
  ) {
    super();
    this.#following = new Following(zk, {
      look: async (changed) => {
        await look(changed);
        this.#hasLooked = true;
      },
      looked: () => this.tell(),
      failed: (error) => this.fail(error),
    });
  }

  /** Begins to look, unless it has begun already. */
  start(): void {
    this.#following.start();
  }

  /** Makes it look again. The same function always: the watch to be left, and to be taken away. */
  get wake(): () => void {
    return this.#following.wake;
  }

  /** Whether a first look was made. */
  get hasLooked(): boolean {
    return this.#hasLooked;
  }

  /** Whether there is a connection, and nothing is known to have changed since the last look. */
  get isCurrent(): boolean {
    return this.#hasLooked && this.#following.isCurrent;
  }

  /** Since when it may be out of date, milliseconds since 1970; undefined while it is current. */
  get staleSince(): number | undefined {
    return this.#following.staleSince;
  }

  /** Aborts when it is closed: for the requests of a look. */
  get closing(): AbortSignal {
    return this.#following.closing;
  }

  /** Stops looking. Resolves when the last look is over; then the watches are to be taken away. */
  async close(): Promise<void> {
    const closed = this.#following.close();
    this.end(new ClosedError('it was closed', this.subject, false));
    await closed;
  }
}
