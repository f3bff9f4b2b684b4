import { type Data, InvalidArgumentError, type WaitOptions } from 'zookit';
import type { PersistentNode } from './persistent-node.js';

/** A membership of this process. */
export class GroupMember implements AsyncDisposable {
  /** Made by `group.join()`. */
  constructor(
    private readonly node: PersistentNode,
    readonly id: string,
    readonly path: string,
    private readonly hasData: boolean,
  ) {}

  /** Whether it is certainly a member, worked out at this look. After an expiry it comes true again with the new session. */
  get held(): boolean {
    return this.node.held;
  }

  /** Aborts when the membership of now may be over. A new one after the next time that it has joined. */
  get signal(): AbortSignal {
    return this.node.signal;
  }

  /**
   * Changes what the others see. While disconnected it is published after the reconnect, also when the wait is ended.
   * @throws OperationTimeoutError, AbortedError; ClosedError after `leave()`; OwnedByOtherError; InvalidArgumentError in a
   * layout without data.
   */
  async setData(data: Data, wait: WaitOptions = {}): Promise<void> {
    if (!this.hasData)
      throw new InvalidArgumentError('members have no data in the layouts of kazoo', {
        operation: 'GroupMember.setData',
        path: this.path,
      });
    await this.node.setData(data, wait);
  }

  /** Leaves. Resolves when nobody can see it any more, or its session is over. */
  async leave(): Promise<void> {
    await this.node.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.leave();
  }
}
