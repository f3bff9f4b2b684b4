import { defer, type Deferred, type Wait } from './waiting.js';

/** Tells those who wait that a local picture has changed, and hands its views to those who iterate. */
export class Announcer {
  #change: Deferred<void> = defer();
  #failure: Error | undefined;
  #isClosed = false;

  /** Resolves at the next change of anything. */
  get changed(): Promise<void> {
    return this.#change.promise;
  }

  /** What has ended it: an error that does not pass, or that it was closed. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Throws what has ended it, if anything has. */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Something has changed. */
  tell(): void {
    const change = this.#change;
    this.#change = defer();
    change.resolve();
  }

  /** It has ended: whoever waits is told why. */
  fail(why: Error): void {
    this.#failure ??= why;
    this.tell();
  }

  /** Nobody wants to know any more: iterations end, and whoever waits is told why. */
  end(why: Error): void {
    this.#isClosed = true;
    this.fail(why);
  }

  /** Resolves when `holds` does. Throws what it throws, what has ended it, or the end of the wait. */
  async until(holds: () => boolean, wait: Wait): Promise<void> {
    for (;;) {
      this.check();
      if (holds()) return;
      await wait.race(this.#change.promise);
    }
  }

  /**
   * The view now, and again whenever it is another one: views that come too fast are passed over, the last one never.
   * `view` gives undefined as long as there is none.
   */
  async *each<View>(
    view: () => View | undefined,
    isSame: (one: View, other: View) => boolean = Object.is,
  ): AsyncGenerator<View, void, undefined> {
    let told: View | undefined;
    while (!this.#isClosed) {
      const { changed } = this;
      const next = view();
      if (next !== undefined && (told === undefined || !isSame(next, told))) {
        told = next;
        yield next;
      } else {
        this.check();
        await changed;
      }
    }
  }
}
