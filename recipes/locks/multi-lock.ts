import { InvalidArgumentError, type WaitOptions } from 'zookit';
import type { Holder } from '../common/holder.js';
import { HolderGroup } from '../common/holder-group.js';
import { atMost, SWEEP_GRACE, sweepInBackground } from '../common/sweeper.js';
import { Wait } from '../common/waiting.js';
import { Mutex } from './mutex.js';

/** What a {@link MultiLock} can be made of: `Mutex`, the sides of a `ReadWriteLock`, `Semaphore`, or one of your own. */
export interface Lockable {
  readonly path: string;
  /** Which kind of lock it is, where several can stand at one path: `ReadWriteLock.read`. */
  readonly kind?: string | undefined;
  acquire(options: WaitOptions): Promise<Holder>;
  tryAcquire(options: WaitOptions): Promise<Holder | undefined>;
}

/**
 * Several locks as one: all of them or none, of any kinds.
 *
 * They are taken in one order, by path, then by kind, whatever order they are given in: so two callers with different
 * lists cannot wait for each other. That holds for locks that are named alike everywhere: give all callers clients with
 * the same root, and take no lock of a list by itself while a group with it is waited for.
 *
 * - What is held is a {@link HolderGroup}: it is lost as soon as any part is; give it back all the same.
 * - One limit holds for all of it. However the wait ends, what was taken is given back, the last one first.
 * - If a part is lost while others are waited for, all are given back and taken anew.
 *
 * Costs what its locks cost, one after the other; they are given back together, in one round trip.
 */
export class MultiLock {
  /** The locks, in the order in which they are taken. */
  readonly locks: readonly Lockable[];

  /** @throws InvalidArgumentError for no locks, and for two of one kind at one path: the second would wait for the first. */
  constructor(locks: readonly (Lockable | MultiLock)[]) {
    this.locks = locks.flatMap((lock) => (lock instanceof MultiLock ? lock.locks : [lock])).sort(inGlobalOrder);
    if (this.locks.length === 0)
      throw new InvalidArgumentError('there is no lock in the list', { operation: 'MultiLock' });
    this.locks.forEach((lock, index) => {
      if (this.locks.slice(0, index).some((other) => other.path === lock.path && familyOf(other) === familyOf(lock)))
        throw new InvalidArgumentError(
          `there are two locks of the kind ${familyOf(lock)} at this path; the second would wait for the first`,
          { operation: 'MultiLock', path: lock.path },
        );
    });
  }

  /**
   * Waits for all locks and takes them.
   *
   * @throws OperationTimeoutError, AbortedError when the wait is ended; otherwise what the first lock throws that fails.
   */
  async acquire(options: WaitOptions = {}): Promise<HolderGroup> {
    using wait = this.#wait('acquire', options);
    for (;;) {
      const group = await this.#takeAll(wait, (lock, signal) => lock.acquire({ signal }));
      if (group !== undefined) return group;
    }
  }

  /** Takes all locks if each is free; otherwise resolves with undefined, and holds none. Throws as {@link acquire} does. */
  async tryAcquire(options: WaitOptions = {}): Promise<HolderGroup | undefined> {
    using wait = this.#wait('tryAcquire', options);
    let isTaken = false;
    for (;;) {
      const group = await this.#takeAll(wait, async (lock, signal) => {
        const part = await lock.tryAcquire({ signal });
        isTaken ||= part === undefined;
        return part;
      });
      if (group !== undefined || isTaken) return group;
    }
  }

  /** Runs `work` under all locks, and releases them whatever happens. What `work` returns or throws is passed on. */
  async using<T>(work: (group: HolderGroup) => T | Promise<T>, options: WaitOptions = {}): Promise<T> {
    await using group = await this.acquire(options);
    return await work(group);
  }

  #wait(method: string, options: WaitOptions): Wait {
    return new Wait(options, { operation: `MultiLock.${method}`, path: this.locks.map(({ path }) => path).join(', ') });
  }

  /** Undefined if a lock was not to be had, or a part was lost meanwhile: nothing is held then. */
  async #takeAll(
    wait: Wait,
    take: (lock: Lockable, signal: AbortSignal) => Promise<Holder | undefined>,
  ): Promise<HolderGroup | undefined> {
    const parts: Holder[] = [];
    using end = new FirstEnd(wait.signal);
    try {
      for (const lock of this.locks) {
        wait.check();
        const part = await take(lock, end.signal);
        if (part === undefined) break;
        parts.push(part);
        end.follow(part.signal);
      }
    } catch (error) {
      const isPartLost = end.signal.aborted;
      const released = sweepInBackground(this.#pathsOf(parts), new HolderGroup(parts).release());
      wait.leaveBehind(released);
      await atMost(SWEEP_GRACE, released);
      wait.check();
      if (isPartLost) return undefined;
      throw error;
    }
    const group = new HolderGroup(parts);
    if (parts.length === this.locks.length && group.held) return group;
    await wait.race(group.release());
    return undefined;
  }

  #pathsOf(parts: readonly Holder[]): string {
    return parts.map(({ path }) => path).join(', ');
  }
}

/** Aborts with the first of several signals, until it is disposed of. */
class FirstEnd implements Disposable {
  readonly #controller = new AbortController();
  readonly #done = new AbortController();

  constructor(signal: AbortSignal | undefined) {
    if (signal !== undefined) this.follow(signal);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  follow(signal: AbortSignal): void {
    const onAbort = (): void => this.#controller.abort(signal.reason);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true, signal: this.#done.signal });
  }

  [Symbol.dispose](): void {
    this.#done.abort();
  }
}

function kindOf(lock: Lockable): string {
  return lock.kind ?? (lock instanceof Mutex ? 'Mutex' : '');
}

/** The sides of one lock exclude each other. */
function familyOf(lock: Lockable): string {
  return kindOf(lock).split('.', 1)[0] ?? '';
}

function inGlobalOrder(a: Lockable, b: Lockable): number {
  return compare(a.path, b.path) || compare(kindOf(a), kindOf(b));
}

/** By code units: the same in every locale. */
function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
