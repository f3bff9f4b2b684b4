import {
  BadVersionError,
  childPath,
  isPassing,
  NodeExistsError,
  NoNodeError,
  type SessionInfo,
  type WaitOptions,
  type ZooKeeper,
} from 'zookit';
import type { OptionSubject } from '../common/options.js';
import { sweep } from '../common/sweeper.js';
import { isEndOfSession, isGone, lookUntil, pause, Wait } from '../common/waiting.js';
import { NotAMemberError } from './errors.js';
import { type CurrentRound, type ListedMember, memberName, membersIn, readRound } from './rounds.js';

/** A membership in a barrier with rounds. Dispose of it (`await using`) or call `leave()`. */
export class RoundMember implements AsyncDisposable {
  readonly #session: SessionInfo;
  #round = 0;
  #left: Promise<void> | undefined;

  /** Made by {@link RoundBarrier.join}. */
  constructor(
    private readonly zk: ZooKeeper,
    /** Of the barrier. */
    readonly path: string,
    private readonly uuid: string,
    private readonly id: string,
    private readonly least: number,
  ) {
    this.#session = zk.session;
  }

  /** The round in which it takes part: the next one to arrive in. */
  get round(): number {
    return this.#round;
  }

  /** Whether the session in which it has joined goes on, as far as is known. @internal */
  get isOfThisSession(): boolean {
    return this.zk.session === this.#session;
  }

  /**
   * Arrives in the current round, and resolves when all members have: with the number of the round that begins. When the
   * wait is ended it has arrived all the same; call it again to wait for the same round, or leave.
   *
   * @throws NotAMemberError once the membership is over; OperationTimeoutError, AbortedError; InvalidBarrierError;
   * ClosedError, AuthFailedError, NoAuthError.
   */
  async arrive(options: WaitOptions = {}): Promise<number> {
    using wait = new Wait(options, this.#subject);
    const round = this.#round;
    let watched = this.path;
    this.#round = await lookUntil(
      this.zk,
      wait,
      async (changed) => {
        const { next, watch } = await this.#look(round, changed, wait);
        if (next !== undefined) return next;
        if (watch === undefined) return undefined;
        watched = watch;
        if (await isGone(this.zk, watched, changed, wait)) changed();
        return undefined;
      },
      (changed) => {
        this.zk.unwatch(this.path, changed);
        this.zk.unwatch(watched, changed);
      },
    );
    return this.#round;
  }

  /**
   * Takes part no more; the others do not wait for it. Resolves when its znode is gone, or its session over. Calling it
   * again waits for the same end. @throws NoAuthError.
   */
  leave(): Promise<void> {
    this.#left ??= this.#leave();
    return this.#left;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.leave();
  }

  /** Enters the round. Resolves with whether that was possible: not if another one has joined, or it has begun, meanwhile. @internal */
  async enter({ round, version }: CurrentRound, wait: Wait): Promise<boolean> {
    this.#round = round;
    const own = (await this.#members(wait)).find(({ uuid }) => uuid === this.uuid);
    if (own !== undefined) {
      // It was created by a try whose answer was lost, in the round that its name tells.
      this.#round = own.arrived + 1;
      return true;
    }
    const joining = this.zk
      .transaction()
      // Another version tells those who are about to end the round that there is one more to wait for.
      .setData(this.path, String(round), version)
      .create(this.#pathOf(round - 1), this.id, { mode: 'ephemeral' });
    return await unlessOvertaken(joining.commit({ signal: wait.signal }));
  }

  /** One look: the round that has begun, or what to wait for. */
  async #look(
    round: number,
    changed: () => void,
    wait: Wait,
  ): Promise<{ readonly next?: number; readonly watch?: string | undefined }> {
    const [current, members] = await this.#situation(changed, wait);
    const own = members.find(({ uuid }) => uuid === this.uuid);
    if (own === undefined || !this.isOfThisSession || this.#left !== undefined) throw this.#notAMember();
    if (current.round > round) return { next: current.round };
    if (own.arrived < round && !(await this.#arriveAs(own, round, wait))) {
      changed();
      return {};
    }
    const missing = members.filter((each) => each !== own && each.arrived < round);
    if (missing.length > 0) return { watch: this.#whomToWatch(members, missing, own, round) };
    if (members.length < this.least) return {};
    if (await this.#end(round, current.version, wait)) return { next: round + 1 };
    changed();
    return {};
  }

  /** The round is read first, so that who joins after the members were listed has changed its version. */
  async #situation(changed: () => void, wait: Wait): Promise<[CurrentRound, ListedMember[]]> {
    try {
      return await Promise.all([readRound(this.zk, this.path, wait, changed), this.#members(wait)]);
    } catch (error) {
      throw error instanceof NoNodeError ? this.#notAMember() : error;
    }
  }

  async #members({ signal }: Wait): Promise<ListedMember[]> {
    return membersIn(await this.zk.getChildren(this.path, { signal }));
  }

  /** The znode goes over to the round under another name. */
  async #arriveAs(own: ListedMember, round: number, { signal }: Wait): Promise<boolean> {
    const moving = this.zk
      .transaction()
      .delete(childPath(this.path, own.name))
      .create(this.#pathOf(round), this.id, { mode: 'ephemeral' });
    return await unlessOvertaken(moving.commit({ signal }));
  }

  /**
   * The first of those who have arrived watches one who has not; the others watch the first. So nobody is woken at each
   * arrival but one.
   */
  #whomToWatch(
    members: readonly ListedMember[],
    missing: readonly ListedMember[],
    own: ListedMember,
    round: number,
  ): string {
    const keeper = members.find((each) => each === own || each.arrived >= round);
    const watched = keeper === own ? missing[0] : keeper;
    return childPath(this.path, watched?.name ?? '');
  }

  async #end(round: number, version: number, { signal }: Wait): Promise<boolean> {
    return await unlessOvertaken(this.zk.setData(this.path, String(round + 1), version, { signal }));
  }

  /** However often its request is lost. A move that was begun before has come or not when the children are listed. */
  async #leave(): Promise<void> {
    for (let failures = 0; this.isOfThisSession;) {
      try {
        const names = await this.zk.getChildren(this.path);
        const own = membersIn(names).filter(({ uuid }) => uuid === this.uuid);
        await Promise.all(own.map(({ name }) => sweep(this.zk, childPath(this.path, name), this.#session)));
        return;
      } catch (error) {
        if (error instanceof NoNodeError || isEndOfSession(error)) return;
        if (!isPassing(error)) throw error;
        await pause(this.zk, failures++);
      }
    }
  }

  #pathOf(arrived: number): string {
    return childPath(this.path, memberName(this.uuid, arrived));
  }

  #notAMember(): NotAMemberError {
    const why =
      this.#left !== undefined
        ? 'it was left'
        : this.isOfThisSession
          ? 'its znode was deleted'
          : 'its session has ended; join again';
    return new NotAMemberError(why, this.#subject);
  }

  get #subject(): OptionSubject {
    return { operation: 'RoundMember.arrive', path: this.path };
  }
}

/** Whether a write came through; not if things have changed since the look. */
async function unlessOvertaken(write: Promise<unknown>): Promise<boolean> {
  try {
    await write;
    return true;
  } catch (error) {
    if (error instanceof NoNodeError || error instanceof NodeExistsError || error instanceof BadVersionError)
      return false;
    throw error;
  }
}
