/** How late the timers of this process were, on a machine that has other things to do. */

const STEP = 20;

/** Measures for how long this process was held up: no bound for what runs in it can be tighter. */
export class HoldUps {
  private lag = 0;
  private due = performance.now() + STEP;
  private readonly timer = setInterval(() => this.look(), STEP);

  /** Milliseconds in all, since it was made. */
  get total(): number {
    this.look();
    return this.lag;
  }

  [Symbol.dispose](): void {
    clearInterval(this.timer);
  }

  private look(): void {
    const time = performance.now();
    this.lag += Math.max(time - this.due, 0);
    this.due = time + STEP;
  }
}
