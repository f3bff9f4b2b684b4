import {
  checkPath,
  childPath,
  compareSequences,
  type Data,
  InvalidArgumentError,
  type LeaseOptions,
  nameOf,
  sequenceOf,
  type WaitOptions,
  type ZooKeeper,
} from 'zookit';
import { childrenOf, textsOf } from '../common/children.js';
import { Contender, type Line } from '../common/contender.js';
import { checkMargin, Holder } from '../common/holder.js';
import { HolderGroup } from '../common/holder-group.js';
import { inOrder } from '../common/line-order.js';
import { checkLease, checkNames, leaseNames, waitNames } from '../common/options.js';
import { sweepAfterWait, sweepInBackground } from '../common/sweeper.js';
import { lookUntil, Wait } from '../common/waiting.js';
import { checkCount, LeaseCount, type SharedLeaseCount } from './lease-count.js';

/** How a {@link Semaphore} behaves. */
export interface SemaphoreOptions extends LeaseOptions {
  /** The data of the znodes: who holds a lease, for operators and {@link Semaphore.participants} to read. Default: none. */
  readonly data?: Data | undefined;
}

/** How to wait for leases, and for how many. */
export interface SemaphoreAcquireOptions extends WaitOptions {
  /** How many leases are wanted: all of them or none. */
  readonly count?: number | undefined;
}

/** One lease of a semaphore. */
export class SemaphoreLease extends Holder {}

/** A lease, as others see it. */
export interface SemaphoreParticipant {
  readonly path: string;
  /** Its data, as text. */
  readonly id: string;
  /** Whether it is among the first as many as there are leases. The others wait, or hold from before the count was lowered. */
  readonly holds: boolean;
}

const LEASE = 'lease-';
const TURN = 'lock-';

/**
 * A number of leases, each of which one holder has at a time, whatever process or language they are of.
 *
 * Znodes, as Curator's InterProcessSemaphoreV2 has them: `PATH/leases/_c_<uuid>-lease-<sequence>` for each lease, and
 * `PATH/locks/_c_<uuid>-lock-<sequence>` for who stands in line, all ephemeral. The first in line waits until its leases
 * are among the first as many as there are; the others wait for their turn.
 *
 * - While connected: held until released, or until somebody deletes the znode.
 * - While disconnected: waiters go on waiting, holders hold as long as the session certainly lives.
 * - After an expiry: holders have lost; waiters line up again in the new session, at the end.
 *
 * A lease that is free costs one round trip to take, and one to give back.
 */
export class Semaphore {
  /** For a {@link MultiLock}. */
  readonly kind = 'Semaphore';
  readonly #leases: Line;
  readonly #turns: Line;
  readonly #count: LeaseCount;
  /** How many of ours stand in line. */
  #waiting = 0;

  /**
   * @param count How many leases there are: the same for all who share the semaphore, or a znode that says it.
   * @throws InvalidPathError, InvalidArgumentError. Does not connect.
   */
  constructor(
    private readonly zk: ZooKeeper,
    readonly path: string,
    count: number | SharedLeaseCount,
    private readonly options: SemaphoreOptions = {},
  ) {
    const subject = { operation: 'Semaphore', path };
    checkPath(path, 'Semaphore');
    checkNames(options, [...leaseNames, 'data'], subject);
    checkLease(options, subject);
    this.#count = new LeaseCount(zk, count, subject);
    const data = options.data ?? null;
    this.#leases = { path: childPath(path, 'leases'), name: LEASE, markers: [LEASE], data };
    this.#turns = { path: childPath(path, 'locks'), name: TURN, markers: [TURN], data };
  }

  /**
   * Waits for a lease and takes it; with `count`, for so many, all or none: a group of leases then. Who asks for many is
   * not overtaken by those who ask for few. However the wait ends, no znode stays behind.
   *
   * @throws InvalidArgumentError for more leases than there are; InvalidLeaseCountError; otherwise as a mutex does.
   */
  acquire(options?: WaitOptions & { readonly count?: undefined }): Promise<SemaphoreLease>;
  acquire(options: SemaphoreAcquireOptions & { readonly count: number }): Promise<HolderGroup<SemaphoreLease>>;
  async acquire(options: SemaphoreAcquireOptions = {}): Promise<SemaphoreLease | HolderGroup<SemaphoreLease>> {
    const { count, wait } = this.#begin('acquire', options);
    using _ = wait;
    for (;;) {
      // Who knows of somebody in line goes there at once.
      const atOnce = this.#waiting === 0 ? await this.#enterAtOnce(count ?? 1, wait, false) : 'behind';
      const entered = typeof atOnce === 'string' ? await this.#enterInTurn(count ?? 1, wait) : atOnce;
      const held = typeof entered === 'string' ? undefined : await this.#hold(entered, wait);
      if (held !== undefined) return count === undefined ? firstOf(held) : held;
    }
  }

