import { childPath, InvalidArgumentError, type WaitOptions, type ZooKeeper } from 'zookit';
import { BaseQueue } from './base-queue.js';
import { framedFormat, rawFormat } from './item-format.js';
import {
  isKazooPriority,
  isPriority,
  kazooPrefix,
  priorityPrefix,
  readKazooName,
  readPriorityName,
} from './item-names.js';
import type { QueueOptions } from './queue-options.js';

/** How a {@link PriorityQueue} behaves. */
export interface PriorityQueueOptions<T> extends QueueOptions<T> {
  /** How items are written: as Curator's DistributedPriorityQueue, the default, or as kazoo's LockingQueue does. */
  readonly layout?: 'curator' | 'kazoo' | undefined;
  /**
   * How many items are taken from one listing of the queue before there is another one (Curator: the same name). More
   * save listings, and what is put meanwhile waits for them however urgent it is. Default 1.
   */
  readonly minItemsBeforeRefresh?: number | undefined;
}

/** How urgent a value is. */
export interface PriorityOptions extends WaitOptions {
  /** The lower, the sooner. Any 32-bit number, default 0; with the layout `'kazoo'` from 0 to 999, default 100. */
  readonly priority?: number | undefined;
}

const layouts = {
  curator: {
    kind: { name: 'PriorityQueue', read: readPriorityName, format: framedFormat },
    standard: 0,
    isPriority,
    range: 'a whole number of 32 bits',
    prefix: priorityPrefix,
  },
  kazoo: {
    kind: { name: 'PriorityQueue', read: readKazooName, format: rawFormat },
    standard: 100,
    isPriority: isKazooPriority,
    range: 'a whole number from 0 to 999',
    prefix: kazooPrefix,
  },
} as const;

/**
 * A queue that hands out the most urgent item first, and of the same priority what came first. For the rest as
 * {@link Queue}, but that each take lists the queue: its names are read as often as items are taken.
 *
 * Znodes, as Curator's DistributedPriorityQueue has them: `PATH/queue-<0 or 1><8 hexadecimal digits><sequence>`. With the
 * layout `'kazoo'` those of its LockingQueue: `PATH/entries/entry-<3 digits>-<sequence>`, and the locks in `PATH/taken`;
 * its items are bare bytes, without a count of attempts.
 */
export class PriorityQueue<T = unknown> extends BaseQueue<T> {
  readonly #layout: 'curator' | 'kazoo';

  /** @throws InvalidPathError, InvalidArgumentError. Does not connect. */
  constructor(
    zk: ZooKeeper,
    path: string,
    { layout = 'curator', minItemsBeforeRefresh = 1, ...options }: PriorityQueueOptions<T> = {},
  ) {
    const subject = { operation: 'PriorityQueue', path };
    if (!Object.hasOwn(layouts, layout))
      throw new InvalidArgumentError(`the layout is ${layout}; it must be "curator" or "kazoo"`, subject);
    if (!(Number.isInteger(minItemsBeforeRefresh) && minItemsBeforeRefresh >= 1)) {
      const problem = `minItemsBeforeRefresh is ${String(minItemsBeforeRefresh)}; it must be a whole number from 1 on`;
      throw new InvalidArgumentError(problem, subject);
    }
    const folders =
      layout === 'kazoo' ? { items: childPath(path, 'entries'), locks: childPath(path, 'taken') } : undefined;
    super(zk, path, { ...layouts[layout].kind, perListing: minItemsBeforeRefresh, folders }, options);
    this.#layout = layout;
  }

  /** Puts a value. Throws as {@link Queue.put} does. */
  put(value: T, options: PriorityOptions = {}): Promise<void> {
    return this.putAll([value], options);
  }

  /** Puts values of one priority, in their order, each an item of its own: all of them or none. */
  async putAll(values: readonly T[], { priority, ...options }: PriorityOptions = {}): Promise<void> {
    await this.putValues(this.#prefixOf(priority), values, 'items', options);
  }

  /** Puts values as one item, which one consumer gets as a whole. Not with the layout `'kazoo'`. */
  async putMulti(values: readonly T[], { priority, ...options }: PriorityOptions = {}): Promise<void> {
    if (this.#layout === 'kazoo') {
      const problem = 'an item of the layout "kazoo" holds one value';
      throw new InvalidArgumentError(problem, { operation: 'PriorityQueue.putMulti', path: this.path });
    }
    await this.putValues(this.#prefixOf(priority), values, 'one item', options);
  }

  #prefixOf(given: number | undefined): string {
    const layout = layouts[this.#layout];
    const priority = given ?? layout.standard;
    if (layout.isPriority(priority)) return layout.prefix(priority);
    const problem = `the priority is ${String(priority)}; it must be ${layout.range}`;
    throw new InvalidArgumentError(problem, { operation: 'PriorityQueue.put', path: this.path });
  }
}
