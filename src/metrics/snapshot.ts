import type { SessionState } from '../events.js';

/** How long things took. All times are in milliseconds. */
export interface LatencyMetrics {
  /** How many were measured. With none, all times are 0. */
  readonly count: number;
  readonly sum: number;
  readonly mean: number;
  readonly max: number;
  /** Half of them took no longer. This and the other percentiles are wrong by 1.6 % or half a microsecond at most. */
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  /**
   * How many took `le` or less, each bucket with those before it, as Prometheus counts: bounds from 0.25 to 10,000, the
   * last one without a bound (`null`). Times within 1.6 % of a bound may stand on either side of it.
   */
  readonly buckets: readonly { readonly le: number | null; readonly count: number }[];
}

/** What became of operations. */
export interface OperationMetrics {
  /** All whose outcome is known to their callers. */
  readonly count: number;
  /**
   * By outcome: `ok`, or the `code` of the error: `NO_NODE`, `CONNECTION_LOSS`, `OPERATION_TIMEOUT`, `ABORTED`, ...
   * Those that never came are left out.
   */
  readonly outcomes: Readonly<Record<string, number>>;
  /**
   * From the call to the reply, the wait for a connection included. Only operations that a server has answered are
   * measured; the others are in `outcomes`.
   */
  readonly latency: LatencyMetrics;
}

/** The paths that are watched, by kind. */
export interface WatchCounts {
  readonly data: number;
  readonly exists: number;
  readonly children: number;
  readonly persistent: number;
  readonly recursive: number;
  readonly total: number;
}

/**
 * What a client has done since it was opened, over all its sessions, and how it is now: `zk.metrics()`. Plain data that
 * `JSON.stringify` takes. Counters only grow; times are in milliseconds.
 */
export interface Metrics {
  readonly state: SessionState;
  /** The current session. */
  readonly session: {
    /** In hexadecimal, as servers log it; `0x0` before the first one. */
    readonly id: string;
    /** Negotiated session timeout; 0 before the first connection. */
    readonly timeout: number;
    /** For how long the session is certainly alive; 0: it may have ended. */
    readonly remaining: number;
    /** `host:port` of the server in use; null without a connection. */
    readonly server: string | null;
  };
  readonly operations: {
    readonly total: OperationMetrics;
    /** By operation: `getData`, `create`, ... Those that were never asked for are left out. */
    readonly byName: Readonly<Record<string, OperationMetrics>>;
    /** Answers a second, over the last ten seconds; up to a tenth too low. */
    readonly perSecond: number;
    /** Sent, and not answered yet. */
    readonly inFlight: number;
    /** Waiting for a connection. */
    readonly queued: number;
    /** Bytes of paths and data of those that wait. */
    readonly queuedBytes: number;
  };
  /** Everything on the wire, with pings and handshakes. */
  readonly traffic: {
    readonly bytesSent: number;
    readonly bytesReceived: number;
    readonly framesSent: number;
    readonly framesReceived: number;
  };
  readonly watches: WatchCounts;
  readonly connections: {
    /** Attempts to reach a server. */
    readonly attempts: number;
    readonly failedAttempts: number;
    /** How often a session was attached to a server that takes writes. */
    readonly connected: number;
    /** Of these: to go on with a session that was connected before. */
    readonly reconnected: number;
    /** How often a server without a quorum had to do (see the option `readOnly`). */
    readonly readOnly: number;
    /**
     * How often a server was left for another one on purpose: because the list of servers had changed, or because a
     * server without a quorum had had to do, and one was found that takes writes.
     */
    readonly moved: number;
    /** How often the connection of a session was lost otherwise. */
    readonly lost: number;
  };
  readonly sessions: {
    /** New sessions. */
    readonly opened: number;
    /** Sessions that a server has declared over. */
    readonly expired: number;
    /** How often a session counted as lost by our own clock. */
    readonly lost: number;
    /** How often this process was held up for so long that leases were at risk. */
    readonly stalled: number;
  };
  /** Time connected to a server that takes writes against time wanted: from `open()` to `close()`. */
  readonly availability: {
    readonly wanted: number;
    readonly connected: number;
    /** From 0 to 1. */
    readonly ratio: number;
  };
  /** Round trips of pings, which are sent when nothing else was for a third of the session timeout. */
  readonly ping: {
    /** The newest one; null before the first. */
    readonly last: number | null;
    readonly latency: LatencyMetrics;
  };
}
