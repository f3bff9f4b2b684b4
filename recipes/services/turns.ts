import { defer } from '../common/waiting.js';

/** Lets those with the same key through one after the other. */
export class Turns {
  /** The end of the turn of the last one in each line. */
  readonly #last = new Map<string, Promise<void>>();

  /** Resolves when it is its turn, which lasts until that is disposed of. */
  async take(key: string): Promise<Disposable> {
    const before = this.#last.get(key);
    const turn = defer();
    this.#last.set(key, turn.promise);
    await before;
    return {
      [Symbol.dispose]: () => {
        if (this.#last.get(key) === turn.promise) this.#last.delete(key);
        turn.resolve();
      },
    };
  }
}
