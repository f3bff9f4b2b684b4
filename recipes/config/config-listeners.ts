import { isDeepStrictEqual } from 'node:util';
import type { InvalidConfigError } from './errors.js';
import { type ConfigDifference, differencesOf, type KeyPath, keysOfPath, valueAt } from './plain-values.js';

/** Where a value comes from: from the server; from the file of the last good one; or nothing is stored, so from the defaults. */
export type ConfigSourceName = 'server' | 'snapshot' | 'default';

/** A configuration has become another one. */
export interface ConfigChange<T> {
  readonly value: T;
  readonly previous: T;
  /** What is different. At least one place is. */
  readonly differences: readonly ConfigDifference[];
  readonly source: ConfigSourceName;
}

/** What a configuration tells. */
export interface ConfigEventMap<T> {
  /** It has become another one. A version that differs in nothing is none. */
  readonly change: ConfigChange<T>;
  /** A version is not valid. */
  readonly invalid: InvalidConfigError;
  /** An error that does not pass has ended it: it stays as it is. */
  readonly failed: Error;
}

type Listener = (event: never) => unknown;

/** Who is told by a configuration, at once. What a listener throws, or rejects with, disturbs nobody. */
export class ConfigListeners<T> {
  readonly #listeners = new Map<keyof ConfigEventMap<T>, Set<Listener>>();

  constructor(
    private readonly path: string,
    private readonly onError: ((error: unknown) => void) | undefined,
  ) {}

  add<E extends keyof ConfigEventMap<T>>(event: E, listener: (event: ConfigEventMap<T>[E]) => unknown): void {
    const listeners = this.#listeners.get(event);
    if (listeners === undefined) this.#listeners.set(event, new Set([listener]));
    else listeners.add(listener);
  }

  remove<E extends keyof ConfigEventMap<T>>(event: E, listener: (event: ConfigEventMap<T>[E]) => unknown): void {
    this.#listeners.get(event)?.delete(listener);
  }

  /** As {@link add}, until the signal aborts, or what it returns is called. */
  addUntil<E extends keyof ConfigEventMap<T>>(
    event: E,
    listener: (event: ConfigEventMap<T>[E]) => unknown,
    signal: AbortSignal | undefined,
  ): () => void {
    // A function of its own: the same listener may be given twice.
    const told = (what: ConfigEventMap<T>[E]): unknown => listener(what);
    const remove = (): void => {
      this.remove(event, told);
      signal?.removeEventListener('abort', remove);
    };
    if (signal?.aborted === true) return remove;
    signal?.addEventListener('abort', remove);
    this.add(event, told);
    return remove;
  }

  tell<E extends keyof ConfigEventMap<T>>(event: E, what: ConfigEventMap<T>[E]): void {
    for (const listener of [...(this.#listeners.get(event) ?? [])]) this.call(() => listener(what as never));
  }

  /** Tells of a change, if it is one. */
  changed(value: T, previous: T, source: ConfigSourceName): void {
    if ((this.#listeners.get('change')?.size ?? 0) === 0) return;
    const differences = differencesOf(previous, value);
    if (differences.length > 0) this.tell('change', { value, previous, differences, source });
  }

  /** Runs what a caller has given. */
  call(run: () => unknown): void {
    try {
      const result = run();
      if (result instanceof Promise) result.catch((error: unknown) => this.#report(error));
    } catch (error) {
      this.#report(error);
    }
  }

  clear(): void {
    this.#listeners.clear();
  }

  #report(error: unknown): void {
    try {
      if (this.onError !== undefined) {
        this.onError(error);
        return;
      }
    } catch (thrown) {
      error = thrown;
    }
    process.emitWarning(`zookit: a listener of the configuration ${this.path} failed: ${String(error)}`);
  }
}

/** Makes a listener of all changes out of one that wants to know of a part: it is told when that is another one. */
export function whenSelected<T>(
  selection: KeyPath | ((value: never) => unknown),
  listener: (selected: never, previous: never) => unknown,
): (change: ConfigChange<T>) => unknown {
  const select = typeof selection === 'function' ? (selection as (value: T) => unknown) : selectorOf(selection);
  return ({ value, previous }) => {
    const [now, before] = [select(value), select(previous)];
    return isDeepStrictEqual(now, before) ? undefined : listener(now as never, before as never);
  };
}

function selectorOf(path: KeyPath): (value: unknown) => unknown {
  const keys = keysOfPath(path);
  return (value) => valueAt(value, keys);
}
