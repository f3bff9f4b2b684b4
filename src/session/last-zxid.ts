import Long from 'long';

/**
 * The highest zxid that this client has seen, over all its connections and sessions. It goes into each connect
 * request, so that no server with an older state is accepted. Taken from replies only: several events may share one
 * zxid, and what comes after the first would be missed after a reconnect.
 */
export class LastZxid {
  #high = 0;
  #low = 0;

  /** Takes the zxid of a reply; those that are not above 0 stand for none. */
  see(high: number, low: number): void {
    if (high > this.#high || (high === this.#high && low >>> 0 > this.#low >>> 0)) {
      this.#high = high;
      this.#low = low;
    }
  }

  /** Forgets it: the ensemble has lost the data that it speaks of. */
  forget(): void {
    this.#high = 0;
    this.#low = 0;
  }

  get value(): Long {
    return new Long(this.#low, this.#high);
  }
}
