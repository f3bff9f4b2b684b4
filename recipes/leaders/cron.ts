import {
  checkPath,
  childPath,
  InvalidArgumentError,
  type LeaseOptions,
  type ZooKeeper,
  type ZooKeeperError,
} from 'zookit';
import { checkNames, leaseNames } from '../common/options.js';
import { wallClock } from '../common/waiting.js';
import { CronLog, readCronState } from './cron-log.js';
import type { MissedRule } from './cron-plan.js';
import type { CronRecord } from './cron-record.js';
import { type CronJob, CronRunner, type OverlapRule } from './cron-runner.js';
import { type CronSchedule, type Timetable, timetableOf } from './cron-schedule.js';
import { report } from './errors.js';
import type { HandOverOptions } from './hand-over.js';
import { type ElectionState, LeaderElection } from './leader-election.js';
import type { LeaderObserver } from './leader-observer.js';
import type { Participant } from './participants.js';

/** How a {@link ClusterCron} behaves. */
export interface ClusterCronOptions extends LeaseOptions {
  /** Who this process is, for others to read. Default: empty. */
  readonly id?: string | undefined;
  /** Whose days and hours those of a cron expression are: `'utc'` (the default), `'local'`, or a name: `'Europe/Berlin'`. */
  readonly timeZone?: string | undefined;
  /** What becomes of runs that nobody has started in time. Default `'skip'`. */
  readonly missed?: MissedRule | undefined;
  /** How late a run may begin without counting as missed, milliseconds; at most half of the way to the next. Default 30,000. */
  readonly tolerance?: number | undefined;
  /** What happens at a time at which a run goes on. Default `'skip'`. */
  readonly overlap?: OverlapRule | undefined;
  /** How many runs are kept in the history, 0 to 500. Default 50. */
  readonly history?: number | undefined;
  /** As that of a `LeaderElection`: for how long a job may go on after its signal has aborted, milliseconds. */
  readonly grace?: number | undefined;
  /** Told of what jobs throw, as CronJobError, and of what makes leading impossible. Default: the process is warned. */
  readonly onError?: ((error: ZooKeeperError) => void) | undefined;
}

const DEFAULT_TOLERANCE = 30_000;
const DEFAULT_HISTORY = 50;
/** So many records stay far below the size that a znode may have. */
const LONGEST_HISTORY = 500;

/**
 * Runs a job at its times, once for all processes that have the same one: the leader among them runs it.
 *
 * Znodes: `PATH/leader`, where a `LeaderElection` goes on, and `PATH/state`, persistent, with the time up to which
 * everything is decided and the history, as JSON. Other libraries have nothing alike.
 *
 * - No time is started twice: a run is written down before it begins, in a transaction that the server refuses to who
 *   leads no more. So a run whose leader is lost is not repeated: its record says `abandoned`.
 * - While disconnected: what runs goes on as long as the session certainly lives, then its signal aborts. Nothing begins
 *   before the reconnect.
 * - After an expiry: another process leads, and by the rule for missed runs makes up for those of the time between.
 *
 * Times are those of the leader's clock, which may be set: what is decided stays decided.
 */
export class ClusterCron implements AsyncDisposable {
  readonly #election: LeaderElection<void>;
  readonly #timetable: Timetable;