  /**
   * Takes the leases if they are free and nobody waits for one; otherwise resolves with undefined, and stands in no
   * line. Throws as {@link acquire} does.
   */
  tryAcquire(options?: WaitOptions & { readonly count?: undefined }): Promise<SemaphoreLease | undefined>;
  tryAcquire(
    options: SemaphoreAcquireOptions & { readonly count: number },
  ): Promise<HolderGroup<SemaphoreLease> | undefined>;
  async tryAcquire(
    options: SemaphoreAcquireOptions = {},
  ): Promise<SemaphoreLease | HolderGroup<SemaphoreLease> | undefined> {
    const { count, wait } = this.#begin('tryAcquire', options);
    using _ = wait;
    for (;;) {
      const entered = await this.#enterAtOnce(count ?? 1, wait, true);
      if (entered === 'behind') return undefined;
      const held = entered === 'gone' ? undefined : await this.#hold(entered, wait);
      if (held !== undefined) return count === undefined ? firstOf(held) : held;
    }
  }

  /** Runs `work` with a lease, and releases it whatever happens. What `work` returns or throws is passed on. */
  async using<T>(work: (lease: SemaphoreLease) => T | Promise<T>, options: WaitOptions = {}): Promise<T> {
    await using lease = await this.acquire({ timeout: options.timeout, signal: options.signal });
    return await work(lease);
  }

