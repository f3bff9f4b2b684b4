import { checkPath, childPath, type WaitOptions, type ZooKeeper } from 'zookit';
import { Wait } from '../common/waiting.js';
import { checkCount } from './lease-count.js';
import { Lease, type TimedLeaseOptions } from './lease.js';
import type { LeaseTerm } from './lease-term.js';

/**
 * A number of leases that are as good as each other, as kazoo's MultiNonBlockingLease has them: `PATH/0`, `PATH/1` and so
 * on, each a {@link Lease}. So a job runs on a few machines, and stays there.
 */
export class MultiLease {
  /** The leases, in the order in which they are tried. */
  readonly leases: readonly Lease[];

  /** @throws InvalidPathError, InvalidArgumentError. Does not connect. */
  constructor(
    zk: ZooKeeper,
    readonly path: string,
    count: number,
    options: TimedLeaseOptions,
  ) {
    checkPath(path, 'MultiLease');
    checkCount(count, 1, { operation: 'MultiLease', path });
    this.leases = Array.from({ length: count }, (_, index) => new Lease(zk, childPath(path, String(index)), options));
  }

  /**
   * Takes the lease that this holder has already, with a new term; otherwise the first that is to be had. Undefined where
   * all are taken. Throws as {@link Lease.tryAcquire} does.
   */
  async tryAcquire(options: WaitOptions = {}): Promise<LeaseTerm | undefined> {
    using wait = new Wait(options, { operation: 'MultiLease.tryAcquire', path: this.path });
    const found = await wait.race(
      Promise.all(this.leases.map(async (lease) => ({ lease, at: await lease.current() }))),
    );
    const own = found.filter(({ lease, at }) => at?.hasEnded === false && at.holder === lease.holder);
    const others = found.filter((each) => !own.includes(each));
    for (const { lease } of [...own, ...others]) {
      wait.check();
      const term = await lease.tryAcquire({ signal: wait.signal }).catch((error: unknown) => {
        wait.check();
        throw error;
      });
      if (term !== undefined) return term;
    }
    return undefined;
  }
}
