import {
  checkPath,
  type Data,
  InvalidArgumentError,
  type LeaseOptions,
  type WaitOptions,
  type ZooKeeper,
} from 'zookit';
import { childrenOf, textsOf } from '../common/children.js';
import type { Contender } from '../common/contender.js';
import { checkMargin, Holder } from '../common/holder.js';
import { HolderGroup } from '../common/holder-group.js';
import { inOrder } from '../common/line-order.js';
import { checkLease, checkNames, leaseNames, waitNames } from '../common/options.js';
import { Wait } from '../common/waiting.js';
import { checkCount, LeaseCount, type SharedLeaseCount } from './lease-count.js';
import { LeaseLine } from './lease-line.js';

/** How a {@link Semaphore} behaves. */
export interface SemaphoreOptions extends LeaseOptions {
  /** The data of the znodes: who holds a lease, for operators and {@link Semaphore.participants} to read. Default: none. */
  readonly data?: Data | undefined;
}

/** How to wait for leases, and for how many. */
export interface SemaphoreAcquireOptions extends WaitOptions {
  /** How many leases are wanted: all of them or none. */
  readonly count?: number | undefined;
}

/** One lease of a semaphore. */
export class SemaphoreLease extends Holder {}

/** A lease, as others see it. */
export interface SemaphoreParticipant {
  readonly path: string;
  /** Its data, as text. */
  readonly id: string;
  /** Whether it is among the first as many as there are leases. The others wait, or hold from before the count was lowered. */
  readonly holds: boolean;
}

/**
 * A number of leases, each of which one holder has at a time, whatever process or language they are of.
 *
 * Znodes, as Curator's InterProcessSemaphoreV2 has them: `PATH/leases/_c_<uuid>-lease-<sequence>` for each lease, and
 * `PATH/locks/_c_<uuid>-lock-<sequence>` for who stands in line, all ephemeral. The first in line waits until its leases
 * are among the first as many as there are; the others wait for their turn.
 *
 * - While connected: held until released, or until somebody deletes the znode.
 * - While disconnected: waiters go on waiting, holders hold as long as the session certainly lives.
 * - After an expiry: holders have lost; waiters line up again in the new session, at the end.
 *
 * A lease that is free costs one round trip to take, and one to give back.
 */
export class Semaphore {
  /** For a {@link MultiLock}. */
  readonly kind = 'Semaphore';
  readonly #count: LeaseCount;
  readonly #line: LeaseLine;

  /**
   * @param count How many leases there are: the same for all who share the semaphore, or a znode that says it.
   * @throws InvalidPathError, InvalidArgumentError. Does not connect.
   */
  constructor(
    private readonly zk: ZooKeeper,
    readonly path: string,
    count: number | SharedLeaseCount,
    private readonly options: SemaphoreOptions = {},
  ) {
    const subject = { operation: 'Semaphore', path };
    checkPath(path, 'Semaphore');
    checkNames(options, [...leaseNames, 'data'], subject);
    checkLease(options, subject);
    this.#count = new LeaseCount(zk, count, subject);
    this.#line = new LeaseLine(zk, path, this.#count, options.data ?? null);
  }

  /**
   * Waits for a lease and takes it; with `count`, for so many, all or none: a group of leases then. Who asks for many is
   * not overtaken by those who ask for few. However the wait ends, no znode stays behind.
   *
   * @throws InvalidArgumentError for more leases than there are; InvalidLeaseCountError; otherwise as a mutex does.
   */
  acquire(options?: WaitOptions & { readonly count?: undefined }): Promise<SemaphoreLease>;
  acquire(options: SemaphoreAcquireOptions & { readonly count: number }): Promise<HolderGroup<SemaphoreLease>>;
  async acquire(options: SemaphoreAcquireOptions = {}): Promise<SemaphoreLease | HolderGroup<SemaphoreLease>> {
    const { count, wait } = this.#begin('acquire', options);
    using _ = wait;
    for (;;) {
      const entered = await this.#line.enter(count ?? 1, wait);
      const held = typeof entered === 'string' ? undefined : await this.#hold(entered, wait);
      if (held !== undefined) return count === undefined ? firstOf(held) : held;
    }
  }

