import type { LeaseOptions, ZooKeeper } from 'zookit';
import type { Contender } from '../common/contender.js';
import { Holder } from '../common/holder.js';

/**
 * A partition that this member owns, and nobody else as long as it is `held`. Its `signal` aborts when the work on it is to
 * stop: when it is to go to another member (then it is held until the work was let go), when it was lost, or given back.
 */
export class Partition extends Holder {
  readonly #stop = new AbortController();

  /** Made by the partitioner. */
  constructor(
    zk: ZooKeeper,
    contender: Contender,
    options: LeaseOptions,
    readonly name: string,
  ) {
    super(zk, contender, options);
    const held = super.signal;
    if (held.aborted) this.#stop.abort(held.reason);
    else held.addEventListener('abort', () => this.#stop.abort(held.reason), { once: true });
  }

  override get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Asks for it back. @internal */
  revoke(reason: Error): void {
    this.#stop.abort(reason);
  }
}
