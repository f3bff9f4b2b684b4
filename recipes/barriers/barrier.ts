import { checkPath, type Data, NodeExistsError, NoNodeError, type WaitOptions, type ZooKeeper } from 'zookit';
import { checkNames } from '../common/options.js';
import { isGone, lookUntil, Wait } from '../common/waiting.js';
import { doOnce } from './idempotent.js';

/** How a {@link Barrier} behaves. */
export interface BarrierOptions {
  /** The data of the znode: who has closed the gate, for operators to read. Default: empty. */
  readonly data?: Data | undefined;
}

/**
 * A gate: while it is set, all who wait at it are held back.
 *
 * The znode is `PATH` itself, persistent, as in Curator's DistributedBarrier and kazoo's Barrier: it exists while the
 * gate is closed. It outlives the session that set it; a lost connection and an expiry change nothing, waiters go on
 * waiting.
 */
export class Barrier {
  /** @throws InvalidPathError, InvalidArgumentError. Does not connect. */
  constructor(
    private readonly zk: ZooKeeper,
    readonly path: string,
    private readonly options: BarrierOptions = {},
  ) {
    checkPath(path, 'Barrier');
    checkNames(options, ['data'], { operation: 'Barrier', path });
  }

  /**
   * Closes the gate. Resolves with whether it was open; over a lost connection it is tried again, as closing twice does no
   * harm; a gate that is found closed then counts as closed by this call.
   *
   * @throws OperationTimeoutError, AbortedError, after which it may be closed all the same; NoAuthError.
   */
  async set(options: WaitOptions = {}): Promise<boolean> {
    using wait = new Wait(options, { operation: 'Barrier.set', path: this.path });
    const { data = '' } = this.options;
    return await doOnce(this.zk, wait, NodeExistsError, () =>
      this.zk.create(this.path, data, { parents: 'container', signal: wait.signal }),
    );
  }

  /**
   * Opens the gate: all who wait may go on. Resolves with whether it was closed. Over a lost connection it is tried again; a
   * gate that somebody else has closed meanwhile is then opened, too, as in Curator. Throws as {@link set} does.
   */
  async remove(options: WaitOptions = {}): Promise<boolean> {
    using wait = new Wait(options, { operation: 'Barrier.remove', path: this.path });
    return await doOnce(this.zk, wait, NoNodeError, () =>
      this.zk.delete(this.path, undefined, { signal: wait.signal }),
    );
  }

  /** Whether the gate is closed. */
  async isSet(): Promise<boolean> {
    return await this.zk.has(this.path);
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
