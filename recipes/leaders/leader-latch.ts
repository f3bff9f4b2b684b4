import { ClosedError, InvalidArgumentError, type WaitOptions, type ZooKeeper } from 'zookit';
import { canTryAgain, defer, type Deferred, pause, Wait } from '../common/waiting.js';
import { Candidacy } from './candidacy.js';
import type { CandidateOptions, Dialect } from './candidate.js';
import { NotLeaderError } from './errors.js';
import { type HandOverOptions, handOverWait, prepareSuccessor } from './hand-over.js';
import type { Leadership } from './leadership.js';
import type { Participant } from './participants.js';

/** How a {@link LeaderLatch} behaves. */
export interface LeaderLatchOptions<Payload = unknown> extends CandidateOptions<Payload> {
  /**
   * What `changes()` tells of a term that `close()` ends: nothing, `'silent'` (the default), or that it is lost,
   * `'notify'` (Curator: CloseMode).
   */
  readonly closeMode?: 'silent' | 'notify' | undefined;
}

/**
 * `idle`: not started yet; `failed`: it cannot stand, and `lead()` says why.
 */
export type LatchState = 'idle' | 'standing' | 'leading' | 'failed' | 'closed';

/** A candidate has come to lead, or leads no more. */
export type LeadershipChange<Payload = unknown> =
  | { readonly type: 'elected'; readonly term: Leadership<Payload> }
  | { readonly type: 'lost'; readonly term: Leadership<Payload> };

const dialect: Dialect = { recipe: 'LeaderLatch', name: 'latch-', markers: ['latch-'], options: ['closeMode'] };

/**
 * Elects one leader among those who stand, and another one when it is gone.
 *
 * Znodes, as Curator's LeaderLatch has them: `PATH/_c_<uuid>-latch-<sequence>`, ephemeral, with the id as data; the
 * lowest leads, each other one watches the one before it. A payload, or what is said of being ready, stands in the data
 * as a second line, which Curator takes to be a part of the id.
 *
 * - While connected: the leader leads until it closes, or somebody deletes its znode.
 * - While disconnected: it leads as long as its session certainly lives; with `loseOn: 'suspended'` not even so long.
 * - After an expiry: it has lost its term, and stands again in the new session by itself.
 */
export class LeaderLatch<Payload = unknown> extends Candidacy<Payload, LatchState> implements AsyncDisposable {
  #campaign: Promise<void> | undefined;
  #failed = false;
  #term: Leadership<Payload> | undefined;
  #next: Deferred<Leadership<Payload>> = defer();

  /** @throws InvalidPathError, InvalidArgumentError. Does not connect. */
  constructor(
    zk: ZooKeeper,
    path: string,
    private readonly options: LeaderLatchOptions<Payload> = {},
  ) {
    super(zk, path, dialect, options);
    const mode = options.closeMode;
    if (mode !== undefined && mode !== 'silent' && mode !== 'notify')
      throw new InvalidArgumentError(
        `closeMode is ${String(mode)}; it must be "silent" or "notify"`,
        this.#subject('new'),
      );
  }

