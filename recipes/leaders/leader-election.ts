import { ClosedError, InvalidArgumentError, type WaitOptions, type ZooKeeper, ZooKeeperError } from 'zookit';
import { canTryAgain, pause, Wait } from '../common/waiting.js';
import { Candidacy } from './candidacy.js';
import type { CandidateOptions, Dialect } from './candidate.js';
import { ElectionTerm } from './election-term.js';
import { type LeaderWork, type Outcome, runWork } from './election-work.js';
import { LeaderWorkError, NotLeaderError, report } from './errors.js';
import { type HandOverOptions, handOverWait, prepareSuccessor } from './hand-over.js';
import type { Leadership } from './leadership.js';
import type { Participant } from './participants.js';

/** How a {@link LeaderElection} behaves. */
export interface LeaderElectionOptions<Payload = unknown> extends CandidateOptions<Payload> {
  /** Whether it stands again after each term, however that has ended, until it is closed. Default `false`. */
  readonly requeue?: boolean | undefined;
  /**
   * For how long the function may go on after its signal has aborted, milliseconds; then that is reported, and the
   * candidate leaves its place all the same. Default: for as long as it wants; meanwhile the znode stays.
   */
  readonly grace?: number | undefined;
  /**
   * Told of what the function has thrown, as LeaderWorkError, and of what has made standing impossible. Default: the
   * process is warned. What `run()` rejects with is not told here.
   */
  readonly onError?: ((error: ZooKeeperError) => void) | undefined;
}

/** `idle`: it neither stands nor leads; `failed`: it cannot stand. */
export type ElectionState = 'idle' | 'standing' | 'leading' | 'failed' | 'closed';

const dialect: Dialect = {
  recipe: 'LeaderElection',
  name: 'lock-',
  markers: ['lock-', '__lock__'],
  options: ['requeue', 'grace', 'onError'],
};

/**
 * Runs a function while it leads, and leads no longer than that function runs. In one process the function of one
 * election never runs twice at a time: a new term waits for the old one's to have returned.
 *
 * Znodes, as Curator's LeaderSelector has them: `PATH/_c_<uuid>-lock-<sequence>`, ephemeral, with the id as data; the
 * lowest leads, each other one watches the one before it. kazoo's Election waits for ours if its
 * attribute `lock` is a Lock that is told `extra_lock_patterns=["-lock-"]`; ours waits for kazoo's.
 *
 * - While connected: it leads until the function returns, or somebody deletes its znode.
 * - While disconnected: it leads as long as its session certainly lives; with `loseOn: 'suspended'` not even so long.
 *   Then the signal of the function aborts.
 * - After an expiry: the signal has aborted. With `requeue` it stands again in the new session, once the function has
 *   returned.
 */
