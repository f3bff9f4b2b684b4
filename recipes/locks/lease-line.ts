import { childPath, compareSequences, type Data, nameOf, sequenceOf, type ZooKeeper } from 'zookit';
import { childrenOf } from '../common/children.js';
import { Contender, type Line } from '../common/contender.js';
import { inOrder } from '../common/line-order.js';
import { sweepAfterWait, sweepInBackground } from '../common/sweeper.js';
import { lookUntil, type Wait } from '../common/waiting.js';
import type { LeaseCount } from './lease-count.js';

const LEASE = 'lease-';
const TURN = 'lock-';

/** Where leases stand, and so their owners: among the first as many as there are, or not, or not any more. */
export type LeasePlace = 'first' | 'behind' | 'gone';

/** The leases of a semaphore, and the line of those who wait for them. */
export class LeaseLine {
  readonly leases: Line;
  readonly #turns: Line;
  /** How many of ours stand in line. */
  #waiting = 0;

  constructor(
    private readonly zk: ZooKeeper,
    path: string,
    private readonly count: LeaseCount,
    data: Data,
  ) {
    this.leases = { path: childPath(path, 'leases'), name: LEASE, markers: [LEASE], data };
    this.#turns = { path: childPath(path, 'locks'), name: TURN, markers: [TURN], data };
  }

  /** With leases: at once if they are free and nobody waits, else in turn. */
  async enter(count: number, wait: Wait): Promise<Contender[] | 'behind' | 'gone'> {
    // Who knows of somebody in line goes there without a try.
    const atOnce = this.#waiting === 0 ? await this.enterAtOnce(count, wait, false) : 'behind';
    return typeof atOnce === 'string' ? this.#enterInTurn(count, wait) : atOnce;
  }

  /**
   * With leases, if these are free and nobody waits. Without a turn: of those that are among the first so many there are
   * never more, also beside others who count all (Curator): among too many, the last one created would have seen the
   * others.
   */
  async enterAtOnce(count: number, wait: Wait, thorough: boolean): Promise<Contender[] | 'behind' | 'gone'> {
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
    const { path } = this.leases;
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
          const place = placeAmong(await childrenBehind(contenders), contenders, await this.count.read());
          if (place !== 'behind') return place;
        }
        const [names, most] = await Promise.all([
          childrenOf(this.zk, path, { watch: changed }),
          this.count.read(changed),
        ]);
        const place = placeAmong(names, contenders, most);
        return place === 'behind' ? undefined : place;
      },
      (changed) => {
        this.zk.unwatch(path, changed);
        this.count.forget(changed);
      },
    );
  }

  /** Who waits, and how many leases there are. */
  #ask(): Promise<readonly [string[], number]> {
    return Promise.all([childrenOf(this.zk, this.#turns.path), this.count.read()]);
  }

  /** The contenders if they are first; otherwise, and whenever it fails, they leave. `thorough`: before it resolves. */
  async #keep(
    contenders: Contender[],
    wait: Wait,
    thorough: boolean,
    look: () => Promise<LeasePlace>,
  ): Promise<Contender[] | 'behind' | 'gone'> {
    try {
      const place = await look();
      if (place === 'first') return contenders;
      const leaving = leaveAll(contenders);
      if (thorough) await wait.race(leaving);
      else wait.leaveBehind(sweepInBackground(this.leases.path, leaving));
      return place;
    } catch (error) {
      await sweepAfterWait(this.zk, wait, this.leases.path, leaveAll(contenders));
      throw error;
    }
  }

  /** Creates so many leases, all of the current session, or none. The requests go out in this turn. */
  async #enterAll(count: number, wait: Wait): Promise<Contender[]> {
    for (;;) {
      const entering = Array.from({ length: count }, (_, index) =>
        Contender.enter(this.zk, this.leases, wait, index === count - 1),
      );
      const results = await Promise.allSettled(entering);
      const contenders = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
      const failure = results.find((result) => result.status === 'rejected');
      if (failure === undefined && contenders.every(({ session }) => session === this.zk.session)) return contenders;
      await sweepAfterWait(this.zk, wait, this.leases.path, leaveAll(contenders));
      if (failure !== undefined) throw failure.reason;
    }
  }
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
): LeasePlace {
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
