import type { LeaseOptions, WaitOptions, ZooKeeper } from 'zookit';
import type { Contender } from '../common/contender.js';
import { Holder } from '../common/holder.js';

/** Writes what a leader tells of itself into its znode. */
export type Proclaim = (term: Leadership, payload: unknown, options: WaitOptions) => Promise<void>;

/** One term of a leader. */
export class Leadership<Payload = unknown> extends Holder {
  readonly #proclaim: Proclaim;

  /** Made by the recipe. */
  constructor(zk: ZooKeeper, contender: Contender, options: LeaseOptions, proclaim: Proclaim) {
    super(zk, contender, options);
    this.#proclaim = proclaim;
  }

  /**
   * Tells others something about this leader, in place of what was told before: JSON, which they read as `payload` of a
   * participant or of an observed leader. It goes with the leader's znode. While disconnected it waits for the
   * reconnect; the last of several calls is what stays.
   *
   * @throws NotLeaderError when the term is over; OperationTimeoutError, AbortedError; InvalidArgumentError for what is
   * no JSON; NoAuthError; RequestTooLargeError.
   */
  proclaim(payload: Payload, options: WaitOptions = {}): Promise<void> {
    return this.#proclaim(this, payload, options);
  }
}