  /** @throws InvalidPathError, InvalidArgumentError. Does not connect. */
  constructor(
    private readonly zk: ZooKeeper,
    readonly path: string,
    schedule: CronSchedule,
    private readonly job: CronJob,
    private readonly options: ClusterCronOptions = {},
  ) {
    checkPath(path, 'ClusterCron');
    checkOptions(job, options, path);
    const { id, timeZone = 'utc', margin, loseOn, grace, onError } = options;
    this.#timetable = timetableOf(schedule, timeZone, { operation: 'ClusterCron', path });
    this.#election = new LeaderElection<void>(zk, childPath(path, 'leader'), (term) => this.#runner(term).run(), {
      ...{ id, margin, loseOn, grace, onError },
      requeue: true,
    });
  }

  /** Begins to stand, and to run the job while it leads. Returns itself; calling it again changes nothing. */
  start(): this {
    this.#election.start();
    return this;
  }

  get state(): ElectionState {
    return this.#election.state;
  }

  /** Whether this process certainly leads, worked out at this look. */
  get isLeader(): boolean {
    return this.#election.isLeader;
  }

  /** The next time of the schedule after `time` (default: now), milliseconds since 1970. Asks no server. */
  nextAt(time: number = wallClock()): number {
    return this.#timetable.after(time);
  }

  /** The last runs, the oldest first. Anybody may ask, also without standing. @throws NoAuthError. */
  async history(): Promise<readonly CronRecord[]> {
    return (await readCronState(this.zk, this.#statePath))?.history ?? [];
  }

  /** All who stand, the leader first. Does not stand. */
  async participants(): Promise<Participant[]> {
    return await this.#election.participants();
  }

  /** Follows who leads. Does not stand. Close the observer, or `await using` it. */
  observe(): LeaderObserver {
    return this.#election.observe();
  }

  /** As `handOver()` of a `LeaderElection`: the signal of a job that runs aborts when there is a successor. */
  async handOver(options: HandOverOptions = {}): Promise<Participant> {
    return await this.#election.handOver(options);
  }

  /** Stands no more, and aborts the signal of a job that runs. Resolves when that has returned. Never rejects. */
  async close(): Promise<void> {
    await this.#election.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  get #statePath(): string {
    return childPath(this.path, 'state');
  }

  #runner(term: ConstructorParameters<typeof CronRunner>[3]): CronRunner {
    const {
      id = '',
      missed = 'skip',
      overlap = 'skip',
      tolerance = DEFAULT_TOLERANCE,
      history = DEFAULT_HISTORY,
      onError,
    } = this.options;
    const rules = {
      ...{ id, missed, overlap, tolerance, timetable: this.#timetable },
      report: (error: ZooKeeperError): void => report(error, onError),
    };
    return new CronRunner(this.job, rules, new CronLog(this.zk, this.#statePath, term, history), term);
  }
}

/** What an option may be, and in which words that is said. */
interface Rule {
  readonly takes: (value: unknown) => boolean;
  readonly words: string;
}

const isCount = (value: unknown, lowest: number): boolean => Number.isInteger(value) && Number(value) >= lowest;

const rules: Readonly<Record<string, Rule>> = {
  timeZone: { takes: (value) => typeof value === 'string', words: '"utc", "local" or the name of a time zone' },
  missed: {
    takes: (value) => value === 'skip' || value === 'runOnce' || isCount((value as { catchUp?: unknown }).catchUp, 1),
    words: '"skip", "runOnce" or { catchUp: a whole number from 1 on }',
  },
  overlap: {
    takes: (value) => value === 'skip' || value === 'interrupt' || isCount((value as { queue?: unknown }).queue, 1),
    words: '"skip", "interrupt" or { queue: a whole number from 1 on }',
  },
  tolerance: {
    takes: (value) => Number.isFinite(value) && Number(value) >= 0,
    words: 'milliseconds, 0 or more',
  },
  history: {
    takes: (value) => isCount(value, 0) && Number(value) <= LONGEST_HISTORY,
    words: `a whole number from 0 to ${LONGEST_HISTORY}`,
  },
};

function checkOptions(job: unknown, options: ClusterCronOptions, path: string): void {
  const subject = { operation: 'ClusterCron', path };
  checkNames(options, [...leaseNames, ...Object.keys(rules), 'id', 'grace', 'onError'], subject);
  if (typeof job !== 'function') throw new InvalidArgumentError('the job is no function', subject);
  for (const [name, { takes, words }] of Object.entries(rules)) {
    const value: unknown = options[name as keyof ClusterCronOptions];
    if (value === undefined || (value !== null && takes(value))) continue;
    throw new InvalidArgumentError(`${name} is ${JSON.stringify(value)}; it must be ${words}`, subject);
  }
}
