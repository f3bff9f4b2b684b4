// Latencies of some operations: of every fourth at a window of one, of every sixteenth above, as asking for the time would
// be seen in the figures.

const KEPT = 1 << 16;

export class Latencies {
  #mask;
  #asked = 0;
  #count = 0;
  #kept = new Float64Array(KEPT);

  constructor(window) {
    this.#mask = window === 1 ? 3 : 15;
  }

  isDue() {
    return (this.#asked++ & this.#mask) === 0;
  }

  add(milliseconds) {
    this.#kept[this.#count++ & (KEPT - 1)] = milliseconds;
  }

  clear() {
    this.#count = 0;
  }

  /** Microseconds below which that part of the operations was answered; undefined where none was measured. */
  quantile(part) {
    const sorted = this.#kept.slice(0, Math.min(this.#count, KEPT)).sort();
    return sorted.length === 0 ? undefined : sorted[Math.floor((sorted.length - 1) * part)] * 1_000;
  }
}
