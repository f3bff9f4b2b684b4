import { LeaseLostError, type Transaction } from 'zookit';
import type { FencingToken } from '../common/fencing.js';
import { after, defer, type Deferred, wallClock } from '../common/waiting.js';
import { type CronLog, withRecord } from './cron-log.js';
import { type MissedRule, plan, type PlannedRun } from './cron-plan.js';
import type { CronRecord, CronState } from './cron-record.js';
import type { Timetable } from './cron-schedule.js';
import type { ElectionTerm } from './election-term.js';
import { CronJobError, NotLeaderError } from './errors.js';

/** What a job has in hand while it runs. */
export interface CronRun extends PlannedRun {
  /** Aborts when the leadership may be lost, when the cron is closed, and when another run takes its place. */
  readonly signal: AbortSignal;
  /** A number higher than that of every leader before. */
  readonly fencingToken: FencingToken;
  /** As `guard()` of a `Holder`: the server carries the transaction out only for who still leads. */
  guard<Results extends readonly unknown[]>(transaction: Transaction<Results>): Transaction<[...Results, undefined]>;
}

/** What is to be done at the times of the schedule. */
export type CronJob = (run: CronRun) => unknown;

/** What happens at a time at which a run goes on: nothing; the new run waits, with so many others; or it takes its place. */
export type OverlapRule = 'skip' | 'interrupt' | { readonly queue: number };

/** What a leader goes by. */
export interface CronRules {
  readonly timetable: Timetable;
  readonly missed: MissedRule;
  readonly overlap: OverlapRule;
  readonly tolerance: number;
  readonly id: string;
  readonly report: (error: CronJobError) => void;
}

/** At least so often the clock is looked at, milliseconds: it may be set while a long wait goes on. */
const LONGEST_NAP = 30_000;
/** So much of the message of an error is kept. */
const LONGEST_ERROR = 200;

/** Runs the job at its times, for one term of one leader. */
export class CronRunner {
  readonly #waiting: PlannedRun[] = [];
  #running: AbortController | undefined;
  #working: Promise<void> | undefined;
  /** Ends a nap early. */
  #wake: Deferred<void> = defer();
  #failure: { readonly error: unknown } | undefined;

  constructor(
    private readonly job: CronJob,
    private readonly rules: CronRules,
    private readonly log: CronLog,
    private readonly term: ElectionTerm,
  ) {}

  /** Resolves when the term is over and no job runs any more. @throws what made writing the history impossible. */
  async run(): Promise<void> {
    const { signal } = this.term;
    const onEnd = (): void => this.#stop('the term is over');
    signal.addEventListener('abort', onEnd, { once: true });
    try {
      await this.#serve();
    } catch (error) {
      // Of a term that is over nothing is to be told: the next leader goes on from what is written.
      if (this.term.held && !(error instanceof NotLeaderError)) throw error;
    } finally {
      signal.removeEventListener('abort', onEnd);
      this.#stop('the term is over');
      await this.#working;
    }
  }

  async #serve(): Promise<void> {
    const { timetable } = this.rules;
    let { upTo } = await this.#change(abandoned);
    while (!this.term.signal.aborted) {
      if (this.#failure !== undefined) throw this.#failure.error;
      const due = plan(timetable, upTo, wallClock(), this.rules);
      upTo = due.upTo;
      if (due.skipped !== undefined) await this.#giveUp('missed', due.skipped.upTo, due.skipped.count);
      await this.#take(due.runs);
      // A clock that was set back does not bring back what is decided.
      await this.#nap(timetable.after(Math.max(upTo, wallClock())));
    }
  }

  /** Lets runs begin, or wait, or not: by the rule for those that overlap. Those that are due together follow each other. */
  async #take(runs: readonly PlannedRun[]): Promise<void> {
    const newest = runs.at(-1);
    if (newest === undefined) return;
    const { overlap } = this.rules;
    const isBusy = this.#working !== undefined;
    const room = overlap === 'interrupt' ? Infinity : overlap === 'skip' ? 0 : overlap.queue - this.#waiting.length;
    if (isBusy && room <= 0) {
      await this.#giveUp('overlapped', newest.scheduledAt, runs.length);
      return;
    }
    if (isBusy && overlap === 'interrupt') {
      for (const { scheduledAt } of this.#waiting.splice(0)) await this.#giveUp('overlapped', scheduledAt, 1);
      this.#running?.abort(new LeaseLostError('another run takes its place'));
    }
    this.#waiting.push(...runs);
    this.#working ??= this.#work();
  }

