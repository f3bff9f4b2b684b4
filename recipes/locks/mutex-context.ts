import { AsyncLocalStorage } from 'node:async_hooks';
import { LeaseLostError, type ZooKeeper } from 'zookit';

/** What a {@link LockContext} has to know of a lock. */
export interface LockInContext {
  readonly held: boolean;
  readonly signal: AbortSignal;
  /** Whether it was given back, in place of being lost. */
  readonly isReleased: boolean;
  /** Whether it is held by the current session of this client. */
  isOf(zk: ZooKeeper): boolean;
}

/** What the work that runs now is done under: the locks, each by the full path of its mutex. */
export class LockContext<Held extends LockInContext> {
  readonly #locks = new AsyncLocalStorage<ReadonlyMap<string, Held>>();

  /** Runs `work`; it and all that it begins {@link find} the lock. */
  run<T>(zk: ZooKeeper, path: string, lock: Held, work: () => T): T {
    return this.#locks.run(new Map(this.#locks.getStore()).set(keyOf(zk, path), lock), work);
  }

  /**
   * The lock that the caller's work runs under, if that is one of the same session. One that was given back counts no
   * more.
   *
   * @throws LeaseLostError where it was lost: whoever would wait for it now, might wait for itself.
   */
  find(zk: ZooKeeper, path: string, operation: string): Held | undefined {
    const lock = this.#locks.getStore()?.get(keyOf(zk, path));
    if (lock === undefined || lock.isReleased) return undefined;
    if (lock.held) return lock.isOf(zk) ? lock : undefined;
    const cause: unknown = lock.signal.reason;
    throw new LeaseLostError('the lock that this is done under was lost', { operation, path, cause });
  }
}

function keyOf(zk: ZooKeeper, path: string): string {
  if (zk.root === '/') return path;
  return path === '/' ? zk.root : zk.root + path;
}
