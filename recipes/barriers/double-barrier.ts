import { randomUUID } from 'node:crypto';
import {
  checkPath,
  childPath,
  InvalidArgumentError,
  nameOf,
  NodeExistsError,
  NoNodeError,
  type OneShotEvent,
  type SessionInfo,
  type Stat,
  type WaitOptions,
  type ZooKeeper,
} from 'zookit';
import { childrenOf, textsOf } from '../common/children.js';
import { checkNames } from '../common/options.js';
import { sweep, sweepAfterWait } from '../common/sweeper.js';
import { isGone, lookUntil, Wait } from '../common/waiting.js';

/** The znode that says that enough have entered. */
const READY = 'ready';

/** How a {@link DoubleBarrier} behaves. */
export interface DoubleBarrierOptions {
  /** Who this participant is, for others to read. Default: empty. */
  readonly id?: string | undefined;
}

/** A participant of a barrier, as others see it. */
export interface BarrierMember {
  /** The data of its znode. */
  readonly id: string;
  readonly path: string;
}

/**
 * Lets a number of participants begin together, and go together.
 *
 * Znodes, as Curator's DistributedDoubleBarrier has them: a member `PATH/<uuid>`, ephemeral, for each participant, and
 * `PATH/ready`, persistent, once there are enough. kazoo's DoubleBarrier shares them.
 *
 * - A lost connection changes nothing: `enter()` and `leave()` go on after it.
 * - After an expiry, a participant counts as one that has left, and `participating` is false. `enter()` enters again, in
 *   the new session.
 * - Who comes late, while members of the round are inside, goes in at once. A `ready` that outlived its round, because
 *   whoever was to delete it died, is told by the age of the members and deleted.
 *
 * One object is one participant: it enters once, then leaves once; after that it may enter again.
 */
export class DoubleBarrier {
  readonly #own: string;
  /** The creation of our member that was begun last. */
  #joining: Promise<unknown> = Promise.resolve();
  /** The session in which it has entered, until it leaves. */
  #entered: SessionInfo | undefined;

