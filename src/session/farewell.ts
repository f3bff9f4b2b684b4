import { after, type Timer } from '../clock.js';

/** The end of a session by its user: while it is open, the server is asked to confirm it. */
export class Farewell {
  readonly #timer: Timer;
  #isOpen = true;

  constructor(
    /** Milliseconds after which it is over at the latest. */
    timeout: number,
    /** Whether the session is to live on at the server. */
    readonly keepSession: boolean,
    private readonly onDone: (confirmed: boolean) => void,
  ) {
    this.#timer = after(timeout, () => this.done(false));
  }

  /** Whether the server's confirmation is still waited for. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  done(confirmed: boolean): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#timer.cancel();
    this.onDone(confirmed);
  }
}
