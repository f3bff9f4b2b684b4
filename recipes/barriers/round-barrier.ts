import { randomUUID } from 'node:crypto';
import { checkPath, InvalidArgumentError, NoNodeError, type WaitOptions, type ZooKeeper } from 'zookit';
import { childrenOf, textsOf } from '../common/children.js';
import { checkNames, type OptionSubject, waitNames } from '../common/options.js';
import { sweepAfterWait } from '../common/sweeper.js';
import { lookUntil, Wait } from '../common/waiting.js';
import type { BarrierMember } from './double-barrier.js';
import { RoundMember } from './round-member.js';
import { FIRST_ROUND, membersIn, plantRounds, readRound, roundIn } from './rounds.js';

/** How a {@link RoundBarrier} behaves. */
export interface RoundBarrierOptions {
  /** How many must have arrived at least before a round is over. Default 1: all who take part, however many. */
  readonly least?: number | undefined;
}

/** How to take part. */
export interface JoinOptions extends WaitOptions {
  /** Who this member is, for others to read. Default: empty. */
  readonly id?: string | undefined;
}

/** A member of a barrier with rounds, as others see it. */
export interface RoundParticipant extends BarrierMember {
  /** Whether it has arrived in the current round. */
  readonly hasArrived: boolean;
}

/**
 * Lets a changing group work in rounds: a round is over when all members have arrived, and then the next one begins
 * (Java: Phaser). Members may join and leave at any time; a round has a number that only grows.
 *
 * Znodes: `PATH`, persistent, with the number of the current round in decimal digits; `PATH/<uuid>-<round>`, ephemeral,
 * for each member, with the last round in which it has arrived, and its id as data. No other client has this recipe.
 *
 * - Who joins belongs to the current round: it is not over before this one has arrived, too.
 * - While disconnected: `arrive()` goes on after it.
 * - A member that leaves, or whose session ends, counts no more: the others go on without it. It has to join again.
 */
export class RoundBarrier {
  readonly #least: number;

  /** @throws InvalidPathError, InvalidArgumentError. Does not connect. */
  constructor(
    private readonly zk: ZooKeeper,
    readonly path: string,
    options: RoundBarrierOptions = {},
  ) {
    checkPath(path, 'RoundBarrier');
    checkNames(options, ['least'], this.#subject('new'));
    const { least = 1 } = options;
    if (!Number.isInteger(least) || least < 1)
      throw new InvalidArgumentError(
        `least is ${String(least)}; it must be a whole number from 1 on`,
        this.#subject('new'),
      );
    this.#least = least;
  }

  /**
   * Takes part from the current round on. When the wait is ended, it does not take part.
   *
   * @throws InvalidBarrierError; OperationTimeoutError, AbortedError; ClosedError, AuthFailedError; NoAuthError.
   */
  async join({ id = '', ...limits }: JoinOptions = {}): Promise<RoundMember> {
    const subject = this.#subject('join');
    checkNames(limits, [...waitNames, 'id'], subject);
    using wait = new Wait(limits, subject);
    for (;;) {
      const member = new RoundMember(this.zk, this.path, randomUUID(), id, this.#least);
      try {
        const isIn = await lookUntil<'in' | 'late'>(
          this.zk,
          wait,
          () => this.#enter(member, wait),
          () => undefined,
        );
        if (isIn === 'in') return member;
      } catch (error) {
        await sweepAfterWait(this.zk, wait, this.path, member.leave());
        throw error;
      }
    }
  }

  /** The number of the current round; undefined where nobody has ever joined. @throws InvalidBarrierError; NoAuthError. */
  async round(): Promise<number | undefined> {
    try {
      return roundIn(await this.zk.getData(this.path), this.path);
    } catch (error) {
      if (error instanceof NoNodeError) return undefined;
      throw error;
    }
  }

  /** Who takes part, in the order that all agree on. Those that vanish meanwhile are left out. */
  async participants(): Promise<RoundParticipant[]> {
    const [round = FIRST_ROUND, names] = await Promise.all([this.round(), childrenOf(this.zk, this.path)]);
    const members = await textsOf(this.zk, this.path, membersIn(names));
    return members.map(({ id, path, arrived }) => ({ id, path, hasArrived: arrived >= round }));
  }

  /** `late`: the session of the member has ended. */
  async #enter(member: RoundMember, wait: Wait): Promise<'in' | 'late'> {
    for (;;) {
      wait.check();
      if (!member.isOfThisSession) return 'late';
      await plantRounds(this.zk, this.path, wait);
      const current = await readRound(this.zk, this.path, wait);
      if (await member.enter(current, wait)) return 'in';
    }
  }

  #subject(method: string): OptionSubject {
    return { operation: `RoundBarrier.${method}`, path: this.path };
  }
}