  /**
   * @param count How many must enter before any may begin. More may come.
   * @throws InvalidPathError, InvalidArgumentError. Does not connect.
   */
  constructor(
    private readonly zk: ZooKeeper,
    readonly path: string,
    readonly count: number,
    private readonly options: DoubleBarrierOptions = {},
  ) {
    checkPath(path, 'DoubleBarrier');
    checkNames(options, ['id'], this.#subject('new'));
    if (!Number.isInteger(count) || count < 1) {
      throw new InvalidArgumentError(
        `the count is ${String(count)}; it must be a whole number from 1 on`,
        this.#subject('new'),
      );
    }
    this.#own = childPath(path, randomUUID());
  }

  /** Whether it has entered and not left since, and its session has not ended as far as is known. */
  get participating(): boolean {
    const { state } = this.zk;
    const isOver = state === 'expired' || state === 'closed' || state === 'authFailed';
    return !isOver && this.#entered === this.zk.session;
  }

  /** Who is in, or on the way in or out, in the order that all agree on. Those that vanish meanwhile are left out. */
  async participants(): Promise<BarrierMember[]> {
    const members = (await this.#members()).map((path) => ({ name: nameOf(path) }));
    return (await textsOf(this.zk, this.path, members)).map(({ id, path }) => ({ id, path }));
  }

  /**
   * Resolves when enough have entered. When the wait is ended, this participant counts no more.
   *
   * @throws OperationTimeoutError, AbortedError, ClosedError, AuthFailedError, NoAuthError.
   */
  async enter(options: WaitOptions = {}): Promise<void> {
    using wait = new Wait(options, this.#subject('enter'));
    const ready = childPath(this.path, READY);
    // Told of by an event alone where the first to leave takes `ready` away, as kazoo does. Enough have entered then, too.
    let wasReady = false;
    let watch = (_event: OneShotEvent): void => undefined;
    try {
      await lookUntil(
        this.zk,
        wait,
        async (changed) => {
          watch = (event) => {
            wasReady ||= event.type === 'created';
            changed();
          };
          const stat = await this.zk.exists(ready, { watch, signal: wait.signal });
          await this.#join(wait);
          if (wasReady || (stat !== null && (await this.#isOfThisRound(stat)))) return true;
          return (await this.#isFull(ready)) ? true : undefined;
        },
        () => this.zk.unwatch(ready, watch),
      );
      this.#entered = this.zk.session;
    } catch (error) {
      await this.#withdraw(wait);
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
    this.#entered = undefined;
    let watched = this.path;
    try {
      await lookUntil(
        this.zk,
        wait,
        async (changed) => {
          const awaited = await this.#stepOut();
          if (awaited === undefined) return true;
          watched = awaited;
          if (await isGone(this.zk, watched, changed, wait)) changed();
          return undefined;
        },
        (changed) => this.zk.unwatch(watched, changed),
      );
    } catch (error) {
      await this.#withdraw(wait);
      throw error;
    }
  }

  /** Whether there are enough. The watch on `ready` was left before they are counted: so none who makes it full goes unnoticed. */
  async #isFull(ready: string): Promise<boolean> {
    if ((await this.#members()).length < this.count) return false;
    await unless(NodeExistsError, this.zk.create(ready, '', { parents: 'container' }));
    return true;
  }

  /**
   * Whether a member is there, or was until just now, that is older than `ready`. If none is, the round is over, and
   * `ready` was left behind: it is deleted. Where that goes too far, because a new round is full at this moment, whoever
   * is counted next creates it again.
   */
  async #isOfThisRound(ready: Stat): Promise<boolean> {
    const members = await Promise.all((await this.#members()).map((path) => this.zk.exists(path)));
    if (members.some((stat) => stat?.czxid.lessThan(ready.czxid))) return true;
    await unless(NoNodeError, this.zk.delete(childPath(this.path, READY)));
    return false;
  }

  async #join(wait: Wait): Promise<void> {
    for (;;) {
      // A look that nobody waits for any more must not bring back the member that was withdrawn.
      wait.check();
      const joining = this.zk.create(this.#own, this.options.id ?? null, { mode: 'ephemeral', parents: 'container' });
      this.#joining = joining;
      try {
        await joining;
        return;
      } catch (error) {
        if (!(error instanceof NodeExistsError)) throw error;
        if (await this.#isOurs()) return;
      }
    }
  }

  /** The name is ours alone, so a member that is there is ours: of this session, or of one that is about to go. */
  async #isOurs(): Promise<boolean> {
    const stat = await this.zk.exists(this.#own);
    if (stat === null || stat.ephemeralOwner.equals(this.zk.session.id)) return stat !== null;
    await unless(NoNodeError, this.zk.delete(this.#own));
    return false;
  }

  /** After an end that is none. */
  async #withdraw(wait: Wait): Promise<void> {
    const left = this.#joining.then(
      () => sweep(this.zk, this.#own, this.zk.session),
      () => sweep(this.zk, this.#own, this.zk.session),
    );
    await sweepAfterWait(this.zk, wait, this.#own, left);
  }

  /** One step of leaving: the lowest goes last, the others wait for it. Whom to wait for; undefined when all are gone. */
  async #stepOut(): Promise<string | undefined> {
    const members = await this.#members();
    const isLast = members[0] === this.#own;
    if (!isLast || members.length === 1) await unless(NoNodeError, this.zk.delete(this.#own));
    const awaited = isLast ? members.slice(1).at(-1) : members[0];
    if (awaited === undefined) await unless(NoNodeError, this.zk.delete(childPath(this.path, READY)));
    return awaited;
  }

  /** The paths of the members, in the order that all participants agree on. */
  async #members(): Promise<string[]> {
    const names = await childrenOf(this.zk, this.path);
    return names
      .filter((name) => name !== READY)
      .sort()
      .map((name) => childPath(this.path, name));
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
