import {
  checkPath,
  childPath,
  ClosedError,
  type LeaseOptions,
  NoNodeError,
  type WaitOptions,
  type ZooKeeper,
} from 'zookit';
import { Contender, type Line } from '../common/contender.js';
import { checkMargin, Holder } from '../common/holder.js';
import { inOrder } from '../common/line-order.js';
import { checkLease, checkNames, leaseNames } from '../common/options.js';
import { canTryAgain, defer, type Deferred, pause, Wait } from '../common/waiting.js';

/** How a {@link LeaderLatch} behaves. */
export interface LeaderLatchOptions extends LeaseOptions {
  /** Who this candidate is, for others to read. Default: empty. */
  readonly id?: string | undefined;
}

/** One term of a leader. */
export class Leadership extends Holder {}

/** A candidate, as others see it. */
export interface Participant {
  readonly id: string;
  readonly path: string;
  readonly isLeader: boolean;
}

const MARKER = 'latch-';

/**
 * Elects one leader among those who stand, and another one when it is gone.
 *
 * Znodes, as Curator's LeaderLatch has them: `PATH/_c_<uuid>-latch-<sequence>`, ephemeral, with the id as data; the
 * lowest leads, each other one watches the one before it.
 *
 * - While connected: the leader leads until it closes, or somebody deletes its znode.
 * - While disconnected: it leads as long as its session certainly lives; with `loseOn: 'suspended'` not even so long.
 * - After an expiry: it has lost its term, and stands again in the new session by itself.
 */
export class LeaderLatch implements AsyncDisposable {
  readonly #line: Line;
  readonly #closing = new AbortController();
  #campaign: Promise<void> | undefined;
  #term: Leadership | undefined;
  #next: Deferred<Leadership> = defer();

  /** @throws InvalidPathError, InvalidArgumentError. Does not connect. */
  constructor(
    private readonly zk: ZooKeeper,
    readonly path: string,
    private readonly options: LeaderLatchOptions = {},
  ) {
    checkPath(path, 'LeaderLatch');
    checkNames(options, [...leaseNames, 'id'], { operation: 'LeaderLatch', path });
    checkLease(options, { operation: 'LeaderLatch', path });
    this.#line = { path, name: MARKER, markers: [MARKER], data: options.id ?? '' };
  }

  /** Begins to stand, and goes on until it is closed. Returns itself; calling it again changes nothing. */
  start(): this {
    if (this.#closing.signal.aborted) throw new ClosedError('the latch was closed', this.#subject('start'), false);
    this.#campaign ??= this.#stand();
    return this;
  }

  /** Whether this candidate certainly leads, worked out at this look. */
  get isLeader(): boolean {
    return this.#term?.held === true;
  }

  /** The current term, if this candidate leads. */
  get leadership(): Leadership | undefined {
    return this.isLeader ? this.#term : undefined;
  }

  /**
   * Stands, and resolves with the term once this candidate leads. When the wait is ended it goes on standing; `close()`
   * ends that.
   *
   * @throws OperationTimeoutError, AbortedError; ClosedError after `close()`; what has made standing impossible, as
   * NoAuthError or AuthFailedError.
   */
  async lead(options: WaitOptions = {}): Promise<Leadership> {
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
  async *terms(options: WaitOptions = {}): AsyncGenerator<Leadership, void, undefined> {
    while (!this.#closing.signal.aborted) {
      const term = await this.#nextTerm(options);
      if (term === undefined) return;
      yield term;
      using wait = new Wait({ signal: options.signal }, this.#subject('terms'));
      await wait.race(aborted(term.signal));
    }
  }

  /** All who stand, the leader first. Those that vanish meanwhile are left out. */
  async participants(): Promise<Participant[]> {
    const names = inOrder(await this.#children(), this.#line.markers);
    const participants = await Promise.all(names.map((name) => this.#participant(childPath(this.path, name))));
    return participants
      .filter((each): each is Omit<Participant, 'isLeader'> => each !== undefined)
      .map((each, index) => ({ ...each, isLeader: index === 0 }));
  }

  /** Who leads, if anybody does. */
  async leader(): Promise<Participant | undefined> {
    return (await this.participants())[0];
  }

  /** Steps down and stands no more. Resolves when the znode is gone or its session over. Never rejects. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#next.reject(new ClosedError('the latch was closed', this.#subject('lead'), false));
    // What the release comes to, the campaign learns.
    this.#term?.release().catch(() => undefined);
    await this.#campaign;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Undefined when the latch was closed while the term was waited for. */
  async #nextTerm(options: WaitOptions): Promise<Leadership | undefined> {
    try {
      return await this.lead(options);
    } catch (error) {
      if (error instanceof ClosedError && this.#closing.signal.aborted) return undefined;
      throw error;
    }
  }

  /** Term after term. A new candidacy begins only when the znode of the old one is gone, or its session over. */
  async #stand(): Promise<void> {
    for (let failures = 0; !this.#closing.signal.aborted;) {
      try {
        await this.#serveTerm();
        failures = 0;
      } catch (error) {
        if (this.#closing.signal.aborted) return;
        if (!canTryAgain(this.zk, error)) {
          this.#next.reject(error);
          return;
        }
        await pause(this.zk, failures++, this.#closing.signal);
      }
    }
  }

  async #serveTerm(): Promise<void> {
    using wait = new Wait({ signal: this.#closing.signal }, this.#subject('lead'));
    try {
      const term = new Leadership(this.zk, await Contender.lead(this.zk, this.#line, wait), this.options);
      if (term.held && !wait.isOver) await this.#serve(term);
      await term.release();
      checkMargin(this.zk, this.options, 'LeaderLatch', this.path);
    } finally {
      // A candidate who was closed has not left before its znode is gone.
      await wait.tidied();
    }
  }

  /** Resolves when the term is over: lost, or ended by `close()`. */
  async #serve(term: Leadership): Promise<void> {
    this.#term = term;
    this.#next.resolve(term);
    await aborted(term.signal);
    this.#term = undefined;
    this.#next = defer();
  }

  async #children(): Promise<string[]> {
    try {
      return await this.zk.getChildren(this.path);
    } catch (error) {
      if (error instanceof NoNodeError) return [];
      throw error;
    }
  }

  async #participant(path: string): Promise<Omit<Participant, 'isLeader'> | undefined> {
    try {
      return { id: (await this.zk.getData(path)).text(), path };
    } catch (error) {
      if (error instanceof NoNodeError) return undefined;
      throw error;
    }
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