  /** The leases, in the order in which they were asked for. Those that vanish meanwhile are left out. */
  async participants(): Promise<SemaphoreParticipant[]> {
    const [names, count] = await Promise.all([childrenOf(this.zk, this.#leases.path), this.#count.read()]);
    const leases = inOrder(names, this.#leases.markers).map((name, index) => ({ name, holds: index < count }));
    const found = await textsOf(this.zk, this.#leases.path, leases);
    return found.map(({ path, id, holds }) => ({ path, id, holds }));
  }

  /**
   * Writes another number of leases into the znode that says it. With more of them, who waits comes in; with fewer, who
   * holds keeps its lease. @throws InvalidArgumentError where the count is fixed.
   */
  async setCount(count: number): Promise<void> {
    await this.#count.write(count, { operation: 'Semaphore.setCount', path: this.path });
  }

  #begin(
    method: string,
    options: SemaphoreAcquireOptions,
  ): { readonly count: number | undefined; readonly wait: Wait } {
    const subject = { operation: `Semaphore.${method}`, path: this.path };
    checkNames(options, [...waitNames, 'count'], subject);
    const { count, timeout, signal } = options;
    const { fixed } = this.#count;
    if (count !== undefined) checkCount(count, 1, subject);
    if (count !== undefined && fixed !== undefined && count > fixed)
      throw new InvalidArgumentError(`the count is ${count}; there are ${fixed} leases in all`, subject);
    return { count, wait: new Wait({ timeout, signal }, subject) };
  }

  /**
   * With leases, if these are free and nobody waits. Without a turn: of those that are among the first so many there are
   * never more, also beside others who count all (Curator): among too many, the last one created would have seen the
   * others.
   */
  async #enterAtOnce(count: number, wait: Wait, thorough: boolean): Promise<Contender[] | 'behind' | 'gone'> {
    wait.check();
    const entering = this.#enterAll(count, wait);
    // Behind the creates, in the same round trip.
    let asking: Promise<readonly [string[], number]> | undefined = this.#ask();
    asking.catch(() => undefined);
    const contenders = await entering;
    return this.#keep(contenders, wait, thorough, () =>
      lookUntil(
        this.zk,
        wait,
        async () => {
          const [waiting, most] = await (asking ?? this.#ask()).finally(() => (asking = undefined));
          const place = placeAmong(await childrenBehind(contenders), contenders, most);
          return place === 'first' && inOrder(waiting, this.#turns.markers).length > 0 ? 'behind' : place;
        },
        () => undefined,
      ),
    );
  }

  /** With leases, once it is our turn and they are free. One waits for leases at a time: so all or none, without a deadlock. */
  async #enterInTurn(count: number, wait: Wait): Promise<Contender[] | 'behind' | 'gone'> {
    this.#waiting++;
    try {
      const turn = await Contender.lead(this.zk, this.#turns, wait);
      try {
        const contenders = await this.#enterAll(count, wait);
        const entered = await this.#keep(contenders, wait, true, () => this.#waitForLeases(turn, contenders, wait));
        wait.leaveBehind(sweepInBackground(turn.path, turn.leave()));
        return entered;
      } catch (error) {
        await sweepAfterWait(this.zk, wait, turn.path, turn.leave());
        throw error;
      }
    } finally {
      this.#waiting--;
    }
  }

  async #waitForLeases(turn: Contender, contenders: readonly Contender[], wait: Wait): Promise<'first' | 'gone'> {
    const { path } = this.#leases;
    let isTurnLost = false;
    let isFirstLook = true;
    return lookUntil<'first' | 'gone'>(
      this.zk,
      wait,
      async (changed) => {
        turn.lookAfter(() => {
          isTurnLost = true;
          changed();
        });
        if (isTurnLost) return 'gone';
        if (isFirstLook) {
          isFirstLook = false;
          const place = placeAmong(await childrenBehind(contenders), contenders, await this.#count.read());
          if (place !== 'behind') return place;
        }
        const [names, most] = await Promise.all([
          childrenOf(this.zk, path, { watch: changed }),
          this.#count.read(changed),
        ]);
        const place = placeAmong(names, contenders, most);
        return place === 'behind' ? undefined : place;
      },
      (changed) => {
        this.zk.unwatch(path, changed);
        this.#count.forget(changed);
      },
    );
  }

  /** Who waits, and how many leases there are. */
  #ask(): Promise<readonly [string[], number]> {
    return Promise.all([childrenOf(this.zk, this.#turns.path), this.#count.read()]);
  }

  /** The contenders if they are first; otherwise, and whenever it fails, they leave. `thorough`: before it resolves. */
  async #keep(
    contenders: Contender[],
    wait: Wait,
    thorough: boolean,
    look: () => Promise<'first' | 'behind' | 'gone'>,
  ): Promise<Contender[] | 'behind' | 'gone'> {
    try {
      const place = await look();
      if (place === 'first') return contenders;
      const leaving = leaveAll(contenders);
      if (thorough) await wait.race(leaving);
      else wait.leaveBehind(sweepInBackground(this.#leases.path, leaving));
      return place;
    } catch (error) {
      await sweepAfterWait(this.zk, wait, this.#leases.path, leaveAll(contenders));
      throw error;
    }
  }

  /** Creates so many leases, all of the current session, or none. The requests go out in this turn. */
  async #enterAll(count: number, wait: Wait): Promise<Contender[]> {
    for (;;) {
      const entering = Array.from({ length: count }, (_, index) =>
        Contender.enter(this.zk, this.#leases, wait, index === count - 1),
      );
      const results = await Promise.allSettled(entering);
      const contenders = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
      const failure = results.find((result) => result.status === 'rejected');
      if (failure === undefined && contenders.every(({ session }) => session === this.zk.session)) return contenders;
      await sweepAfterWait(this.zk, wait, this.#leases.path, leaveAll(contenders));
      if (failure !== undefined) throw failure.reason;
    }
  }

  /** Nothing if a lease was lost between the answer and now: the caller shall not get what is not held any more. */
  async #hold(contenders: readonly Contender[], wait: Wait): Promise<HolderGroup<SemaphoreLease> | undefined> {
    const leases = contenders.map((contender) => new SemaphoreLease(this.zk, contender, this.options));
    const group = new HolderGroup(leases);
    if (group.held) return group;
    await wait.race(group.release());
    checkMargin(this.zk, this.options, 'Semaphore.acquire', this.path);
    return undefined;
  }
}

/** A group that was made for one lease. */
function firstOf({ parts }: HolderGroup<SemaphoreLease>): SemaphoreLease {
  const [lease] = parts;
  if (lease === undefined) throw new RangeError('there is no lease in the group');
  return lease;
}

/** The children that were listed behind the last of the creates. */
async function childrenBehind(contenders: readonly Contender[]): Promise<string[]> {
  return (await contenders.at(-1)?.children()) ?? [];
}

async function leaveAll(contenders: readonly Contender[]): Promise<void> {
  await Promise.all(contenders.map((contender) => contender.leave()));
}

/** Whether all of `own` are among the first `most` of the leases. Children that are no leases take one, too, as in Curator. */
export function placeAmong(
  names: readonly string[],
  own: readonly { readonly path: string }[],
  most: number,
): 'first' | 'behind' | 'gone' {
  const ownNames = own.map(({ path }) => nameOf(path));
  if (!ownNames.every((name) => names.includes(name))) return 'gone';
  const [first = 0, ...others] = ownNames.map((name) => sequenceOf(name, LEASE) ?? 0);
  const last = others.reduce((latest, each) => (compareSequences(each, latest) > 0 ? each : latest), first);
  const before = names.filter((name) => {
    const sequence = sequenceOf(name, LEASE);
    return sequence === undefined || compareSequences(sequence, last) <= 0;
  });
  return before.length <= most ? 'first' : 'behind';
}
