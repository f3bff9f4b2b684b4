import { checkPath, InvalidArgumentError, type RequestLimits, type WaitOptions, type ZooKeeper } from 'zookit';
import { BaseQueue } from './base-queue.js';
import { framedFormat } from './item-format.js';
import { cleanId, idPrefix, readIdName } from './item-names.js';
import type { QueueOptions } from './queue-options.js';

/** What a value is to be called. */
export interface IdOptions extends WaitOptions {
  /** Need not be unique. `/` and `|` in it become `_`, as in Curator. */
  readonly id: string;
}

/**
 * A queue out of which items can be taken by what they were called. For the rest as {@link Queue}.
 *
 * Znodes, as Curator's DistributedIdQueue has them: `PATH/queue-|<id>|<sequence>`.
 */
export class IdQueue<T = unknown> extends BaseQueue<T> {
  /** @throws InvalidPathError, InvalidArgumentError. Does not connect. */
  constructor(zk: ZooKeeper, path: string, options: QueueOptions<T> = {}) {
    super(zk, path, { name: 'IdQueue', read: readIdName, format: framedFormat, perListing: Infinity }, options);
  }

  /** Puts a value at the end. Throws as {@link Queue.put} does, and InvalidPathError if no name may have the id. */
  put(value: T, options: IdOptions): Promise<void> {
    return this.putAll([value], options);
  }

  /** Puts values of one id at the end, each an item of its own: all of them or none. */
  async putAll(values: readonly T[], { id, ...options }: IdOptions): Promise<void> {
    this.#check(id, 'put');
    await this.putValues(idPrefix(id), values, 'items', options);
  }

  /**
   * Takes out all items of this id that nobody works on. Resolves with how many they were.
   *
   * @throws OperationTimeoutError, AbortedError; SessionExpiredError, ItemLostError: some may have been taken out;
   * ClosedError, AuthFailedError, NoAuthError.
   */
  async remove(id: string, options: WaitOptions = {}): Promise<number> {
    this.#check(id, 'remove');
    return await this.removeItems((name) => name.id === cleanId(id), options);
  }

  /** Whether there is an item of this id that nobody works on. */
  async has(id: string, limits: RequestLimits = {}): Promise<boolean> {
    this.#check(id, 'has');
    return await this.hasItem((name) => name.id === cleanId(id), limits);
  }

  #check(id: string, method: string): void {
    const given: unknown = id;
    if (typeof given !== 'string' || given === '') {
      const problem = `the id is ${String(given)}; it must be a text that is not empty`;
      throw new InvalidArgumentError(problem, { operation: `IdQueue.${method}`, path: this.path });
    }
    checkPath(`/${idPrefix(id)}`, `IdQueue.${method}`);
  }
}
