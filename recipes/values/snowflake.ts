import { InvalidArgumentError, type WaitOptions, ZooKeeperError } from 'zookit';
import { checkNames, type OptionSubject, waitNames } from '../common/options.js';
import { after, defer, now, Wait, wallClock } from '../common/waiting.js';
import type { WorkerId } from './worker-id.js';

/** How {@link Snowflake} ids are made. */
export interface SnowflakeOptions extends WaitOptions {
  /** The time that counts as 0, milliseconds since 1970. Default: the beginning of 2020. */
  readonly epoch?: number | undefined;
  /** How many bits the worker id has. Default 10. */
  readonly workerBits?: number | undefined;
  /** How many bits the number within a millisecond has. Default 12. */
  readonly sequenceBits?: number | undefined;
  /** By how much the clocks of machines and servers may differ, milliseconds. Default 1,000. */
  readonly maxClockSkew?: number | undefined;
  /**
   * By how much the time in ids may be ahead of the clock, milliseconds: where more are made than fit into a
   * millisecond, or the clock was set back a little. Default 100.
   */
  readonly maxLead?: number | undefined;
}

/** Why no id is given: the worker id may be lost, or the clock is not to be trusted. */
export type IdRefusal = 'leaseLost' | 'clockBack' | 'clockAhead' | 'outOfRange';

/** An id is refused, because it might be given twice. */
export class IdRefusedError extends ZooKeeperError {
  readonly code = 'ID_REFUSED';

  constructor(
    message: string,
    subject: OptionSubject,
    /** Why. */
    readonly reason: IdRefusal,
  ) {
    super(message, subject);
  }
}

const EPOCH_2020 = 1_577_836_800_000;
const ID_BITS = 63;

/** Worker ids that have a generator: a second one would give the same ids. */
const inUse = new WeakSet<WorkerId>();

/**
 * Makes ids of 63 bits that nobody else makes, without asking anybody: milliseconds since the epoch, the worker id, and a
 * number within the millisecond. They grow with the time, and refuse rather than come twice.
 *
 * They are unique as long as clocks differ by no more than `maxClockSkew`: a new holder of a worker id begins later than
 * its predecessor can have ended. What is checked: the clock of this machine against that of the server when the id was
 * taken, and against a clock that cannot be set, ever after.
 */
export class Snowflake {
  /**
   * Resolves when the first id may be made: `maxClockSkew` and `maxLead` after the worker id was taken.
   *
   * @throws InvalidArgumentError, also for a worker id that has a generator already; IdRefusedError when the clock differs
   * from the server's by more than `maxClockSkew`, or the worker id is lost; OperationTimeoutError, AbortedError.
   */
  static async open(worker: WorkerId, options: SnowflakeOptions = {}): Promise<Snowflake> {
    const subject = { operation: 'Snowflake.open', path: worker.path };
    const { timeout, signal, ...settings } = options;
    checkNames(settings, [...names, ...waitNames], subject);
    using wait = new Wait({ timeout, signal }, subject);
    const layout = layoutOf(worker, settings, subject);
    const { skew, byServer } = worker.claimed;
    if (Math.abs(skew) > layout.maxClockSkew) {
      const problem = `the clock of this machine is ${Math.abs(skew)} ms ${skew > 0 ? 'ahead of' : 'behind'} the server's`;
      const reason = skew > 0 ? 'clockAhead' : 'clockBack';
      throw new IdRefusedError(`${problem}; up to ${layout.maxClockSkew} ms are allowed`, subject, reason);
    }
    const begin = byServer + layout.maxClockSkew + layout.maxLead;
    await reach(begin, wait);
    if (inUse.has(worker))
      throw new InvalidArgumentError(
        'the worker id has a generator, and a second one would make the same ids',
        subject,
      );
    inUse.add(worker);
    return new Snowflake(worker, layout, begin);
  }

  /** What the clock of the machine was ahead of the one that cannot be set. */
  readonly #ahead = wallClock() - now();
  #time: number;
  #sequence = -1;

  private constructor(
    /** The worker id that is in every id. */
    readonly worker: WorkerId,
    private readonly layout: Layout,
    begin: number,
  ) {
    this.#time = begin;
  }

  /** The next id. @throws IdRefusedError: `reason` says why; then none is used up. */
  next(): bigint {
    const { worker, layout } = this;
    if (!worker.held) this.#refuse('the worker id is lost', 'leaseLost');
    const clock = wallClock();
    const jump = clock - now() - this.#ahead;
    if (jump > layout.maxClockSkew) this.#refuse(`the clock was set ahead by ${Math.round(jump)} ms`, 'clockAhead');
    const isFull = clock <= this.#time && this.#sequence === layout.lastSequence;
    const time = isFull ? this.#time + 1 : Math.max(clock, this.#time);
    if (time - clock > layout.maxLead) this.#refuse(`the clock is ${time - clock} ms behind the last id`, 'clockBack');
    const since = BigInt(time - layout.epoch);
    if (since < 0n || since >> layout.timeBits !== 0n)
      this.#refuse('the time is not in the range of the ids', 'outOfRange');
    this.#sequence = time === this.#time ? this.#sequence + 1 : 0;
    this.#time = time;
    return (since << layout.timeShift) | layout.worker | BigInt(this.#sequence);
  }

  #refuse(problem: string, reason: IdRefusal): never {
    throw new IdRefusedError(problem, { operation: 'Snowflake.next', path: this.worker.path }, reason);
  }
}

/** Where what stands in an id, and the limits. */
interface Layout {
  readonly epoch: number;
  readonly timeBits: bigint;
  readonly timeShift: bigint;
  /** The worker id at its place. */
  readonly worker: bigint;
  readonly lastSequence: number;
  readonly maxClockSkew: number;
  readonly maxLead: number;
}

const names = ['epoch', 'workerBits', 'sequenceBits', 'maxClockSkew', 'maxLead'] as const;

function layoutOf(
  { id }: WorkerId,
  settings: Omit<SnowflakeOptions, 'timeout' | 'signal'>,
  subject: OptionSubject,
): Layout {
  const { epoch = EPOCH_2020, workerBits = 10, sequenceBits = 12, maxClockSkew = 1_000, maxLead = 100 } = settings;
  for (const [name, value] of Object.entries({ epoch, maxClockSkew, maxLead })) {
    if (!Number.isSafeInteger(value) || value < 0)
      throw new InvalidArgumentError(`${name} is ${String(value)}; it must be whole milliseconds, 0 or more`, subject);
  }
  for (const [name, bits] of Object.entries({ workerBits, sequenceBits })) {
    if (!Number.isInteger(bits) || bits < 1 || bits > 22)
      throw new InvalidArgumentError(`${name} is ${String(bits)}; it must be a whole number from 1 to 22`, subject);
  }
  if (id >= 2 ** workerBits)
    throw new InvalidArgumentError(`the worker id ${id} does not fit into ${workerBits} bits`, subject);
  return {
    epoch,
    timeBits: BigInt(ID_BITS - workerBits - sequenceBits),
    timeShift: BigInt(workerBits + sequenceBits),
    worker: BigInt(id) << BigInt(sequenceBits),
    lastSequence: 2 ** sequenceBits - 1,
    maxClockSkew,
    maxLead,
  };
}

/** Resolves when the clock has passed the time. */
async function reach(time: number, wait: Wait): Promise<void> {
  for (let left = time - wallClock(); left >= 0; left = time - wallClock()) {
    const over = defer();
    const stop = after(left + 1, () => over.resolve());
    try {
      await wait.race(over.promise);
    } finally {
      stop();
    }
  }
}
