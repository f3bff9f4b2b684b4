import { createPool as createStore, type Pool as Store } from 'generic-pool';
import { after } from '../clock.js';
import type { HostProvider } from '../connection/host-provider.js';
import { ClosedError, InvalidArgumentError, QueueFullError } from '../errors.js';
import { logOf } from '../log.js';
import { rejectUnknown, resolveOptions } from '../options.js';
import { readSource } from '../server-source.js';
import { ZooKeeper } from '../zookeeper.js';
import { type Lender, LentClient } from './lent-client.js';
import { Loan } from './loan.js';
import { Opener } from './opener.js';
import { type PoolOptions, type ResolvedPoolOptions, resolvePoolOptions } from './options.js';
import { PooledClient } from './pooled-client.js';
import { type AcquireOptions, WaitingLine } from './waiting-line.js';

const log = logOf('pool');

/** How long `close()` waits for clients that are lent, unless told otherwise, milliseconds. */
const CLOSE_TIMEOUT = 10_000;
/** How often idle clients are looked at, at most, milliseconds. */
const LONGEST_BETWEEN_LOOKS = 60_000;

interface Lent {
  readonly pooled: PooledClient;
  readonly loan: Loan;
}

/**
 * Several clients with a session each, lent one at a time. See {@link createPool}.
 *
 * **When the connection of a client is lost**, it is not lent before it is connected again; meanwhile others are lent,
 * and opened up to `max`. **When a session expires** while its client is lent, the borrower is told as by any client,
 * and the session is replaced in the background, as are those that expire unused.
 */
export class Pool implements AsyncDisposable {
  readonly #options: ResolvedPoolOptions;
  readonly #opener: Opener;
  readonly #store: Store<PooledClient>;
  readonly #waiting = new WaitingLine();
  readonly #lent = new Map<LentClient, Lent>();
  /** Borrowers whose clients were closed with the pool: giving them back is late, and no mistake. */
  readonly #revoked = new WeakSet<LentClient>();
  readonly #alive = new Set<PooledClient>();
  readonly #lender: Lender;
  /** Clients on their way out of the store. */
  #fetching = 0;
  /** Those of them that have to be connected again first. */
  #stalled = 0;
  #closing: Promise<void> | undefined;
  #onReturned: (() => void) | undefined;

