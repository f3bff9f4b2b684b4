import { setMaxListeners } from 'node:events';
import { after } from '../clock.js';
import type { HostProvider } from '../connection/host-provider.js';
import { logOf } from '../log.js';
import { type ConnectOptions, ZooKeeper } from '../zookeeper.js';

const log = logOf('pool');

/** The first pause after a failure, milliseconds. It doubles with every further one. */
const FIRST_PAUSE = 100;
/** The longest pause, milliseconds. */
const LONGEST_PAUSE = 5_000;

/** What {@link Opener} asks and tells. */
export interface OpenerEvents {
  /** Whether somebody waits for a session, or the pool is to have more of them. */
  readonly isNeeded: () => boolean;
  readonly failed: (error: Error) => void;
}

/**
 * Opens the sessions of a pool. It never fails: the store that asks would ask again at once, for ever. So each opening
 * goes on until it has succeeded or the pool is closed, with growing pauses, and rests while nobody needs it.
 */
export class Opener {
  readonly #stop = new AbortController();
  /** Openings that rest. */
  #resting: (() => void)[] = [];
  #failures = 0;
  #lastFailure: Error | undefined;

  constructor(
    private readonly servers: string | HostProvider,
    private readonly options: ConnectOptions,
    private readonly events: OpenerEvents,
  ) {
    // Each opening listens.
    setMaxListeners(0, this.signal);
  }

  /** Aborts when the pool is closed. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Why no session could be opened, if that was the outcome of the newest try. */
  get lastFailure(): Error | undefined {
    return this.#lastFailure;
  }

  /** Resolves with a client that has a session, or with none once the pool is closed. */
  async open(): Promise<ZooKeeper | undefined> {
    for (;;) {
      if (this.signal.aborted) return undefined;
      try {
        const zk = await ZooKeeper.connect(this.servers, { ...this.options, signal: this.signal });
        this.#failures = 0;
        this.#lastFailure = undefined;
        return zk;
      } catch (error) {
        if (this.signal.aborted) return undefined;
        await this.#recover(error as Error);
      }
    }
  }

  /** Looks whether those that rest are needed now. */
  look(): void {
    if (!this.signal.aborted && !this.events.isNeeded()) return;
    for (const goOn of this.#resting.splice(0)) goOn();
  }

  /** Ends all openings. */
  stop(): void {
    this.#stop.abort();
    this.look();
  }

  async #recover(error: Error): Promise<void> {
    this.#lastFailure = error;
    log('no session: %s', error.message);
    const longest = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** Math.min(this.#failures++, 30));
    this.events.failed(error);
    await this.#pause(Math.random() * longest);
    while (!this.signal.aborted && !this.events.isNeeded())
      await new Promise<void>((resolve) => this.#resting.push(resolve));
  }

  #pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        timer.cancel();
        this.signal.removeEventListener('abort', end);
        resolve();
      };
      const timer = after(milliseconds, end);
      this.signal.addEventListener('abort', end);
      if (this.signal.aborted) end();
    });
  }
}
