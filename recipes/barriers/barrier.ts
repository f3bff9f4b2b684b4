import { checkPath, NodeExistsError, NoNodeError, type WaitOptions, type ZooKeeper } from 'zookit';
import { isGone, lookUntil, Wait } from '../common/waiting.js';

/**
 * A gate: while it is set, all who wait at it are held back.
 *
 * The znode is `PATH` itself, persistent, as in Curator's DistributedBarrier and kazoo's Barrier: it exists while the
 * gate is closed. It outlives the session that set it; a lost connection and an expiry change nothing, waiters go on
 * waiting.
 */
export class Barrier {
  /** @throws InvalidPathError. Does not connect. */
  constructor(
    private readonly zk: ZooKeeper,
    readonly path: string,
  ) {
    checkPath(path, 'Barrier');
  }

  /** Closes the gate. Resolves with whether it was open. */
  async set(): Promise<boolean> {
    try {
      await this.zk.create(this.path, '', { parents: 'container' });
      return true;
    } catch (error) {
      if (error instanceof NodeExistsError) return false;
      throw error;
    }
  }

  /** Opens the gate: all who wait may go on. Resolves with whether it was closed. */
  async remove(): Promise<boolean> {
    try {
      await this.zk.delete(this.path);
      return true;
    } catch (error) {
      if (error instanceof NoNodeError) return false;
      throw error;
    }
  }

  /** Resolves when the gate is open, at once if it is. @throws OperationTimeoutError, AbortedError. */
  async wait(options: WaitOptions = {}): Promise<void> {
    using wait = new Wait(options, { operation: 'Barrier.wait', path: this.path });
    await lookUntil(
      this.zk,
      wait,
      async (changed) => ((await isGone(this.zk, this.path, changed, wait)) ? true : undefined),
      (changed) => this.zk.unwatch(this.path, changed),
    );
  }
}
