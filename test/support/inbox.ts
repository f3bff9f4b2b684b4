import { gate, within, type Gate } from './until.js';

/** A queue between events and a test: what comes early waits for the test, and the test waits for what is late. */
export class Inbox<T> {
  private readonly items: T[] = [];
  private readonly takers: Gate<T>[] = [];

  constructor(private readonly what: string) {}

  put(item: T): void {
    const taker = this.takers.shift();
    if (taker === undefined) this.items.push(item);
    else taker.open(item);
  }

  /** The oldest item that nobody took. Rejects after `timeout` ms (default 10,000). */
  async take(timeout?: number): Promise<T> {
    const [item] = this.items.splice(0, 1);
    if (item !== undefined) return item;
    const taker = gate<T>();
    this.takers.push(taker);
    try {
      return await within(taker.promise, { what: this.what, ...(timeout === undefined ? {} : { timeout }) });
    } finally {
      const index = this.takers.indexOf(taker);
      if (index !== -1) this.takers.splice(index, 1);
    }
  }
}
