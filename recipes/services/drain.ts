import { after, defer, now } from '../common/waiting.js';

/** The time that callers have to end what they have begun. It can be made shorter, and never longer. */
export class Drain {
  readonly #over = defer();
  #begun: number | undefined;
  #stop: () => void = () => undefined;

  /** It begins with {@link begin}. */
  constructor(private milliseconds: number) {}

  /** Resolves when it is over. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  /** From now on it counts. */
  begin(): void {
    this.#begun ??= now();
    this.#stop();
    this.#stop = after(this.#begun + this.milliseconds - now(), () => this.#over.resolve());
  }

  /** It takes no longer than so many milliseconds, from its beginning. */
  atMost(milliseconds: number): void {
    if (milliseconds >= this.milliseconds) return;
    this.milliseconds = milliseconds;
    if (this.#begun !== undefined) this.begin();
    // Where nothing is left, its beginning is not waited for either.
    else if (milliseconds === 0) this.#over.resolve();
  }
}
