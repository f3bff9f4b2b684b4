import { hostname } from 'node:os';
import {
  BadVersionError,
  checkPath,
  childPath,
  InvalidArgumentError,
  NodeExistsError,
  NoNodeError,
  type Stat,
  type Transaction,
  type WaitOptions,
  type ZooKeeper,
  LeaseLostError,
} from 'zookit';
import { Contender, type Line } from '../common/contender.js';
import type { FencingToken } from '../common/fencing.js';
import { checkNames, type OptionSubject } from '../common/options.js';
import { sweepAfterWait, sweepInBackground } from '../common/sweeper.js';
import { canTryAgain, lookUntil, pause, Wait, wallClock } from '../common/waiting.js';
import { formatLease, parseLease, type WrittenLease } from './lease-format.js';
import { LeaseTerm } from './lease-term.js';

/** How a {@link Lease} behaves. */
export interface TimedLeaseOptions {
  /** How long a term lasts, milliseconds; at least 1,000. */
  readonly duration: number;
  /** Who asks: whoever asks by the same name takes its own lease over. Default: the name of the host. */
  readonly holder?: string | undefined;
  /**
   * By how much the clocks of two machines may differ, milliseconds: so long after its end the term of another holder
   * is let be. Default 1,000.
   */
  readonly clockSkew?: number | undefined;
}

/** Who has a lease, as it is written. */
export interface LeaseHolder {
  readonly holder: string;
  /** Until when, milliseconds since 1970. */
  readonly end: number;
  /** Whether the end has come, by the clock of this machine. */
  readonly hasEnded: boolean;
}

const MARKER = '__lock__';
const LEAST_DURATION = 1_000;
const DEFAULT_SKEW = 1_000;

/** A lease as it stands at the server. */
interface StandingLease extends WrittenLease {
  readonly stat: Stat;
}

/** What is done while nobody else changes the lease. */
type Step<T> = (standing: StandingLease | undefined, begin: () => Transaction<[undefined]>) => Promise<T>;

/**
 * Something that one holder has for a time, whether it lives or not: it outlasts its session and its process, which may
 * take it up again after a restart. So a job stays on its machine, and moves to another one when that fails for longer.
 *
 * Znodes, as kazoo's NonBlockingLease has them: `PATH/lease_holder`, persistent, JSON with `version` 1, `holder` and
 * `end`; it is changed under a lock of kazoo's in the same folder (`PATH/_c_<uuid>-__lock__<sequence>`).
 *
 * **It hangs on the time of day**: the end is written as a time that all machines compare with their own clocks. These
 * must agree, up to `clockSkew`; where they do not, two hold the lease. What must never be done twice takes a `Mutex`, or
 * checks the fencing token.
 *
 * A lost connection and an expiry change nothing for the holder. Nobody learns of a change by itself.
 */
export class Lease {
  readonly #line: Line;
  readonly #path: string;
  readonly #duration: number;
  readonly #clockSkew: number;
  /** By which name this one asks. */
  readonly holder: string;

  /** @throws InvalidPathError, InvalidArgumentError. Does not connect. */
  constructor(
    private readonly zk: ZooKeeper,
    readonly path: string,
    options: TimedLeaseOptions,
  ) {
    const subject = { operation: 'Lease', path };
    checkPath(path, 'Lease');
    checkNames(options, ['duration', 'holder', 'clockSkew'], subject);
    const { duration, holder = hostname(), clockSkew = DEFAULT_SKEW } = options;
    checkTime('duration', duration, LEAST_DURATION, subject);
    checkTime('clockSkew', clockSkew, 0, subject);
    if (typeof holder !== 'string' || holder === '')
      throw new InvalidArgumentError('the holder must be a text that is not empty', subject);
    this.holder = holder;
    this.#duration = duration;
    this.#clockSkew = clockSkew;
    this.#path = childPath(path, 'lease_holder');
    this.#line = { path, name: MARKER, markers: [MARKER], data: holder };
  }

  /**
   * Takes the lease if nobody has it, if its time is over, or if this holder has it already: then with a new term, and
   * the term before ends. Otherwise resolves with undefined. Waits for nothing but the server and for others who are
   * just asking.
   *
   * @throws OperationTimeoutError, AbortedError when the wait is ended: if it was taken just then, it is given back;
   * InvalidLeaseError when something else is written there; otherwise as a mutex does.
   */
  async tryAcquire(options: WaitOptions = {}): Promise<LeaseTerm | undefined> {
    using wait = new Wait(options, { operation: 'Lease.tryAcquire', path: this.path });
    // Most often somebody else has it: that needs no lock.
    const seen = await this.#look(wait);
    if (seen !== undefined && !this.#isFree(seen)) return undefined;
    return await this.#underLock(wait, async (standing, begin) => {
      if (standing !== undefined && !this.#isFree(standing)) return undefined;
      const term = new LeaseTerm(this.#path, this.holder, this.#duration, {
        renew: (each, waiting) => this.#renew(each, waiting),
        release: (each) => this.#release(each),
      });
      const taking = this.#write(begin(), term.written, standing).then((token) => term.begin(token));
      try {
        await wait.race(taking);
      } catch (error) {
        if (wait.isOver) {
          const given = taking.then(
            () => this.#release(term),
            () => undefined,
          );
          await sweepAfterWait(this.zk, wait, this.#path, given);
        }
        throw error;
      }
      return term;
    });
  }

