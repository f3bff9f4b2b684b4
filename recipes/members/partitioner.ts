import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { checkPath, childPath, ClosedError, InvalidArgumentError, type WaitOptions, type ZooKeeper } from 'zookit';
import { checkNames, type OptionSubject } from '../common/options.js';
import { defer, type Deferred, Wait } from '../common/waiting.js';
import { Agreement } from './agreement.js';
import type { Partition } from './partition.js';
import { type Handover, PartitionLocks } from './partition-locks.js';
import { checkPartitioner, type PartitionerOptions } from './partitioner-options.js';
import { partitioning } from './partitioning.js';
import { type Membership, SettledMembers } from './settled-members.js';

/** What has changed for this member. */
export interface Assignment extends Handover {
  /** All that it owns now, by name, those that are asked back included. */
  readonly owned: ReadonlyMap<string, Partition>;
}

/**
 * `allocating`: the members have not settled, or locks are waited for. `acquired`: all that is its share is owned.
 * `release`: something is asked back, and the work on it was not let go yet. `failure`: see what the loop throws.
 */
export type PartitionerState = 'allocating' | 'acquired' | 'release' | 'failure' | 'closed';

/** Runs the work on a partition until its signal aborts. */
export type PartitionWork = (partition: Partition) => void | Promise<void>;

const DEFAULT_SETTLE = 1_000;
const NOTHING: ReadonlySet<string> = new Set();

/**
 * Divides a set of partitions among its members, and anew when members come and go. A lock protects each partition: no two
 * members own one at a time, also while they disagree about who is there. A partition moves when the work on it was let go,
 * and not before.
 *
 * Use it in one of two ways: `for await (const { acquired, revoked } of partitioner)`, where the partitions in `revoked` are
 * given back when the loop asks for what comes next; or {@link run}, which runs a function for each partition.
 *
 * Znodes, as kazoo's SetPartitioner has them: `PATH/party/<hex>-<id>`, `PATH/locks/<partition>/…__lock__<sequence>`; for
 * strategies that remember, `PATH/assignment`.
 *
 * - While connected: owned, until it is asked back and let go, or somebody deletes the znode of the lock.
 * - While disconnected: owned as long as the session certainly lives, less the margin. Nothing is divided anew.
 * - After an expiry: all are lost. The member takes part again in the new session, by itself.
 */
export class Partitioner implements AsyncIterable<Assignment>, AsyncDisposable {
  readonly id: string;
  readonly #members: SettledMembers;
  readonly #agreement: Agreement;
  readonly #locks: PartitionLocks;
  readonly #partitions: readonly string[];
  /** The membership that the wanted partitions are for. */
  #divided: Membership | undefined;
  #share: ReadonlySet<string> = NOTHING;
  #dividing: Membership | undefined;
  #consumer: 'none' | 'present' | 'gone' = 'none';
  #failure: Error | undefined;
  #change: Deferred<void> = defer();
  #isClosing = false;
  #closed: Promise<void> | undefined;

