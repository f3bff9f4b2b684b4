import type { ServerAddress } from './connect-string.js';

/**
 * Where a client finds its servers: given to `ZooKeeper.connect` in place of a connection string. The client asks it
 * at the beginning of each round of attempts, and keeps to itself what all clients need: pauses between rounds, a
 * limit of time for each attempt, every address of a name.
 *
 * A provider that throws, rejects, takes too long or gives no valid list costs the client no more than a server that
 * is down: the reason stands in `ConnectError`, the servers known before are tried, and the next round asks again.
 */
export interface HostProvider {
  /** What stands for it in errors and logs. Default: `host provider`. */
  readonly name?: string | undefined;
  /** The path that is the client's root, as at the end of a connection string. Default: none. */
  readonly chroot?: string | undefined;
  /**
   * The servers of the next round, in the order in which they are to be tried; at least one. Whoever has no
   * preference shuffles them, so that clients spread over the servers. The signal fires when the client waits no
   * longer, which is after its share of the session timeout at the latest.
   */
  servers(signal: AbortSignal): readonly ServerAddress[] | Promise<readonly ServerAddress[]>;
  /** Is called when a server has taken the session and answered a request on it. What it throws is logged. */
  connected?(server: ServerAddress): void;
}