  /** Run after run, until none waits. */
  async #work(): Promise<void> {
    try {
      for (let run = this.#waiting.shift(); run !== undefined; run = this.#waiting.shift()) await this.#start(run);
    } catch (error) {
      this.#failure = { error };
      this.#wake.resolve();
    }
    this.#working = undefined;
  }

  async #start(planned: PlannedRun): Promise<void> {
    const { scheduledAt } = planned;
    const running = new AbortController();
    this.#running = running;
    const begun = { ...this.#record(scheduledAt, 'running'), startedAt: wallClock() };
    // Told to all before it begins: no other leader starts it once more.
    await this.#note(begun, scheduledAt);
    if (this.term.signal.aborted) running.abort(this.term.signal.reason);
    const run: CronRun = {
      ...planned,
      signal: running.signal,
      fencingToken: this.term.fencingToken,
      guard: (transaction) => this.term.guard(transaction),
    };
    let end: Pick<CronRecord, 'outcome' | 'error'>;
    try {
      // Not begun at all where it was ended while that was written.
      if (!running.signal.aborted) await this.job(run);
      end = { outcome: running.signal.aborted ? 'interrupted' : 'done' };
    } catch (cause) {
      end = running.signal.aborted ? { outcome: 'interrupted' } : this.#failed(scheduledAt, cause);
    }
    this.#running = undefined;
    await this.#note({ ...begun, ...end, endedAt: wallClock() }, scheduledAt);
  }

  #failed(scheduledAt: number, cause: unknown): Pick<CronRecord, 'outcome' | 'error'> {
    const problem = `the run of ${new Date(scheduledAt).toISOString()} has failed`;
    this.rules.report(new CronJobError(problem, { operation: 'ClusterCron', path: this.term.path, cause }));
    return { outcome: 'failed', error: String(cause).slice(0, LONGEST_ERROR) };
  }

  async #giveUp(outcome: 'missed' | 'overlapped', scheduledAt: number, count: number): Promise<void> {
    // What waits is decided when it begins, and may be older.
    const upTo = this.#waiting.length === 0 ? scheduledAt : -Infinity;
    await this.#note({ ...this.#record(scheduledAt, outcome), count: count === 1 ? undefined : count }, upTo);
  }

  #record(scheduledAt: number, outcome: CronRecord['outcome']): CronRecord {
    return { scheduledAt, outcome, by: this.rules.id, fencingToken: this.term.fencingToken.toString() };
  }

  async #note(record: CronRecord, upTo: number): Promise<void> {
    await this.#change((state) => ({
      upTo: Math.max(state.upTo, upTo),
      history: withRecord(state.history, record),
    }));
  }

  /** Where nothing is known yet, nothing was missed. */
  #change(change: (state: CronState) => CronState): Promise<CronState> {
    return this.log.change(change, { upTo: wallClock(), history: [] });
  }

  #stop(why: string): void {
    this.#waiting.length = 0;
    this.#running?.abort(this.term.signal.reason ?? new LeaseLostError(why));
    this.#wake.resolve();
  }

  /** Resolves when it is time by the clock of the system, or earlier. */
  async #nap(until: number): Promise<void> {
    for (let left = until - wallClock(); left > 0 && !this.#isWoken(); left = until - wallClock()) {
      const stop = after(Math.min(left, LONGEST_NAP), () => this.#wake.resolve());
      await this.#wake.promise;
      stop();
      this.#wake = defer();
    }
  }

  #isWoken(): boolean {
    return this.term.signal.aborted || this.#failure !== undefined;
  }
}

/** What was running when its leader was lost. */
function abandoned(state: CronState): CronState {
  const history = state.history.map((each): CronRecord =>
    each.outcome === 'running' ? { ...each, outcome: 'abandoned' } : each,
  );
  return { ...state, history };
}
