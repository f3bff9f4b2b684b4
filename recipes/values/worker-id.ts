import {
  checkPath,
  childPath,
  type Data,
  InvalidArgumentError,
  type LeaseOptions,
  type WaitOptions,
  type ZooKeeper,
} from 'zookit';
import { childrenOf } from '../common/children.js';
import { Contender, type Line } from '../common/contender.js';
import { checkMargin, Holder } from '../common/holder.js';
import { checkLease, checkNames, leaseNames, type OptionSubject } from '../common/options.js';
import { sweepAfterWait } from '../common/sweeper.js';
import { after, defer, lookUntil, Wait, wallClock } from '../common/waiting.js';

/** How {@link WorkerIds} behave. */
export interface WorkerIdsOptions extends LeaseOptions {
  /** How many ids there are: from 0 to one less. Default 1,024, the ten bits of a Snowflake id. */
  readonly count?: number | undefined;
  /** The data of the znode that stands for an id: who has it, for operators to read. Default: none. */
  readonly data?: Data | undefined;
}

/** When an id was taken, on both clocks. */
export interface ClaimTime {
  /** When the znode was created by the clock of the leader, milliseconds since 1970. */
  readonly byServer: number;
  /** By how much the clock of this machine was ahead of that, milliseconds; the way of the answer counts. */
  readonly skew: number;
}

/** A worker id that is held: nobody else has it. */
export class WorkerId extends Holder {
  /** Made by {@link WorkerIds}. */
  constructor(
    zk: ZooKeeper,
    contender: Contender,
    options: LeaseOptions,
    /** The number. */
    readonly id: number,
    readonly claimed: ClaimTime,
  ) {
    super(zk, contender, options);
  }
}

/** The line of an id is that of a {@link Mutex}. */
const MARKER = 'lock-';
const STANDARD_COUNT = 1_024;
/** An id that was taken is handed out so much later, milliseconds: so two of its holders never claim at the same time. */
const CLAIM_GAP = 2;

/**
 * Ids of a bounded range, each of which one process has at a time: the worker ids of Snowflake-like numbers, slots,
 * shards.
 *
 * Znodes: `PATH/<id>/_c_<uuid>-lock-<sequence>`, ephemeral, below a container for each id that was ever used: a
 * {@link Mutex} each. Free ids are taken in no order.
 *
 * - While connected: held until released, or until somebody deletes the znode.
 * - While disconnected: held as long as the session certainly lives, less the margin.
 * - After an expiry: lost, and free for others. Take another one, in the new session.
 */
export class WorkerIds {
  readonly #count: number;

  /** @throws InvalidPathError, InvalidArgumentError. Does not connect. */
  constructor(
    private readonly zk: ZooKeeper,
    readonly path: string,
    private readonly options: WorkerIdsOptions = {},
  ) {
    const subject = this.#subject('new');
    checkPath(path, 'WorkerIds');
    checkNames(options, [...leaseNames, 'count', 'data'], subject);
    checkLease(options, subject);
    const { count = STANDARD_COUNT } = options;
    if (!Number.isSafeInteger(count) || count < 1)
      throw new InvalidArgumentError(`count is ${String(count)}; it must be a whole number from 1 on`, subject);
    this.#count = count;
  }