  /** @throws InvalidPathError, InvalidArgumentError. Does not connect; the loop or {@link run} begins. */
  constructor(
    zk: ZooKeeper,
    readonly path: string,
    options: PartitionerOptions,
  ) {
    const { weight = 1, strategy = partitioning.roundRobin(), settle = DEFAULT_SETTLE, margin, loseOn } = options;
    this.id = options.id ?? `${hostname()}-${process.pid}-${randomUUID().slice(0, 8)}`;
    checkPath(path, 'Partitioner');
    this.#partitions = checkPartitioner(options, this.id, path);
    const onFail = (error: unknown): void => this.#fail(error);
    const party = childPath(path, 'party');
    this.#members = new SettledMembers(zk, {
      path: party,
      id: this.id,
      weight,
      settle,
      onChange: () => this.#onMembers(),
      onFail,
    });
    this.#agreement = new Agreement(zk, path, this.#partitions, strategy);
    const locks = childPath(path, 'locks');
    this.#locks = new PartitionLocks(zk, {
      path: locks,
      id: this.id,
      margin,
      loseOn,
      mayTake: () => this.#members.isCertain,
      onChange: () => this.#tell(),
      onFail,
    });
  }

  get state(): PartitionerState {
    if (this.#failure !== undefined) return 'failure';
    if (this.#isClosing) return 'closed';
    if (this.#locks.isAskedBack) return 'release';
    const isDivided = !this.#members.isMoving && this.#divided === this.#members.membership;
    return isDivided && this.#locks.isComplete ? 'acquired' : 'allocating';
  }

  /** What this member owns now, by name. Look at `held` of each: it is worked out at the look. */
  get owned(): ReadonlyMap<string, Partition> {
    return this.#locks.owned;
  }

  /** Resolves when it is in the state `acquired`. @throws OperationTimeoutError, AbortedError, ClosedError, what made it impossible. */
  async ready(options: WaitOptions = {}): Promise<void> {
    using wait = new Wait(options, this.#subject('ready'));
    while (this.state !== 'acquired') {
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#isClosing) throw new ClosedError('it was closed', this.#subject('ready'), false);
      await wait.race(this.#change.promise);
    }
  }

  /**
   * Takes part, and tells what was acquired and what is asked back; what comes too fast is told together. Ends at `close()`,
   * when all was asked back. Leaving the loop gives back everything and closes the partitioner.
   *
   * @throws what made it impossible, as NoAuthError, when all was asked back. InvalidArgumentError when it is used already.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<Assignment, void, undefined> {
    this.#begin();
    try {
      for await (const handover of this.#handovers()) {
        yield { ...handover, owned: new Map(this.#locks.owned) };
        await Promise.all(handover.revoked.map((partition) => this.#locks.letGo(partition)));
      }
    } finally {
      await this.#leave();
    }
  }

  /**
   * Takes part, and calls `work` for each partition that is acquired; a partition goes back when what `work` returned has
   * settled. `work` is to end when the signal of the partition aborts; what it throws after that counts as its end. Work that
   * ends before leaves the partition with this member. Resolves after `close()`, and when `signal` aborts, when all work is
   * over.
   *
   * @throws what `work` has thrown, and what made it impossible: then, too, when all work is over.
   */
  async run(work: PartitionWork, options: Pick<WaitOptions, 'signal'> = {}): Promise<void> {
    checkNames(options, ['signal'], this.#subject('run'));
    const { signal } = options;
    // What it comes to, the end of this one tells.
    const stop = (): void => void this.close().catch(() => undefined);
    this.#begin();
    signal?.addEventListener('abort', stop);
    if (signal?.aborted === true) stop();
    const working = new Map<Partition, Promise<void>>();
    try {
      for await (const { acquired, revoked } of this.#handovers()) {
        for (const partition of acquired) working.set(partition, this.#work(work, partition));
        for (const partition of revoked) {
          void working.get(partition)?.then(() => this.#locks.letGo(partition));
          working.delete(partition);
        }
      }
    } finally {
      signal?.removeEventListener('abort', stop);
      await this.#leave();
    }
  }

  /** Asks everything back, and leaves. Resolves when all was let go, and others can have it, or the session is over. */
  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #begin(): void {
    if (this.#isClosing) throw new ClosedError('it was closed', this.#subject('run'), false);
    if (this.#consumer !== 'none')
      throw new InvalidArgumentError('it is used already: one loop, or one run, at a time', this.#subject('run'));
    this.#consumer = 'present';
    this.#members.start();
  }

  /** Ends when it is over and nothing is owned any more. */
  async *#handovers(): AsyncGenerator<Handover, void, undefined> {
    for (;;) {
      const { promise } = this.#change;
      const handover = this.#locks.take();
      if (handover !== undefined) yield handover;
      else if (this.#isOver && this.#locks.owned.size === 0) break;
      else await promise;
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #work(work: PartitionWork, partition: Partition): Promise<void> {
    try {
      await work(partition);
    } catch (error) {
      if (!partition.signal.aborted) this.#fail(error);
    }
  }

  /** Nobody works on anything any more. */
  async #leave(): Promise<void> {
    this.#consumer = 'gone';
    await this.close();
  }

  async #end(): Promise<void> {
    this.#isClosing = true;
    this.#locks.want(NOTHING);
    const left = this.#members.close();
    // Told when all was let go.
    left.catch(() => undefined);
    while (!this.#locks.isIdle) {
      const { promise } = this.#change;
      if (this.#consumer === 'present') await promise;
      else if (this.#locks.owned.size === 0) await promise;
      else await Promise.all([...this.#locks.owned.values()].map((partition) => this.#locks.letGo(partition)));
    }
    await left;
  }

  get #isOver(): boolean {
    return this.#isClosing || this.#failure !== undefined;
  }

  #fail(error: unknown): void {
    if (this.#isOver) return;
    this.#failure = error instanceof Error ? error : new Error(String(error));
    this.#locks.want(NOTHING);
  }

  /** Members have come or gone, or have settled. */
  #onMembers(): void {
    const { membership } = this.#members;
    if (!this.#isOver) {
      if (membership === undefined) this.#locks.want(this.#heldNames);
      else if (membership === this.#divided) this.#locks.want(this.#share);
      else if (membership !== this.#dividing) void this.#divide(membership);
    }
    this.#tell();
  }

  async #divide(membership: Membership): Promise<void> {
    this.#dividing = membership;
    try {
      const owners = await this.#agreement.divide(membership);
      // If others have come or gone meanwhile, that is divided on its own.
      if (this.#isOver || this.#members.membership !== membership) return;
      this.#divided = membership;
      this.#share = new Set(this.#partitions.filter((name) => owners.get(name) === this.#members.key));
      this.#locks.want(this.#share);
    } catch (error) {
      this.#fail(error);
    }
  }

  get #heldNames(): ReadonlySet<string> {
    return new Set([...this.#locks.owned].filter(([, { signal }]) => !signal.aborted).map(([name]) => name));
  }

  #tell(): void {
    const change = this.#change;
    this.#change = defer();
    change.resolve();
  }

  #subject(method: string): OptionSubject {
    return { operation: `Partitioner.${method}`, path: this.path };
  }
}