  /** Use {@link createPool}. @internal */
  constructor(servers: string | HostProvider, options: ResolvedPoolOptions) {
    this.#options = options;
    this.#lender = {
      takeBack: (lent, discard) => this.#takeBack(lent, discard),
      hasLent: (lent) => this.#lent.has(lent),
    };
    this.#opener = new Opener(
      servers,
      { ...options.client, failFast: options.failFast },
      {
        isNeeded: () => this.#waiting.length > 0 || this.#alive.size < options.min,
        failed: (error) => {
          // While others are lent, one of them may be given back.
          if (this.#lent.size === 0) this.#waiting.rejectAll(error);
        },
      },
    );
    const { min, max, idleTimeout } = options;
    this.#store = createStore<PooledClient>(
      {
        create: () => this.#open(),
        validate: (pooled) => this.#isUsable(pooled),
        destroy: (pooled) => this.#end(pooled),
      },
      {
        min,
        max,
        testOnBorrow: true,
        // The last one given back is lent first, so that those nobody needs grow old.
        fifo: false,
        softIdleTimeoutMillis: idleTimeout,
        // The hard limit would close sessions below `min`, too, only for them to be opened again.
        idleTimeoutMillis: Number.MAX_SAFE_INTEGER,
        evictionRunIntervalMillis: Math.min(Math.ceil(idleTimeout / 2), LONGEST_BETWEEN_LOOKS),
        numTestsPerEvictionRun: max,
      },
    );
  }

  /** Sessions that are open or being opened. */
  get size(): number {
    return this.#store.size;
  }

  /** Clients that nobody has at the moment. */
  get available(): number {
    // What is closed at the end stays in the line of the store.
    return Math.min(this.#store.available, this.#store.size);
  }

  /** Clients that are lent. */
  get borrowed(): number {
    return this.#lent.size;
  }

  /** How many wait for a client. */
  get pending(): number {
    return this.#waiting.length;
  }

  /**
   * Lends a client that is connected and whose session is alive. Those who wait are served in the order of their calls.
   *
   * @throws ConnectError or AuthFailedError if no session could be opened, and no client of the pool is alive that could
   * be waited for; OperationTimeoutError, whose `cause` is the last failure to open one; AbortedError; QueueFullError
   * above `maxPending`; ClosedError; InvalidArgumentError.
   */
  async acquire(options: AcquireOptions = {}): Promise<LentClient> {
    rejectUnknown(options, ['timeout', 'signal'], 'option');
    const { timeout = this.#options.acquireTimeout, signal } = options;
    checkWait(timeout, signal);
    if (this.#closing !== undefined) throw closedError();
    const free = this.#options.max - this.#lent.size;
    if (this.#waiting.length >= free + this.#options.maxPending)
      throw new QueueFullError(
        `${this.#waiting.length} wait for a client of the pool already`,
        { operation: 'acquire' },
        false,
      );
    const waiting = this.#waiting.wait(timeout, signal, () => this.#explain());
    this.#pump();
    return waiting;
  }

  /** Gives a client back, as `lent.release()` does. @throws InvalidArgumentError if it is not lent by this pool (any more). */
  async release(lent: LentClient): Promise<void> {
    await this.#takeBack(lent, false);
  }

  /**
   * Calls `work` with a client and gives it back in any case. Resolves and rejects as `work` does, and rejects as
   * {@link acquire} does if there is no client.
   */
  async use<T>(work: (zk: ZooKeeper) => T | Promise<T>, options: AcquireOptions = {}): Promise<T> {
    const lent = await this.acquire(options);
    try {
      return await work(lent.zk);
    } finally {
      await lent[Symbol.asyncDispose]();
    }
  }

  /**
   * Lends no more, sends away those who wait (ClosedError), waits for clients that are lent, `timeout` milliseconds at
   * most (default 10,000), and closes all sessions, which takes 1.5 seconds more where servers do not answer. Clients that
   * are still lent then are of no further use. Never rejects; calling it again does nothing more.
   */
  async close({ timeout = CLOSE_TIMEOUT }: { readonly timeout?: number } = {}): Promise<void> {
    checkWait(timeout, undefined);
    this.#closing ??= this.#shutDown(timeout);
    await this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  // --- In and out ----------------------------------------------------------------------------------------------------

  /**
   * Takes as many clients out of the store as are waited for. The store's own line is never longer than what it can
   * serve: those in it can neither leave nor be sent away, and one who has left takes the next one's client along.
   */
  #pump(): void {
    const wanted = Math.min(this.#waiting.length + this.#stalled, this.#options.max - this.#lent.size);
    while (this.#closing === undefined && this.#fetching < wanted) {
      this.#fetching++;
      void this.#store.acquire().then((pooled) => {
        this.#fetching--;
        this.#arrived(pooled);
      });
    }
    this.#opener.look();
  }

  #arrived(pooled: PooledClient): void {
    const { zk } = pooled;
    if (zk === undefined || this.#closing !== undefined) void this.#store.destroy(pooled);
    else if (this.#waiting.length === 0) void this.#store.release(pooled);
    else this.#lend(pooled, zk);
  }

  #lend(pooled: PooledClient, zk: ZooKeeper): void {
    const { view, sessions: loan } = ZooKeeper.through(zk, (sessions) => new Loan(sessions));
    const lent = new LentClient(this.#lender, view);
    this.#lent.set(lent, { pooled, loan });
    this.#waiting.serve(lent);
  }

  async #takeBack(lent: LentClient, discard: boolean): Promise<void> {
    const entry = this.#lent.get(lent);
    if (entry === undefined) {
      if (this.#revoked.has(lent)) return;
      throw new InvalidArgumentError('the client is not lent by this pool; it may have been given back before', {
        operation: 'release',
      });
    }
    this.#lent.delete(lent);
    const leftovers = entry.loan.end();
    if (leftovers !== undefined) log('a client came back with %s on its session, which is closed', leftovers);
    const isToClose = discard || leftovers !== undefined || entry.pooled.isOver;
    void (isToClose ? this.#store.destroy(entry.pooled) : this.#store.release(entry.pooled));
    this.#onReturned?.();
    this.#pump();
    if (isToClose) await entry.pooled.close();
  }

  // --- What the store asks for -------------------------------------------------------------------------------------------

  async #open(): Promise<PooledClient> {
    const pooled = new PooledClient(await this.#opener.open());
    if (pooled.zk !== undefined) this.#alive.add(pooled);
    return pooled;
  }

  /** Never rejects: the store would lose the client. */
  async #isUsable(pooled: PooledClient): Promise<boolean> {
    if (pooled.zk === undefined || pooled.isReady) return true;
    if (pooled.isOver) return false;
    // Meanwhile another one may be ready.
    this.#stalled++;
    this.#pump();
    const isReady = await pooled.becomesReady({ signal: this.#opener.signal });
    this.#stalled--;
    return isReady;
  }

  #end(pooled: PooledClient): Promise<void> {
    this.#alive.delete(pooled);
    this.#opener.look();
    return pooled.close();
  }

  #explain(): { readonly why: string; readonly cause: unknown } {
    const { lastFailure } = this.#opener;
    const why = `${this.#lent.size} of ${this.#options.max} are lent`;
    if (lastFailure === undefined) return { why, cause: undefined };
    return { why: `${why}, and no session could be opened (${lastFailure.message})`, cause: lastFailure };
  }

  // --- The end -------------------------------------------------------------------------------------------------------------

  async #shutDown(timeout: number): Promise<void> {
    this.#waiting.rejectAll(closedError());
    this.#opener.stop();
    await this.#allReturned(timeout);
    for (const [lent, { pooled, loan }] of [...this.#lent]) {
      this.#lent.delete(lent);
      this.#revoked.add(lent);
      loan.end();
      void this.#store.destroy(pooled);
    }
    await this.#store.drain();
    await this.#store.clear();
  }

  #allReturned(timeout: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = after(timeout, resolve);
      this.#onReturned = () => {
        if (this.#lent.size > 0) return;
        timer.cancel();
        resolve();
      };
      this.#onReturned();
    });
  }
}

/**
 * A pool of sessions with an ensemble, opened as they are needed, `min` of them at once. For when a pool helps, and when
 * one client is right, see docs/pool.md.
 *
 * @param servers as for `ZooKeeper.connect`; a host provider is asked by each client of the pool, on its own.
 * @throws InvalidConnectStringError, InvalidArgumentError.
 */
export function createPool(servers: string | HostProvider, options: PoolOptions = {}): Pool {
  const resolved = resolvePoolOptions(options);
  readSource(servers, resolveOptions(resolved.client));
  return new Pool(servers, resolved);
}

function closedError(): ClosedError {
  return new ClosedError('the pool was closed', { operation: 'acquire' }, false);
}

function checkWait(timeout: number, signal: AbortSignal | undefined): void {
  if (!Number.isFinite(timeout) || timeout < 0)
    throw new InvalidArgumentError(`the timeout is ${String(timeout)}; it must be milliseconds, 0 or more`);
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw new InvalidArgumentError('the signal is no AbortSignal');
}
