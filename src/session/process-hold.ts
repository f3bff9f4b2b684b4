import { after, type Timer } from '../clock.js';

/**
 * Keeps the process running while somebody waits for this client. Only needed with the option `unref`, where sockets and
 * timers do not keep it.
 */
export class ProcessHold {
  #waiting = 0;
  #timer: Timer | undefined;

  /** Somebody waits. */
  take(): void {
    if (this.#waiting++ === 0) this.#hold();
  }

  /** One who waited waits no longer. */
  give(): void {
    if (--this.#waiting === 0) this.#timer?.cancel();
  }

  /** Any timer will do: as long as it waits, the process stays. */
  #hold(): void {
    this.#timer = after(Infinity, () => this.#hold());
  }

  /** Holds the process until `settle`, the callback that this one stands for, is called for the first time. */
  during<T>(settle: (outcome: T) => void): (outcome: T) => void {
    this.take();
    let over = false;
    return (outcome) => {
      if (!over) this.give();
      over = true;
      settle(outcome);
    };
  }
}