  override get state(): LatchState {
    if (this.closing.signal.aborted) return 'closed';
    if (this.#failed) return 'failed';
    if (this.isLeader) return 'leading';
    return this.#campaign === undefined ? 'idle' : 'standing';
  }

  /** Begins to stand, and goes on until it is closed. Returns itself; calling it again changes nothing. */
  start(): this {
    if (this.closing.signal.aborted) throw new ClosedError('the latch was closed', this.#subject('start'), false);
    this.#campaign ??= this.#stand();
    return this;
  }

  /** Whether this candidate certainly leads, worked out at this look. */
  get isLeader(): boolean {
    return this.#term?.held === true;
  }

  /** The current term, if this candidate leads. */
  get leadership(): Leadership<Payload> | undefined {
    return this.isLeader ? this.#term : undefined;
  }

  /**
   * Stands, and resolves with the term once this candidate leads. When the wait is ended it goes on standing; `close()`
   * ends that.
   *
   * @throws OperationTimeoutError, AbortedError; ClosedError after `close()`; what has made standing impossible, as
   * NoAuthError or AuthFailedError.
   */
  async lead(options: WaitOptions = {}): Promise<Leadership<Payload>> {
    using wait = new Wait(options, this.#subject('lead'));
    for (;;) {
      this.start();
      if (this.#term?.held === true) return this.#term;
      await wait.race(this.#next.promise);
    }
  }

  /**
   * The terms of this candidate, one after the other, until it is closed. Each is iterated when it begins. Throws as
   * {@link lead} does, but just ends at `close()`.
   */
  async *terms(options: WaitOptions = {}): AsyncGenerator<Leadership<Payload>, void, undefined> {
    for await (const { type, term } of this.#changes(options, 'terms')) if (type === 'elected') yield term;
  }

  /**
   * Stands, and tells when this candidate has come to lead and when it leads no more, in turn. Terms that have come and
   * gone while the reader was busy are passed over; the end of one that was told never is. What `close()` ends is told
   * with `closeMode: 'notify'` alone. Throws as {@link terms} does.
   */
  async *changes(options: WaitOptions = {}): AsyncGenerator<LeadershipChange<Payload>, void, undefined> {
    for await (const change of this.#changes(options, 'changes')) {
      const isSilent = this.closing.signal.aborted && this.options.closeMode !== 'notify';
      if (change.type === 'elected' || !isSilent) yield change;
    }
  }

  /**
   * Waits for a successor that stands and is ready, makes it the next in line, and only then steps down. Resolves with
   * the successor when the own znode is gone; this candidate stands on, at the end of the line. When the wait is ended
   * before there is a successor, it leads on.
   *
   * Those who stood before a successor that was named by `to` line up again at the end: by a transaction of checks and
   * deletes, which needs the permission to delete their znodes.
   *
   * @throws NotLeaderError if this candidate does not lead, or not any more; OperationTimeoutError, AbortedError;
   * NoAuthError.
   */
  async handOver(options: HandOverOptions = {}): Promise<Participant<Payload>> {
    const subject = this.#subject('handOver');
    using wait = handOverWait(options, subject);
    const term = this.leadership;
    if (term === undefined) throw new NotLeaderError('this candidate does not lead', subject);
    const line = { path: this.path, markers: dialect.markers };
    const successor = await prepareSuccessor(this.zk, line, term, options.to, wait, subject);
    await wait.race(term.release());
    return successor;
  }

  /** Steps down and stands no more. Resolves when the znode is gone or its session over. Never rejects. */
  async close(): Promise<void> {
    this.closing.abort();
    this.#next.reject(new ClosedError('the latch was closed', this.#subject('lead'), false));
    // What the release comes to, the campaign learns.
    this.#term?.release().catch(() => undefined);
    await this.#campaign;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async *#changes(
    { timeout, signal }: WaitOptions,
    method: string,
  ): AsyncGenerator<LeadershipChange<Payload>, void, undefined> {
    for (;;) {
      const term = await this.#nextTerm({ timeout, signal });
      if (term === undefined) return;
      yield { type: 'elected', term };
      using wait = new Wait({ signal }, this.#subject(method));
      await wait.race(aborted(term.signal));
      yield { type: 'lost', term };
    }
  }

  /** Undefined when the latch was closed before or while the term was waited for. */
  async #nextTerm(options: WaitOptions): Promise<Leadership<Payload> | undefined> {
    try {
      return await this.lead(options);
    } catch (error) {
      if (error instanceof ClosedError && this.closing.signal.aborted) return undefined;
      throw error;
    }
  }

  /** Term after term. A new candidacy begins only when the znode of the old one is gone, or its session over. */
  async #stand(): Promise<void> {
    for (let failures = 0; !this.closing.signal.aborted;) {
      try {
        await this.#serveTerm();
        failures = 0;
      } catch (error) {
        if (this.closing.signal.aborted) return;
        if (!canTryAgain(this.zk, error)) {
          this.#failed = true;
          this.#next.reject(error);
          return;
        }
        await pause(this.zk, failures++, this.closing.signal);
      }
    }
  }

  async #serveTerm(): Promise<void> {
    using wait = new Wait({ signal: this.closing.signal }, this.#subject('lead'));
    try {
      const term = await this.candidate.campaign(wait);
      if (term.held && !wait.isOver) await this.#serve(term);
      await term.release();
      this.candidate.checkMargin();
    } finally {
      // A candidate who was closed has not left before its znode is gone.
      await wait.tidied();
    }
  }

  /** Resolves when the term is over: lost, or ended by `close()`. */
  async #serve(term: Leadership<Payload>): Promise<void> {
    this.#term = term;
    this.#next.resolve(term);
    await aborted(term.signal);
    this.#term = undefined;
    this.#next = defer();
  }

  #subject(method: string): { readonly operation: string; readonly path: string } {
    return { operation: `LeaderLatch.${method}`, path: this.path };
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
