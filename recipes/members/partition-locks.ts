import { childPath, LeaseLostError, type LeaseOptions, type ZooKeeper } from 'zookit';
import { Contender, type Line } from '../common/contender.js';
import { checkMargin } from '../common/holder.js';
import { Wait } from '../common/waiting.js';
import { Partition } from './partition.js';

/** Which locks are taken, and who is told. */
export interface PartitionLocksSpec extends LeaseOptions {
  /** The locks are `PATH/<partition>`. */
  readonly path: string;
  /** The data of our znodes. */
  readonly id: string;
  /** Whether anything may be taken now: not while nobody knows who takes part. */
  mayTake(): boolean;
  /** Something is different: owned, asked back, let go. */
  onChange(): void;
  onFail(error: unknown): void;
}

/** Partitions that were acquired, and such that are asked back, and nobody knows of yet. */
export interface Handover {
  readonly acquired: readonly Partition[];
  readonly revoked: readonly Partition[];
}

/** What kazoo's partitioner puts before the number, and what the locks of Curator do. */
const MARKERS = ['__lock__', 'lock-'] as const;

/**
 * The locks on the partitions: takes those that are wanted, asks back those that are not wanted any more, and gives one
 * back when it is let go. A partition is not asked for again before the work on it was let go.
 */
export class PartitionLocks {
  readonly #owned = new Map<string, Partition>();
  /** Who stands in line, or is leaving it. */
  readonly #claims = new Map<string, AbortController>();
  #wanted: ReadonlySet<string> = new Set();
  /** Not handed over yet. */
  readonly #acquired = new Set<Partition>();
  readonly #revoked = new Set<Partition>();

  constructor(
    private readonly zk: ZooKeeper,
    private readonly spec: PartitionLocksSpec,
  ) {}

  /** Those that are held, also such that are asked back and not let go yet. */
  get owned(): ReadonlyMap<string, Partition> {
    return this.#owned;
  }

  /** Whether nothing is owned, and nothing is waited for. */
  get isIdle(): boolean {
    return this.#owned.size === 0 && this.#claims.size === 0;
  }

  /** Whether all that are wanted are owned, and no others. */
  get isComplete(): boolean {
    return this.#claims.size === 0 && this.#owned.size === this.#wanted.size && !this.isAskedBack;
  }

  /** Whether something was asked back that is not let go yet. */
  get isAskedBack(): boolean {
    return [...this.#owned.values()].some(({ signal }) => signal.aborted);
  }

  /** From now on, these are wanted. */
  want(names: ReadonlySet<string>): void {
    this.#wanted = names;
    this.#bringInLine();
  }

  /** What has to be told; undefined if there is nothing. It counts as told then. */
  take(): Handover | undefined {
    if (this.#acquired.size === 0 && this.#revoked.size === 0) return undefined;
    const handover = { acquired: [...this.#acquired], revoked: [...this.#revoked] };
    this.#acquired.clear();
    this.#revoked.clear();
    return handover;
  }

  /** The work on it is over: it goes back. Resolves when others can have it, or its session is over. */
  async letGo(partition: Partition): Promise<void> {
    try {
      await partition.release();
    } catch (error) {
      this.spec.onFail(error);
    }
    if (this.#owned.get(partition.name) === partition) this.#owned.delete(partition.name);
    this.#revoked.delete(partition);
    this.#bringInLine();
  }

  #bringInLine(): void {
    for (const partition of this.#owned.values())
      if (!this.#wanted.has(partition.name))
        partition.revoke(new LeaseLostError(`the partition ${partition.name} goes to another member`));
    for (const [name, claim] of this.#claims) if (!this.#wanted.has(name)) claim.abort();
    for (const name of this.spec.mayTake() ? this.#wanted : [])
      if (!this.#owned.has(name) && !this.#claims.has(name)) void this.#claim(name, new AbortController());
    this.spec.onChange();
  }

  async #claim(name: string, claim: AbortController): Promise<void> {
    this.#claims.set(name, claim);
    try {
      const partition = await this.#lock(name, claim.signal);
      if (partition !== undefined) this.#own(partition);
    } catch (error) {
      if (!claim.signal.aborted) this.spec.onFail(error);
    }
    this.#claims.delete(name);
    this.#bringInLine();
  }

  /** Undefined if it was lost between the answer and now, or is not wanted any more. */
  async #lock(name: string, signal: AbortSignal): Promise<Partition | undefined> {
    const path = childPath(this.spec.path, name);
    const line: Line = { path, name: MARKERS[0], markers: MARKERS, data: this.spec.id };
    using wait = new Wait({ signal }, { operation: 'Partitioner', path });
    try {
      const contender = await Contender.lead(this.zk, line, wait);
      const { margin, loseOn } = this.spec;
      const partition = new Partition(this.zk, contender, { margin, loseOn }, name);
      if (partition.held && !signal.aborted) return partition;
      await partition.release();
      checkMargin(this.zk, { margin }, 'Partitioner', path);
      return undefined;
    } finally {
      // A claim that was given up is over when nothing of it stands in line.
      await wait.tidied();
    }
  }

  #own(partition: Partition): void {
    this.#owned.set(partition.name, partition);
    this.#acquired.add(partition);
    partition.signal.addEventListener('abort', () => this.#askBack(partition), { once: true });
  }

  #askBack(partition: Partition): void {
    // Its own release ends it, too.
    if (this.#owned.get(partition.name) !== partition) return;
    if (this.#acquired.delete(partition)) {
      // Nobody has heard of it.
      void this.letGo(partition);
      return;
    }
    this.#revoked.add(partition);
    this.spec.onChange();
  }
}