export class LeaderElection<Result = unknown, Payload = unknown>
  extends Candidacy<Payload, ElectionState>
  implements AsyncDisposable
{
  /** What goes on: terms, one after the other, or the one of `run()`. */
  #campaign: Promise<unknown> | undefined;
  /** What waits that were ended have left behind is gone. */
  #tidied: Promise<unknown> = Promise.resolve();
  #term: ElectionTerm<Payload> | undefined;
  #leadership: Leadership<Payload> | undefined;
  /** Whether it stands for a term, or shall after the one of now. */
  #isQueued = false;
  #failed = false;
  /** How many terms have failed in a row. */
  #failures = 0;

  /** @throws InvalidPathError, InvalidArgumentError. Does not connect. */
  constructor(
    zk: ZooKeeper,
    path: string,
    private readonly work: LeaderWork<Result, Payload>,
    private readonly options: LeaderElectionOptions<Payload> = {},
  ) {
    super(zk, path, dialect, options);
    this.#check();
  }

  override get state(): ElectionState {
    if (this.closing.signal.aborted) return 'closed';
    if (this.#failed) return 'failed';
    if (this.#term !== undefined) return 'leading';
    return this.#campaign === undefined ? 'idle' : 'standing';
  }

  /** Whether this candidate certainly leads, worked out at this look. */
  get isLeader(): boolean {
    return this.#leadership?.held === true;
  }

  /**
   * Begins to stand; with `requeue` it goes on until it is closed, without it for one term. Returns itself; calling it
   * while it stands or leads changes nothing. @throws ClosedError.
   */
  start(): this {
    this.requeue();
    return this;
  }

  /**
   * Stands once more: now, or, called by the function or while that runs, after this term. Returns whether that was not
   * settled already. @throws ClosedError.
   */
  requeue(): boolean {
    this.#checkOpen('requeue');
    if (this.#isQueued) return false;
    this.#isQueued = true;
    this.#failed = false;
    if (this.#campaign === undefined) this.#begin(this.#serve());
    return true;
  }

  /**
   * Stands for one term, and resolves with what the function has returned. The limits are those of the wait to lead;
   * `signal` interrupts the function, too. A term that is lost before the function began is stood for again.
   *
   * @throws what the function throws; OperationTimeoutError, AbortedError when the wait to lead was ended; ClosedError;
   * InvalidArgumentError if it stands already; what has made standing impossible.
   */
  async run(options: WaitOptions = {}): Promise<Result> {
    this.#checkOpen('run');
    if (this.#campaign !== undefined)
      throw new InvalidArgumentError(
        'it stands or leads already; one term comes after the other',
        this.#subject('run'),
      );
    const ending = new AbortController();
    const end = (): void => {
      ending.abort(options.signal?.reason);
      this.interrupt();
    };
    for (const signal of [this.closing.signal, options.signal]) signal?.addEventListener('abort', end);
    if (options.signal?.aborted === true) end();
    using wait = new Wait({ ...options, signal: ending.signal }, this.#subject('run'));
    const running = this.#lead(wait).then(({ result }) => result);
    this.#begin(running);
    const tidied = running.then(nothing, nothing).then(() => wait.tidied());
    this.#tidied = Promise.all([this.#tidied, tidied]);
    try {
      return await running;
    } catch (error) {
      if (wait.isOver) this.#checkOpen('run');
      throw error;
    } finally {
      for (const signal of [this.closing.signal, options.signal]) signal?.removeEventListener('abort', end);
    }
  }

  /**
   * Asks the function to return, by its signal. The term ends when it does; with `requeue` the candidate then stands
   * again, at the end of the line. Does nothing while it does not lead.
   */
  interrupt(): void {
    this.#term?.interrupt('the term was interrupted');
  }

  /**
   * Waits for a successor that stands and is ready, makes it the next in line, and only then asks the function to
   * return, as {@link interrupt} does. Resolves with the successor, which leads as soon as the function has returned: so
   * the function itself may call it. When the wait is ended before there is a successor, it leads on.
   *
   * @throws as `handOver()` of a `LeaderLatch`.
   */
  async handOver(options: HandOverOptions = {}): Promise<Participant<Payload>> {
    const subject = this.#subject('handOver');
    using wait = handOverWait(options, subject);
    const [term, leadership] = [this.#term, this.#leadership];
    if (term === undefined || leadership?.held !== true)
      throw new NotLeaderError('this candidate does not lead', subject);
    const line = { path: this.path, markers: dialect.markers };
    const successor = await prepareSuccessor(this.zk, line, leadership, options.to, wait, subject);
    term.interrupt('the leader hands over');
    return successor;
  }

  /**
   * Resolves when the candidate neither stands nor leads any more: after its term without `requeue`, and when it is
   * closed or has failed. @throws OperationTimeoutError, AbortedError.
   */
  async finished(options: WaitOptions = {}): Promise<void> {
    using wait = new Wait(options, this.#subject('finished'));
    while (this.#campaign !== undefined) await wait.race(this.#campaign);
  }

  /**
   * Stands no more, and interrupts the function. Resolves when that has returned and the znode is gone or its session
   * over: so do not await it in the function. Never rejects.
   */
  async close(): Promise<void> {
    this.closing.abort();
    this.#term?.interrupt('the election was closed');
    await this.#campaign;
    await this.#tidied;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** What goes on until it is settled, and then another term if one is wanted. */
  #begin(campaign: Promise<unknown>): void {
    const ended = (): void => {
      this.#campaign = undefined;
      if (this.#isQueued && !this.closing.signal.aborted) this.#begin(this.#serve());
    };
    this.#campaign = campaign.then(ended, ended);
  }

  /** One term. Never rejects: it reports what the function throws, unless that is only the answer to its signal. */
  async #serve(): Promise<void> {
    using wait = new Wait({ signal: this.closing.signal }, this.#subject('lead'));
    try {
      const { failure } = await this.#lead(wait, () => (this.#isQueued = this.options.requeue === true));
      if (failure === undefined) this.#failures = 0;
      else await this.#reportWork(failure);
    } catch (error) {
      if (!wait.isOver) this.#fail(error);
    }
    // A candidate who was closed has not left before its znode is gone.
    await wait.tidied();
  }

  async #nextLeadership(wait: Wait): Promise<Leadership<Payload>> {
    for (let failures = 0; ;) {
      try {
        const leadership = await this.candidate.campaign(wait);
        if (leadership.held && !wait.isOver) return leadership;
        await leadership.release();
        this.candidate.checkMargin();
        wait.check();
      } catch (error) {
        if (wait.isOver || !canTryAgain(this.zk, error)) throw error;
        await wait.race(pause(this.zk, failures++, wait.signal));
      }
    }
  }

  /** One term: stands, runs the function, and gives the leadership back when that has returned. */
  async #lead(wait: Wait, onLeading?: () => void): Promise<Outcome<Result>> {
    const leadership = await this.#nextLeadership(wait);
    try {
      // It may have been ended while the leadership was handed over to here.
      wait.check();
      onLeading?.();
      const term = new ElectionTerm<Payload>(leadership);
      this.#term = term;
      this.#leadership = leadership;
      return await runWork(this.work, term, {
        grace: this.options.grace,
        report: (error) => this.#report(error),
      });
    } finally {
      this.#term = undefined;
      this.#leadership = undefined;
      await leadership.release();
    }
  }

  /** Who fails at once and stands again at once shall not keep the servers busy. */
  async #reportWork(failure: LeaderWorkError): Promise<void> {
    this.#report(failure);
    if (this.#isQueued) await pause(this.zk, this.#failures++, this.closing.signal);
  }

  #fail(error: unknown): void {
    this.#failed = true;
    this.#isQueued = false;
    const { path } = this;
    this.#report(
      error instanceof ZooKeeperError ? error : new LeaderWorkError('it cannot stand', { path, cause: error }),
    );
  }

  #report(error: ZooKeeperError): void {
    report(error, this.options.onError);
  }

  #check(): void {
    const { requeue, grace, onError } = this.options;
    const refuse = (problem: string): never => {
      throw new InvalidArgumentError(problem, this.#subject('new'));
    };
    for (const [name, value] of Object.entries({ work: this.work, onError }))
      if (value !== undefined || name === 'work') if (typeof value !== 'function') refuse(`${name} is no function`);
    if (requeue !== undefined && typeof requeue !== 'boolean')
      refuse(`requeue is ${String(requeue)}; it must be true or false`);
    if (grace !== undefined && !(Number.isFinite(grace) && grace >= 0))
      refuse(`the grace is ${String(grace)}; it must be milliseconds, 0 or more`);
  }

  #checkOpen(method: string): void {
    if (this.closing.signal.aborted) throw new ClosedError('the election was closed', this.#subject(method), false);
  }

  #subject(method: string): { readonly operation: string; readonly path: string } {
    return { operation: `LeaderElection.${method}`, path: this.path };
  }
}

const nothing = (): void => undefined;
