import { callUser } from '../events.js';

/**
 * Hands results and events to callers, in the order in which they came over the wire. It is the only place that does.
 *
 * A result settles a promise, and what waits for the promise runs as a microtask; an event calls a listener at once.
 * So an event waits until the microtasks of the results before it have run, and the results after it wait for what
 * the event has set in motion.
 */
export class Delivery {
  #queue: { readonly isEvent: boolean; readonly deliver: () => void }[] = [];
  #waiting = false;

  /** Whether a result must queue behind an event; if not, it may be handed out at once. */
  get congested(): boolean {
    return this.#waiting;
  }

  /** Hands out a result. Only needed while {@link congested}. */
  result(deliver: () => void): void {
    if (this.#waiting) this.#queue.push({ isEvent: false, deliver });
    else deliver();
  }

  /** Hands out an event: calls user code. */
  event(deliver: () => void): void {
    this.#queue.push({ isEvent: true, deliver });
    this.#wait();
  }

  #wait(): void {
    if (this.#waiting) return;
    this.#waiting = true;
    // A tick asked for from inside a microtask comes after all microtasks, those that they have queued included.
    queueMicrotask(() => process.nextTick(() => this.#drain()));
  }

  #drain(): void {
    this.#waiting = false;
    const isEvent = this.#queue[0]?.isEvent;
    if (isEvent === undefined) return;
    const end = this.#queue.findIndex((item) => item.isEvent !== isEvent);
    const run = end === -1 ? this.#queue : this.#queue.slice(0, end);
    this.#queue = end === -1 ? [] : this.#queue.slice(end);
    // First, because what is delivered may bring more, and that comes behind all of this.
    this.#wait();
    for (const { deliver } of run) callUser(deliver);
  }
}