  /**
   * Takes a free id; where none is, waits for one. However the wait ends, no znode stays behind.
   *
   * @throws OperationTimeoutError, AbortedError; ClosedError, AuthFailedError; SessionExpiredError with
   * `renewSession: false`; NoAuthError; InvalidArgumentError when the margin is longer than the session timeout.
   */
  async acquire(options: WaitOptions = {}): Promise<WorkerId> {
    using wait = new Wait(options, this.#subject('acquire'));
    const watched: string[] = [];
    let taken: WorkerId | undefined;
    try {
      return await lookUntil(
        this.zk,
        wait,
        async (changed) => {
          taken = await this.#takeAny(wait);
          return taken ?? (await this.#watchAll(watched, changed));
        },
        (changed) => {
          for (const path of watched.splice(0)) this.zk.unwatch(path, changed);
        },
      );
    } catch (error) {
      // It came at the moment at which the wait ended.
      if (taken !== undefined) await sweepAfterWait(this.zk, wait, taken.path, taken.release());
      throw error;
    }
  }

  /** Which ids are held, in their order. */
  async held(): Promise<number[]> {
    const used = await this.#used();
    const counts = await Promise.all(used.map(async (id) => ({ id, contenders: await this.#contenders(id) })));
    return counts.filter(({ contenders }) => contenders > 0).map(({ id }) => id);
  }

  /** Those that were never used first: they need not be looked at. */
  async #takeAny(wait: Wait): Promise<WorkerId | undefined> {
    const used = new Set(await this.#used());
    const fresh = shuffled(Array.from({ length: this.#count }, (_, id) => id).filter((id) => !used.has(id)));
    for (const id of fresh) {
      const taken = await this.#take(id, wait);
      if (taken !== undefined) return taken;
    }
    const held = new Set(await this.held());
    for (const id of shuffled([...used].filter((each) => !held.has(each)))) {
      const taken = await this.#take(id, wait);
      if (taken !== undefined) return taken;
    }
    return undefined;
  }

  async #take(id: number, wait: Wait): Promise<WorkerId | undefined> {
    const line: Line = {
      path: childPath(this.path, String(id)),
      name: MARKER,
      markers: [MARKER],
      data: this.options.data ?? null,
    };
    const contender = await Contender.leadAtOnce(this.zk, line, wait);
    return contender === undefined ? undefined : await this.#hold(id, contender, wait);
  }

  /** Nothing if it was lost meanwhile. */
  async #hold(id: number, contender: Contender, wait: Wait): Promise<WorkerId | undefined> {
    try {
      const stat = await wait.race(this.zk.exists(contender.path));
      if (stat !== null) {
        const claimed = { byServer: stat.ctime, skew: wallClock() - stat.ctime };
        const worker = new WorkerId(this.zk, contender, this.options, id, claimed);
        await gap();
        wait.check();
        if (worker.held) return worker;
      }
    } catch (error) {
      contender.leave().catch(() => undefined);
      throw error;
    }
    await wait.race(contender.leave());
    checkMargin(this.zk, this.options, 'WorkerIds.acquire', this.path);
    return undefined;
  }

  /** All are taken: whichever is given back is told. */
  async #watchAll(watched: string[], changed: () => void): Promise<undefined> {
    const paths = Array.from({ length: this.#count }, (_, id) => childPath(this.path, String(id)));
    watched.push(...paths);
    await Promise.all(
      paths.map(async (path) => {
        if ((await childrenOf(this.zk, path, { watch: changed })).length === 0) changed();
      }),
    );
    return undefined;
  }

  /** The ids that have a znode. */
  async #used(): Promise<number[]> {
    const names = await childrenOf(this.zk, this.path);
    return names
      .filter((name) => /^(?:0|[1-9]\d*)$/.test(name))
      .map(Number)
      .filter((id) => id < this.#count)
      .sort((a, b) => a - b);
  }

  async #contenders(id: number): Promise<number> {
    return (await this.zk.exists(childPath(this.path, String(id))))?.numChildren ?? 0;
  }

  #subject(method: string): OptionSubject {
    return { operation: `WorkerIds.${method}`, path: this.path };
  }
}

async function gap(): Promise<void> {
  const over = defer();
  after(CLAIM_GAP, () => over.resolve());
  await over.promise;
}

/** In an order by chance, so that those who start together do not all try the same. */
function shuffled(ids: number[]): number[] {
  for (let last = ids.length - 1; last > 0; last--) {
    const other = Math.floor(Math.random() * (last + 1));
    [ids[last], ids[other]] = [ids[other] as number, ids[last] as number];
  }
  return ids;
}
