import { isAttached } from '../session/states.js';
import type { WaitOptions, ZooKeeper } from '../zookeeper.js';

/** A client in the store of a pool: what generic-pool creates, checks and destroys. */
export class PooledClient {
  #closed: Promise<void> | undefined;

  /** @param zk none: the pool was closed before there was a session */
  constructor(readonly zk?: ZooKeeper) {}

  /** Whether it is connected, and its session is certainly alive. */
  get isReady(): boolean {
    return this.zk !== undefined && isAttached(this.zk.state) && this.zk.session.remaining > 0;
  }

  /** Whether it can never be used again. */
  get isOver(): boolean {
    return this.zk?.state === 'authFailed' || this.zk?.state === 'closed' || this.#closed !== undefined;
  }

  /** Resolves with whether it can be used: at once, or once it is connected and a server has confirmed the session. */
  async becomesReady(wait: WaitOptions): Promise<boolean> {
    if (this.zk === undefined) return true;
    try {
      if (!this.isReady) await this.zk.ready(wait);
      // A process that was stopped believes in a connection that may have gone long ago.
      if (!this.isReady) await this.zk.has('/', wait);
      return this.isReady;
    } catch {
      return false;
    }
  }

  /** Ends the session. Never rejects. */
  close(): Promise<void> {
    this.#closed ??= this.zk?.close() ?? Promise.resolve();
    return this.#closed;
  }
}
