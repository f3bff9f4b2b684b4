import { checkPath, childPath, NoNodeError, type RequestLimits, type WaitOptions, type ZooKeeper } from 'zookit';
import { sweepAfterWait } from '../common/sweeper.js';
import { canTryAgain, pause, Wait, wallClock } from '../common/waiting.js';
import { AvailableItems } from './available-items.js';
import { type ConsumeOptions, isEndOfWait, isLoss, QueueConsumer, type QueueHandler } from './consumer.js';
import { Handout } from './handout.js';
import { CorruptItemError } from './item-format.js';
import type { ItemName } from './item-names.js';
import { Putter } from './putter.js';
import type { QueueItem } from './queue-item.js';
import { checkQueueOptions, type QueueKind, type QueueOptions } from './queue-options.js';
import type { QueuePaths } from './queue-paths.js';
import { type QueueSerializer, queueSerializers, serialized } from './serializer.js';

/** What all queues have. */
export abstract class BaseQueue<T> implements AsyncIterable<QueueItem<T>> {
  /** Where the locks of items under work stand. */
  readonly lockPath: string;
  /** Where dead letters go. */
  readonly deadPath: string;
  readonly #paths: QueuePaths;
  readonly #serializer: QueueSerializer<T>;
  readonly #putter: Putter;
  readonly #available: AvailableItems;
  readonly #handout: Handout<T>;

