import { InvalidArgumentError, NoNodeError, type ZooKeeper } from 'zookit';
import { defer, lookUntil, type Wait } from '../common/waiting.js';
import type { ReadName } from './item-names.js';
import { type NewItem, putOnce } from './put-once.js';
import type { QueuePaths } from './queue-paths.js';

/** Puts items, where there is a bound as soon as there is room for them. */
export class Putter {
  /** When those who came before have put. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly zk: ZooKeeper,
    private readonly paths: QueuePaths,
    private readonly read: ReadName,
    private readonly maxItems: number | undefined,
  ) {}

  /** All of them or none. */
  async put(items: readonly NewItem[], wait: Wait): Promise<void> {
    const { maxItems } = this;
    if (maxItems === undefined) return await putOnce(this.zk, this.paths, items, wait);
    if (items.length > maxItems) {
      const problem = `${items.length} items never fit into a queue of at most ${maxItems}`;
      throw new InvalidArgumentError(problem, { operation: 'put', path: this.paths.items });
    }
    // One after the other: those who look at the same time find the same room.
    const before = this.#turn;
    const done = defer();
    this.#turn = before.then(() => done.promise);
    try {
      await wait.race(before);
      await this.#room(maxItems - items.length, wait);
      await putOnce(this.zk, this.paths, items, wait);
    } finally {
      done.resolve();
    }
  }

  /** Waits until there are no more than so many items. */
  async #room(most: number, wait: Wait): Promise<void> {
    const { items } = this.paths;
    await lookUntil(
      this.zk,
      wait,
      async (changed) => ((await this.#count(changed, wait)) <= most ? true : undefined),
      (changed) => this.zk.unwatch(items, changed),
    );
  }

  async #count(changed: () => void, wait: Wait): Promise<number> {
    try {
      const names = await this.zk.getChildren(this.paths.items, { watch: changed, signal: wait.signal });
      return names.filter((name) => this.read(name) !== undefined).length;
    } catch (error) {
      if (error instanceof NoNodeError) return 0;
      throw error;
    }
  }
}