  /** Who has the lease, or had it last; undefined where it was given back. @throws InvalidLeaseError. */
  async current(): Promise<LeaseHolder | undefined> {
    const standing = await this.#read();
    if (standing === undefined) return undefined;
    const { holder, end } = standing;
    return { holder, end, hasEnded: end <= wallClock() };
  }

  /** In place of what stands there, as a znode of its own: so tokens grow, and a twin by the same name has lost its term. */
  async #write(
    transaction: Transaction<[undefined]>,
    lease: WrittenLease,
    standing: StandingLease | undefined,
  ): Promise<FencingToken> {
    const data = formatLease(lease);
    if (standing === undefined) return (await transaction.create(this.#path, data).commit())[1].zxid;
    return (await transaction.delete(this.#path, standing.stat.version).create(this.#path, data).commit())[2].zxid;
  }

  async #renew(term: LeaseTerm, options: WaitOptions): Promise<void> {
    const subject = { operation: 'LeaseTerm.renew', path: this.path };
    using wait = new Wait(options, subject);
    await this.#underLock(wait, async (standing, begin) => {
      if (!term.held || standing?.stat.czxid.equals(term.fencingToken) !== true)
        throw new LeaseLostError('the lease is not held any more', subject);
      const next = term.next();
      await wait.race(begin().setData(this.#path, formatLease(next.written), standing.stat.version).commit());
      next.begin();
    });
  }

  async #release(term: LeaseTerm): Promise<void> {
    using wait = new Wait({}, { operation: 'LeaseTerm.release', path: this.path });
    await this.#underLock(wait, async (standing, begin) => {
      if (standing?.stat.czxid.equals(term.fencingToken) === true)
        await begin().delete(this.#path, standing.stat.version).commit();
    });
  }

  #isFree({ holder, end }: WrittenLease): boolean {
    return holder === this.holder || end + this.#clockSkew <= wallClock();
  }

  /**
   * Runs the step under the lock that all who change the lease take, and again when that was lost, or when the outcome is
   * not known. What the step writes by `begin` is written only as long as the lock stands.
   */
  async #underLock<T>(wait: Wait, step: Step<T>): Promise<T> {
    for (;;) {
      const lock = await Contender.lead(this.zk, this.#line, wait);
      try {
        const outcome = await this.#runUnder(lock, wait, step);
        wait.leaveBehind(sweepInBackground(lock.path, lock.leave()));
        if (outcome !== undefined) return outcome.result;
      } catch (error) {
        await sweepAfterWait(this.zk, wait, lock.path, lock.leave());
        throw error;
      }
    }
  }

  /** Undefined if the lock was lost. */
  async #runUnder<T>(lock: Contender, wait: Wait, step: Step<T>): Promise<{ readonly result: T } | undefined> {
    for (let failures = 0; this.zk.session === lock.session; failures++) {
      const bound = this.zk.ofThisSession();
      try {
        const standing = await wait.race(this.#read());
        return { result: await step(standing, () => bound.transaction().check(lock.path)) };
      } catch (error) {
        if (error instanceof NoNodeError && error.path === lock.path) return undefined;
        if (wait.isOver || !(isOutdated(error) || canTryAgain(this.zk, error))) throw error;
        await wait.race(pause(this.zk, failures, wait.signal));
      }
    }
    return undefined;
  }

  /** What stands there, as far as the server in use knows. Rides over what passes. */
  async #look(wait: Wait): Promise<StandingLease | undefined> {
    const found = await lookUntil(
      this.zk,
      wait,
      async () => ({ standing: await this.#read() }),
      () => undefined,
    );
    return found.standing;
  }

  async #read(): Promise<StandingLease | undefined> {
    try {
      const node = await this.zk.getData(this.#path);
      return { ...parseLease(node.text(), this.#path), stat: node.stat };
    } catch (error) {
      if (error instanceof NoNodeError) return undefined;
      throw error;
    }
  }
}

/** Whether somebody has changed the lease without the lock. */
function isOutdated(error: unknown): boolean {
  return error instanceof BadVersionError || error instanceof NodeExistsError || error instanceof NoNodeError;
}

function checkTime(name: string, value: unknown, least: number, subject: OptionSubject): void {
  if (typeof value === 'number' && Number.isFinite(value) && value >= least) return;
  throw new InvalidArgumentError(`the ${name} is ${String(value)}; it must be milliseconds, ${least} or more`, subject);
}
