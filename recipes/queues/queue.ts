import { InvalidArgumentError, type WaitOptions, type ZooKeeper } from 'zookit';
import { BaseQueue } from './base-queue.js';
import { framedFormat, rawFormat } from './item-format.js';
import { ITEM, plainNames } from './item-names.js';
import type { QueueOptions } from './queue-options.js';

/** How a {@link Queue} behaves. */
export interface FifoOptions<T> extends QueueOptions<T> {
  /**
   * How items are written. `'curator'`, the default: as DistributedQueue does. `'simple'`: as SimpleDistributedQueue and
   * the queue of the Java client do, whose consumers know no locks: let them only put, or only zookit do.
   */
  readonly layout?: 'curator' | 'simple' | undefined;
}

const layouts = {
  curator: { prefix: ITEM, format: framedFormat },
  simple: { prefix: 'qn-', format: rawFormat },
} as const;

/**
 * A queue that hands out first what came first, to whoever takes, and again when the taker has died: each item at least
 * once. For some thousands of items, not for more: every listing brings the names of all.
 *
 * Znodes, as Curator's DistributedQueue with `lockPath()` has them: `PATH/queue-<sequence>`, persistent, in Curator's
 * format; `PATH-locks/queue-<sequence>`, ephemeral, for each item under work. Beside them `PATH-puts/<uuid>`, ephemeral, as
 * long as a put takes, and `PATH-dead/queue-<sequence>` for dead letters.
 *
 * - While connected: what is under work is handed out to nobody else, unless somebody deletes its lock.
 * - While disconnected: takers and puts wait; what is under work stays so as long as the session lives.
 * - After an expiry: what was under work is handed out again. Takers go on in the new session. A put that was on its way
 *   rejects with SessionExpiredError; its `mayHaveBeenApplied` says whether it may be in the queue.
 *
 * A put costs one round trip, a take two at most when there are items (a listing serves many), an ack one.
 */
export class Queue<T = unknown> extends BaseQueue<T> {
  readonly #prefix: string;
  readonly #framed: boolean;

  /** @throws InvalidPathError, InvalidArgumentError. Does not connect. */
  constructor(zk: ZooKeeper, path: string, { layout = 'curator', ...options }: FifoOptions<T> = {}) {
    if (!Object.hasOwn(layouts, layout)) {
      const problem = `the layout is ${layout}; it must be "curator" or "simple"`;
      throw new InvalidArgumentError(problem, { operation: 'Queue', path });
    }
    const { prefix, format } = layouts[layout];
    super(zk, path, { name: 'Queue', read: plainNames(prefix), format, perListing: Infinity }, options);
    this.#prefix = prefix;
    this.#framed = format.framed;
  }

  /**
   * Puts a value at the end. Resolves when it is stored; however often replies are lost, it is stored once.
   *
   * @throws OperationTimeoutError, AbortedError, SessionExpiredError: `mayHaveBeenApplied` says whether it may be stored
   * all the same. RequestTooLargeError, NoAuthError, QuotaExceededError, ClosedError; what the serializer throws.
   */
  put(value: T, options: WaitOptions = {}): Promise<void> {
    return this.putAll([value], options);
  }

  /** Puts values at the end, in their order, each an item of its own: all of them or none. Throws as {@link put} does. */
  putAll(values: readonly T[], options: WaitOptions = {}): Promise<void> {
    return this.putValues(this.#prefix, values, 'items', options);
  }

  /**
   * Puts values as one item, which one consumer gets as a whole, in their order (Curator: putMulti). Throws as
   * {@link put} does, and InvalidArgumentError with the layout `'simple'`, which has no room for several.
   */
  async putMulti(values: readonly T[], options: WaitOptions = {}): Promise<void> {
    if (!this.#framed) {
      const problem = 'an item of the layout "simple" holds one value';
      throw new InvalidArgumentError(problem, { operation: 'Queue.putMulti', path: this.path });
    }
    await this.putValues(this.#prefix, values, 'one item', options);
  }
}
