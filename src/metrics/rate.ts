/** Over what time a rate is taken, milliseconds. */
const WINDOW = 10_000;
/** How far its samples lie apart at least, milliseconds. */
const STEP = 1_000;

/** How fast a counter grows: samples of it are taken when something happens, so that no timer is needed. */
export class Rate {
  #samples: { readonly time: number; readonly total: number }[] = [];
  /** Before this time no sample is due. */
  #due = -Infinity;

  constructor(private readonly startedAt: number) {}

  /** Whether it is time for a sample. */
  isDue(time: number): boolean {
    return time >= this.#due;
  }

  /** Takes a sample: what the counter stood at before that which happens now. */
  sample(time: number, total: number): void {
    this.#samples = this.#samples.filter((each) => each.time > time - WINDOW);
    this.#samples.push({ time, total });
    this.#due = time + STEP;
  }

  /** Its growth a second over the last ten seconds, or since the start. */
  perSecond(time: number, total: number): number {
    const first = this.#samples.find((each) => each.time > time - WINDOW);
    if (first === undefined) return 0;
    return (total - first.total) / (Math.min(WINDOW, Math.max(time - this.startedAt, STEP)) / 1_000);
  }
}
