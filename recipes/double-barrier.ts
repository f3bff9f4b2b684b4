import { randomUUID } from 'node:crypto';
import {
  checkPath,
  childPath,
  ConnectionLossError,
  InvalidArgumentError,
  NodeExistsError,
  NoNodeError,
  type OneShotEvent,
  type WaitOptions,
  type ZooKeeper,
} from 'zookit';
import { sweep, sweepAfterWait } from './sweeper.js';
import { lookUntil, Wait } from './waiting.js';

/** The znode that says that enough have entered. */
const READY = 'ready';

/**
 * Lets a number of participants begin together, and go together.
 *
 * Znodes, as Curator's DistributedDoubleBarrier has them: a member `PATH/<uuid>`, ephemeral, for each participant, and
 * `PATH/ready`, persistent, once there are enough. kazoo's DoubleBarrier shares them.
 *
 * - A lost connection changes nothing: `enter()` and `leave()` go on after it.
 * - After an expiry, a participant counts as one that has left. `enter()` enters again, in the new session.
 *
 * One object is one participant: it enters once, then leaves once; after that it may enter again.
 */
export class DoubleBarrier {
  readonly #member: string;

  /**
   * @param count How many must enter before any may begin. More may come.
   * @throws InvalidPathError, InvalidArgumentError. Does not connect.
   */
  constructor(
    private readonly zk: ZooKeeper,
    readonly path: string,
    readonly count: number,
  ) {
    checkPath(path, 'DoubleBarrier');
    if (!Number.isInteger(count) || count < 1) {
      throw new InvalidArgumentError(
        `the count is ${String(count)}; it must be a whole number from 1 on`,
        this.#subject('new'),
      );
    }
    this.#member = childPath(path, randomUUID());
  }

  /**
   * Resolves when enough have entered. When the wait is ended, this participant counts no more.
   *
   * @throws OperationTimeoutError, AbortedError, ClosedError, AuthFailedError, NoAuthError.
   */
  async enter(options: WaitOptions = {}): Promise<void> {
    using wait = new Wait(options, this.#subject('enter'));
    const ready = childPath(this.path, READY);
    const { session } = this.zk;
    try {
      await lookUntil(
        this.zk,
        wait,
        (changed) => this.#isReady(ready, changed, wait),
        (changed) => this.zk.unwatch(ready, changed),
      );
    } catch (error) {
      await sweepAfterWait(this.zk, Promise.resolve(this.#member), session);
      throw error;
    }
  }

  /**
   * Resolves when all who have entered leave or are gone. The own membership ends with the wait, also when it is ended
   * early.
   *
   * @throws OperationTimeoutError, AbortedError, ClosedError, AuthFailedError, NoAuthError.
   */
  async leave(options: WaitOptions = {}): Promise<void> {
    using wait = new Wait(options, this.#subject('leave'));
    try {
      while (!(await this.#isEmpty(wait)));
    } catch (error) {
      await sweepAfterWait(this.zk, Promise.resolve(this.#member), this.zk.session);
      throw error;
    }
    await wait.race(this.#removeReady());
  }

  /** The watch on `ready` is left before the members are counted: so none who makes it full goes unnoticed. */
  async #isReady(ready: string, changed: (event: OneShotEvent) => void, wait: Wait): Promise<true | undefined> {
    const isReady = (await this.zk.exists(ready, { watch: changed, signal: wait.signal })) !== null;
    await this.#join();
    if (isReady) return true;
    if ((await this.#members()).length < this.count) return undefined;
    await unless(NodeExistsError, this.zk.create(ready, ''));
    return true;
  }

  async #join(): Promise<void> {
    try {
      await this.zk.create(this.#member, null, { mode: 'ephemeral', parents: 'container' });
    } catch (error) {
      // The name is ours alone, so a member that is there is ours, of this session or one that is about to go.
      if (error instanceof NodeExistsError && (await this.#isOurs())) return;
      if (error instanceof ConnectionLossError || error instanceof NodeExistsError) return await this.#join();
      throw error;
    }
  }

  async #isOurs(): Promise<boolean> {
    const stat = await this.zk.exists(this.#member);
    if (stat === null || stat.ephemeralOwner.equals(this.zk.session.id)) return stat !== null;
    await unless(NoNodeError, this.zk.delete(this.#member));
    return false;
  }

  /** One step of leaving: the lowest goes last, the others wait for it. */
  async #isEmpty(wait: Wait): Promise<boolean> {
    const members = await wait.race(this.#members());
    const [lowest] = members;
    const highest = members.at(-1);
    if (lowest === undefined || highest === undefined) return true;
    const leavesLast = lowest === this.#member;
    if (!leavesLast || members.length === 1) await wait.race(sweep(this.zk, this.#member, this.zk.session));
    if (members.length === 1 && leavesLast) return true;
    await this.#untilGone(leavesLast ? highest : lowest, wait);
    return false;
  }

  async #untilGone(path: string, wait: Wait): Promise<void> {
    await lookUntil(
      this.zk,
      wait,
      async (changed) =>
        (await this.zk.exists(path, { watch: changed, signal: wait.signal })) === null ? true : undefined,
      (changed) => this.zk.unwatch(path, changed),
    );
  }

  /** The paths of the members, in the order that all participants agree on. */
  async #members(): Promise<string[]> {
    try {
      const names = await this.zk.getChildren(this.path);
      return names
        .filter((name) => name !== READY)
        .sort()
        .map((name) => childPath(this.path, name));
    } catch (error) {
      if (error instanceof NoNodeError) return [];
      throw error;
    }
  }

  async #removeReady(): Promise<void> {
    await unless(NoNodeError, this.zk.delete(childPath(this.path, READY)));
  }

  #subject(method: string): { readonly operation: string; readonly path: string } {
    return { operation: `DoubleBarrier.${method}`, path: this.path };
  }
}

/** Waits for the result, no matter if it is this error. */
async function unless(expected: new (...args: never[]) => Error, result: Promise<unknown>): Promise<void> {
  try {
    await result;
  } catch (error) {
    if (!(error instanceof expected)) throw error;
  }
}
