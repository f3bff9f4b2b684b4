import { defer, type Deferred } from '../common/waiting.js';
import { ChangeQueue } from './change-queue.js';
import type { CacheChange } from './changes.js';

type Result<T> = IteratorResult<CacheChange<T>, undefined>;

/** One iteration over the changes of a cache. */
export class ChangeReader<T> implements AsyncIterator<CacheChange<T>, undefined> {
  readonly #queue = new ChangeQueue<T>();
  /** Those who wait for what comes. */
  #waiting: Deferred<Result<T>>[] = [];
  #end: { error: Error | undefined } | undefined;

  constructor(private readonly onReturn: () => void) {}

  /** Hands a change to who waits, or keeps it. */
  push(change: CacheChange<T>): void {
    const reader = this.#waiting.shift();
    if (reader === undefined) this.#queue.push(change);
    else reader.resolve({ done: false, value: change });
  }

  /** Nothing more comes. What waits is still handed out before an error is. */
  end(error: Error | undefined): void {
    this.#end ??= { error };
    if (error === undefined) this.#queue.clear();
    for (const reader of this.#waiting.splice(0)) this.#settle(reader);
  }

  next(): Promise<Result<T>> {
    const change = this.#queue.take();
    if (change !== undefined) return Promise.resolve({ done: false, value: change });
    const reader = defer<Result<T>>();
    if (this.#end === undefined) this.#waiting.push(reader);
    else this.#settle(reader);
    return reader.promise;
  }

  return(): Promise<Result<T>> {
    this.onReturn();
    this.end(undefined);
    return Promise.resolve({ done: true, value: undefined });
  }

  /** The error is thrown once. */
  #settle(reader: Deferred<Result<T>>): void {
    const error = this.#end?.error;
    this.#end = { error: undefined };
    if (error === undefined) reader.resolve({ done: true, value: undefined });
    else reader.reject(error);
  }
}
