import { randomUUID } from 'node:crypto';
import {
  checkPath,
  childPath,
  InvalidArgumentError,
  NodeExistsError,
  NoNodeError,
  type WaitOptions,
  type ZNode,
  type ZooKeeper,
} from 'zookit';
import { checkNames, type OptionSubject, waitNames } from '../common/options.js';
import { lookUntil, Wait } from '../common/waiting.js';
import { InvalidBarrierError } from './errors.js';
import { doOnce } from './idempotent.js';

/** How a latch is counted down. */
export interface CountDownOptions extends WaitOptions {
  /** Who counts down: each id counts once, however often it is called. Default: each call counts. */
  readonly id?: string | undefined;
}

/** More would not be listed in one answer of a server. */
const LARGEST_COUNT = 10_000;

/**
 * Lets everybody wait until something has happened so many times. It opens once, and stays open until it is removed.
 *
 * Znodes: `PATH`, persistent, with the count at the beginning in decimal digits; for each time that was counted a
 * persistent child, `PATH/id-<id>` or `PATH/<uuid>`. What is left is the difference. No other client has this recipe.
 *
 * - A lost connection changes nothing: all methods go on after it, and nothing is counted twice.
 * - No session owns what was counted: an expiry changes nothing.
 */
export class CountDownLatch {
  /** @throws InvalidPathError. Does not connect. */
  constructor(
    private readonly zk: ZooKeeper,
    readonly path: string,
  ) {
    checkPath(path, 'CountDownLatch');
  }

  /**
   * Sets the latch, where there is none. Resolves with whether there was none; over a lost connection it is tried again,
   * and a latch that is found then counts as set by this call.
   *
   * @throws InvalidArgumentError; OperationTimeoutError, AbortedError; NoAuthError.
   */
  async set(count: number, options: WaitOptions = {}): Promise<boolean> {
    const subject = this.#subject('set');
    if (!Number.isInteger(count) || count < 1 || count > LARGEST_COUNT)
      throw new InvalidArgumentError(`the count is ${String(count)}; it must be from 1 to ${LARGEST_COUNT}`, subject);
    using wait = new Wait(options, subject);
    return await doOnce(this.zk, wait, NodeExistsError, () =>
      this.zk.create(this.path, String(count), { parents: 'container', signal: wait.signal }),
    );
  }

  /**
   * Counts down by one, and resolves with what is left. Costs one round trip.
   *
   * @throws NoNodeError if the latch is not set; InvalidBarrierError; InvalidArgumentError; OperationTimeoutError,
   * AbortedError, after which it may have been counted: with an `id`, count again; NoAuthError.
   */
  async countDown({ id, ...limits }: CountDownOptions = {}): Promise<number> {
    const subject = this.#subject('countDown');
    checkNames(limits, [...waitNames, 'id'], subject);
    using wait = new Wait(limits, subject);
    const child = childPath(this.path, nameFor(id, subject));
    const { node } = await lookUntil(
      this.zk,
      wait,
      async () => {
        // The name is of this call alone, or of this id: found again, it was counted.
        const counting = unlessThere(this.zk.create(child, null, { signal: wait.signal }));
        const reading = this.zk.getData(this.path, { signal: wait.signal });
        return { node: (await Promise.all([reading, counting]))[0] };
      },
      () => undefined,
    );
    return this.#left(node);
  }

  /** What is left to be counted; undefined where the latch is not set. @throws InvalidBarrierError; NoAuthError. */
  async count(): Promise<number | undefined> {
    try {
      return this.#left(await this.zk.getData(this.path));
    } catch (error) {
      if (error instanceof NoNodeError) return undefined;
      throw error;
    }
  }

  /**
   * Resolves when nothing is left to be counted, at once if that is so. A latch that is not set, or is removed
   * meanwhile, is waited for.
   *
   * @throws OperationTimeoutError, AbortedError; InvalidBarrierError; ClosedError, AuthFailedError, NoAuthError.
   */
  async wait(options: WaitOptions = {}): Promise<void> {
    using wait = new Wait(options, this.#subject('wait'));
    await lookUntil<true>(
      this.zk,
      wait,
      async (changed) => ((await this.#isOpen(changed, wait)) ? true : undefined),
      (changed) => this.zk.unwatch(this.path, changed),
    );
  }

  /** Deletes the latch: it can be set anew. Who waits goes on waiting. Throws as operations do. */
  async remove(): Promise<void> {
    await this.zk.deleteTree(this.path);
  }

  async #isOpen(changed: () => void, wait: Wait): Promise<boolean> {
    const { signal } = wait;
    // The children are watched before they are counted.
    const listing = this.zk.getChildren(this.path, { watch: changed, signal });
    listing.catch(() => undefined);
    try {
      const node = await this.zk.getData(this.path, { signal });
      await listing;
      return this.#left(node) === 0;
    } catch (error) {
      if (!(error instanceof NoNodeError)) throw error;
    }
    if ((await this.zk.exists(this.path, { watch: changed, signal })) !== null) changed();
    return false;
  }

  #left(node: ZNode): number {
    const text = node.text();
    if (!/^\d{1,5}$/.test(text)) throw new InvalidBarrierError('the data are no count', { path: this.path });
    return Math.max(0, Number(text) - node.stat.numChildren);
  }

  #subject(method: string): OptionSubject {
    return { operation: `CountDownLatch.${method}`, path: this.path };
  }
}

function nameFor(id: string | undefined, subject: OptionSubject): string {
  if (id === undefined) return randomUUID();
  if (typeof id !== 'string' || id === '')
    throw new InvalidArgumentError('the id must be a text that is not empty', subject);
  try {
    return `id-${encodeURIComponent(id)}`;
  } catch (cause) {
    throw new InvalidArgumentError('the id has half of a character of two parts', { ...subject, cause });
  }
}

async function unlessThere(creating: Promise<unknown>): Promise<void> {
  try {
    await creating;
  } catch (error) {
    if (!(error instanceof NodeExistsError)) throw error;
  }
}