  protected constructor(
    private readonly zk: ZooKeeper,
    readonly path: string,
    private readonly kind: QueueKind,
    options: QueueOptions<T>,
  ) {
    checkPath(path, kind.name);
    const { maxItems, maxAttempts, margin, loseOn, onDeadLetter } = options;
    const { folders = { items: path, locks: `${path}-locks` } } = kind;
    const { lockPath = folders.locks, deadPath = `${path}-dead`, serializer = queueSerializers.json<T>() } = options;
    this.#paths = { items: folders.items, locks: lockPath, puts: `${path}-puts`, dead: deadPath };
    checkQueueOptions(options, this.#paths, kind, path);
    this.lockPath = lockPath;
    this.deadPath = deadPath;
    this.#serializer = serializer;
    this.#putter = new Putter(zk, this.#paths, kind.read, maxItems);
    this.#available = new AvailableItems(zk, this.#paths, kind.read, kind.perListing);
    const handout = { serializer, maxAttempts, margin, loseOn, onDeadLetter };
    this.#handout = new Handout(zk, this.#paths, kind.format, handout, () => this.#available.discard());
  }

  /**
   * Waits for an item and takes it. However the wait ends, no lock stays behind.
   *
   * @throws OperationTimeoutError, AbortedError when the wait is ended; ClosedError, AuthFailedError when the client
   * is; SessionExpiredError with `renewSession: false`; NoAuthError; InvalidArgumentError when the margin is longer than
   * the session timeout.
   */
  async take(options: WaitOptions = {}): Promise<QueueItem<T>> {
    using wait = this.#wait('take', options);
    for (;;) {
      const item = await this.#open(await this.#available.next(wait), wait);
      if (item !== undefined) return item;
    }
  }

  /** Takes an item if there is one that nobody works on; else resolves with undefined. Throws as {@link take} does. */
  async poll(options: WaitOptions = {}): Promise<QueueItem<T> | undefined> {
    using wait = this.#wait('poll', options);
    for (;;) {
      const name = await this.#available.nextAtOnce(wait);
      if (name === undefined) return undefined;
      const item = await this.#open(name, wait);
      if (item !== undefined) return item;
    }
  }

  /**
   * The value that would be taken next, its first one where there are several; undefined where there is none. Somebody
   * else may take it meanwhile. @throws NoAuthError, ClosedError, AuthFailedError, SessionExpiredError.
   */
  async peek(limits: RequestLimits = {}): Promise<T | undefined> {
    for (const { name, due } of await this.#available.list(limits)) {
      if (due > wallClock()) break;
      const path = childPath(this.#paths.items, name);
      try {
        const { data } = await this.zk.getData(path, limits);
        const [value] = this.#handout.read(data, path);
        if (value !== undefined) return value;
      } catch (error) {
        if (!(error instanceof NoNodeError || error instanceof CorruptItemError)) throw error;
      }
    }
    return undefined;
  }

  /**
   * How many items there are, those under work and those that are not due included. Costs the same however many there
   * are; children of others count, too.
   */
  async size(limits: RequestLimits = {}): Promise<number> {
    const stat = await this.zk.exists(this.#paths.items, limits);
    return stat?.numChildren ?? 0;
  }

  /**
   * Items, one after the other, for `for await`. An item counts as done when the next one is asked for, unless the loop
   * has settled it; when the loop is left by `break` or by an error, the item is given back. What was lost meanwhile is
   * passed over: it is handed out again.
   *
   * @param options `signal` ends the loop; `timeout`, too, when no item has come for so many milliseconds.
   */
  async *items(options: WaitOptions = {}): AsyncGenerator<QueueItem<T>, void, undefined> {
    for (;;) {
      const item = await this.#takeUnlessOver(options);
      if (item === undefined) return;
      let isDone = false;
      try {
        yield item;
        isDone = true;
      } finally {
        // The loop has settled it, or was left.
        if (!isDone && !item.isSettled) await item.release();
      }
      await item.ack().catch((error: unknown) => {
        if (!isLoss(error)) throw error;
      });
    }
  }

  [Symbol.asyncIterator](): AsyncGenerator<QueueItem<T>, void, undefined> {
    return this.items();
  }

  /**
   * Works on the items until it is stopped: calls `handler` with each value. When the handler has ended, the item is
   * done; when it throws, `onError` decides. A handler that takes part in a stop or a loss heeds `item.signal`.
   *
   * @throws InvalidArgumentError.
   */
  consume(handler: QueueHandler<T>, options: ConsumeOptions<T> = {}): QueueConsumer<T> {
    return new QueueConsumer(this.zk, this, handler, options);
  }

  /** Puts values under names with this prefix: each as an item of its own, or all as one. All or none. */
  protected async putValues(
    prefix: string,
    values: readonly T[],
    as: 'items' | 'one item',
    options: WaitOptions,
  ): Promise<void> {
    const operation = `${this.kind.name}.put`;
    using wait = this.#wait('put', options);
    const bytes = values.map((value) => serialized(this.#serializer, value, operation, this.path));
    const items = as === 'items' ? bytes.map((each) => [each]) : bytes.length === 0 ? [] : [bytes];
    const { format } = this.kind;
    await this.#putter.put(
      items.map((each) => ({ prefix, data: format.encode({ values: each, attempts: 0, id: undefined }) })),
      wait,
    );
  }

  /** Whether there is such an item that nobody works on. */
  protected async hasItem(matches: (name: ItemName) => boolean, limits: RequestLimits): Promise<boolean> {
    return (await this.#available.list(limits)).some(matches);
  }

  /** Takes out all such items that nobody works on. Resolves with how many they were. */
  protected async removeItems(matches: (name: ItemName) => boolean, options: WaitOptions): Promise<number> {
    using wait = this.#wait('remove', options);
    let count = 0;
    for (const name of await this.#available.list({ signal: wait.signal })) {
      wait.check();
      if (!matches(name)) continue;
      const item = await this.#claim(name, wait);
      if (item === undefined) continue;
      await wait.race(item.ack());
      count++;
    }
    return count;
  }

  async #takeUnlessOver(options: WaitOptions): Promise<QueueItem<T> | undefined> {
    try {
      return await this.take(options);
    } catch (error) {
      if (isEndOfWait(error)) return undefined;
      throw error;
    }
  }

  /** Makes an item of a name; undefined if it is somebody else's, or could not be claimed. */
  async #open(name: ItemName, wait: Wait): Promise<QueueItem<T> | undefined> {
    let item: QueueItem<T> | undefined;
    try {
      item = await this.#claim(name, wait);
    } catch (error) {
      if (wait.isOver || !canTryAgain(this.zk, error)) throw error;
      await wait.race(pause(this.zk, 0, wait.signal));
    } finally {
      this.#available.tried(name, item !== undefined);
    }
    return item;
  }

  async #claim(name: ItemName, wait: Wait): Promise<QueueItem<T> | undefined> {
    const opening = this.#handout.open(name);
    try {
      return await wait.race(opening);
    } catch (error) {
      if (wait.isOver) {
        // An item that comes late has nobody to work on it.
        const returned = opening.then(
          (item) => item?.release(),
          () => undefined,
        );
        await sweepAfterWait(this.zk, wait, childPath(this.#paths.locks, name.name), returned);
      }
      throw error;
    }
  }

  #wait(method: string, options: WaitOptions): Wait {
    return new Wait(options, { operation: `${this.kind.name}.${method}`, path: this.path });
  }
}