  /**
   * Takes the leases if they are free and nobody waits for one; otherwise resolves with undefined, and stands in no
   * line. Throws as {@link acquire} does.
   */
  tryAcquire(options?: WaitOptions & { readonly count?: undefined }): Promise<SemaphoreLease | undefined>;
  tryAcquire(
    options: SemaphoreAcquireOptions & { readonly count: number },
  ): Promise<HolderGroup<SemaphoreLease> | undefined>;
  async tryAcquire(
    options: SemaphoreAcquireOptions = {},
  ): Promise<SemaphoreLease | HolderGroup<SemaphoreLease> | undefined> {
    const { count, wait } = this.#begin('tryAcquire', options);
    using _ = wait;
    for (;;) {
      const entered = await this.#line.enterAtOnce(count ?? 1, wait, true);
      if (entered === 'behind') return undefined;
      const held = entered === 'gone' ? undefined : await this.#hold(entered, wait);
      if (held !== undefined) return count === undefined ? firstOf(held) : held;
    }
  }

  /** Runs `work` with a lease, and releases it whatever happens. What `work` returns or throws is passed on. */
  async using<T>(work: (lease: SemaphoreLease) => T | Promise<T>, options: WaitOptions = {}): Promise<T> {
    await using lease = await this.acquire({ timeout: options.timeout, signal: options.signal });
    return await work(lease);
  }

  /** The leases, in the order in which they were asked for. Those that vanish meanwhile are left out. */
  async participants(): Promise<SemaphoreParticipant[]> {
    const { path: folder, markers } = this.#line.leases;
    const [names, count] = await Promise.all([childrenOf(this.zk, folder), this.#count.read()]);
    const leases = inOrder(names, markers).map((name, index) => ({ name, holds: index < count }));
    const found = await textsOf(this.zk, folder, leases);
    return found.map(({ path, id, holds }) => ({ path, id, holds }));
  }

  /**
   * Writes another number of leases into the znode that says it. With more of them, who waits comes in; with fewer, who
   * holds keeps its lease. @throws InvalidArgumentError where the count is fixed.
   */
  async setCount(count: number): Promise<void> {
    await this.#count.write(count, { operation: 'Semaphore.setCount', path: this.path });
  }

  #begin(
    method: string,
    options: SemaphoreAcquireOptions,
  ): { readonly count: number | undefined; readonly wait: Wait } {
    const subject = { operation: `Semaphore.${method}`, path: this.path };
    checkNames(options, [...waitNames, 'count'], subject);
    const { count, timeout, signal } = options;
    const { fixed } = this.#count;
    if (count !== undefined) checkCount(count, 1, subject);
    if (count !== undefined && fixed !== undefined && count > fixed)
      throw new InvalidArgumentError(`the count is ${count}; there are ${fixed} leases in all`, subject);
    return { count, wait: new Wait({ timeout, signal }, subject) };
  }

  /** Nothing if a lease was lost between the answer and now: the caller shall not get what is not held any more. */
  async #hold(contenders: readonly Contender[], wait: Wait): Promise<HolderGroup<SemaphoreLease> | undefined> {
    const leases = contenders.map((contender) => new SemaphoreLease(this.zk, contender, this.options));
    const group = new HolderGroup(leases);
    if (group.held) return group;
    await wait.race(group.release());
    checkMargin(this.zk, this.options, 'Semaphore.acquire', this.path);
    return undefined;
  }
}

/** A group that was made for one lease. */
function firstOf({ parts }: HolderGroup<SemaphoreLease>): SemaphoreLease {
  const [lease] = parts;
  if (lease === undefined) throw new RangeError('there is no lease in the group');
  return lease;
}
