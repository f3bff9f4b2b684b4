import type { CacheEventMap } from './changes.js';

type Listener<T, E extends keyof CacheEventMap<T>> = (event: CacheEventMap<T>[E]) => void;

/** Who is told of the changes of a cache, at once. One that throws disturbs no other: that is reported as uncaught. */
export class Listeners<T> {
  readonly #listeners = new Map<keyof CacheEventMap<T>, Set<(event: never) => void>>();

  add<E extends keyof CacheEventMap<T>>(event: E, listener: Listener<T, E>): void {
    const listeners = this.#listeners.get(event);
    if (listeners === undefined) this.#listeners.set(event, new Set([listener]));
    else listeners.add(listener);
  }

  remove<E extends keyof CacheEventMap<T>>(event: E, listener: Listener<T, E>): void {
    this.#listeners.get(event)?.delete(listener);
  }

  tell<E extends keyof CacheEventMap<T>>(event: E, what: CacheEventMap<T>[E]): void {
    for (const listener of this.#listeners.get(event) ?? []) {
      try {
        listener(what as never);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  clear(): void {
    this.#listeners.clear();
  }
}
