import { InvalidArgumentError, type WaitOptions, type ZooKeeper } from 'zookit';
import { wallClock } from '../common/waiting.js';
import { BaseQueue } from './base-queue.js';
import { framedFormat } from './item-format.js';
import { delayPrefix, readDelayName } from './item-names.js';
import type { QueueOptions } from './queue-options.js';

/** When a value may be taken: after a time, or at a moment. */
export type DelayOptions = WaitOptions &
  (
    | {
        /** Milliseconds from now, by the clock of this machine. */
        readonly delay: number;
        readonly at?: undefined;
      }
    | {
        /** The moment: a date, or milliseconds since 1970. */
        readonly at: Date | number;
        readonly delay?: undefined;
      }
  );

/** The latest moment that a Date can be. */
const LATEST = 8.64e15;

/**
 * A queue whose items are handed out when their moment has come, and not before: the earliest first. Each process goes by
 * its own clock, so the clocks have to agree as closely as the moments have to be kept. For the rest as {@link Queue}.
 *
 * Znodes, as Curator's DistributedDelayQueue has them: `PATH/queue-|<milliseconds since 1970, hexadecimal>|<sequence>`.
 */
export class DelayQueue<T = unknown> extends BaseQueue<T> {
  /** @throws InvalidPathError, InvalidArgumentError. Does not connect. */
  constructor(zk: ZooKeeper, path: string, options: QueueOptions<T> = {}) {
    super(zk, path, { name: 'DelayQueue', read: readDelayName, format: framedFormat, perListing: Infinity }, options);
  }

  /** Puts a value that may be taken later. Throws as {@link Queue.put} does. */
  put(value: T, options: DelayOptions): Promise<void> {
    return this.putAll([value], options);
  }

  /** Puts values of one moment, in their order, each an item of its own: all of them or none. */
  async putAll(values: readonly T[], options: DelayOptions): Promise<void> {
    const { delay, at, ...wait } = options;
    await this.putValues(this.#prefixOf(delay, at), values, 'items', wait);
  }

  /** Puts values as one item, which one consumer gets as a whole. */
  async putMulti(values: readonly T[], options: DelayOptions): Promise<void> {
    const { delay, at, ...wait } = options;
    await this.putValues(this.#prefixOf(delay, at), values, 'one item', wait);
  }

  #prefixOf(delay: number | undefined, at: Date | number | undefined): string {
    const subject = { operation: 'DelayQueue.put', path: this.path };
    if ((delay === undefined) === (at === undefined))
      throw new InvalidArgumentError('there must be a delay or a moment (at), and not both', subject);
    if (delay !== undefined && !(Number.isFinite(delay) && delay >= 0))
      throw new InvalidArgumentError(`the delay is ${String(delay)}; it must be milliseconds, 0 or more`, subject);
    const due = Math.ceil(delay === undefined ? Number(at) : wallClock() + delay);
    if (!(due > 0 && due <= LATEST)) {
      const problem = `the moment is ${String(due)}; it must be a date, or milliseconds since 1970, after that year began`;
      throw new InvalidArgumentError(problem, subject);
    }
    return delayPrefix(due);
  }
}
