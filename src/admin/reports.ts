import type Long from 'long';
import type { EnsembleConfig } from '../ensemble-config.js';

/** What a server is in its ensemble. `read-only`: it has lost its quorum and serves only those who ask for that. */
export type ServerMode = 'standalone' | 'leader' | 'follower' | 'observer' | 'read-only';

/** What the server wrote, for all that the fields beside it leave out. */
export interface Answer {
  /** The text of a four-letter word; the JSON of the AdminServer. */
  readonly raw: string;
}

/** How long requests took, milliseconds, since the start of the server or the last `srst`. */
export interface Latency {
  readonly min: number;
  /** A whole number before ZooKeeper 3.6. */
  readonly average: number;
  readonly max: number;
}

/** The state of a server: `srvr`. Counters are since its start or the last `srst`. */
export interface ServerReport extends Answer {
  /** As the server writes it: `3.8.0-..., built on ...`. */
  readonly version: string;
  /** `undefined`: a word that this release of zookit does not know; see `raw`. */
  readonly mode: ServerMode | undefined;
  readonly readOnly: boolean;
  readonly latency: Latency;
  readonly packetsReceived: number;
  readonly packetsSent: number;
  /** Connections of clients, this question included. */
  readonly connections: number;
  /** Requests that wait in the server. */
  readonly outstanding: number;
  /** The newest transaction that this server has applied. */
  readonly zxid: Long;
  readonly znodes: number;
  /** Bytes of the proposals of a leader. A leader that made none yet has -1. */
  readonly proposals: { readonly last: number; readonly min: number; readonly max: number } | undefined;
}

/** A connection as the server sees it. */
export interface ClientConnection {
  /** `host:port` of the client. */
  readonly client: string;
  /** Whether it came by TLS; known over the AdminServer only. */
  readonly secure: boolean | undefined;
  /** Requests of it that wait in the server. */
  readonly outstanding: number;
  readonly packetsReceived: number;
  readonly packetsSent: number;
}

/** A connection with its session: `cons`. */
export interface SessionConnection extends ClientConnection {
  /** `undefined`: the connection has none (yet), as that of a four-letter word. */
  readonly session: ConnectedSession | undefined;
}

/** The session of a connection. */
export interface ConnectedSession {
  readonly id: Long;
  /** In the words of the server: `PING`, `GETD`. */
  readonly lastOperation: string;
  /** When the connection was made, milliseconds since 1970. */
  readonly establishedAt: number;
  /** Milliseconds. */
  readonly timeout: number;
  /** `undefined`: no request came yet. */
  readonly lastXid: number | undefined;
  readonly lastZxid: Long;
  /** Milliseconds; `last` is that of the newest request. */
  readonly latency: Latency & { readonly last: number };
}

/** The state of a server with its connections: `stat`. */
export interface StatReport extends ServerReport {
  readonly clients: readonly ClientConnection[];
}

/** All figures of a server: `mntr`. What a server does not tell is `undefined`. */
export interface MonitorReport extends Answer {
  readonly version: string;
  readonly mode: ServerMode | undefined;
  readonly latency: Latency;
  readonly packetsReceived: number;
  readonly packetsSent: number;
  readonly connections: number;
  readonly outstanding: number;
  readonly znodes: number;
  readonly watches: number;
  readonly ephemerals: number;
  /** Bytes. */
  readonly approximateDataSize: number;
  readonly openFiles: number | undefined;
  readonly maxFiles: number | undefined;
  /** Milliseconds. From ZooKeeper 3.6 on. */
  readonly uptime: number | undefined;
  /** Leaders only: how many learners are connected. */
  readonly learners: number | undefined;
  /** Leaders only: how many followers are in sync. */
  readonly syncedFollowers: number | undefined;
  /** Everything, by the server's own names without `zk_`: hundreds from ZooKeeper 3.6 on. */
  readonly values: Readonly<Record<string, number | string>>;
}

/** The configuration that a server runs with: `conf`. What a server does not tell is `undefined`. */
export interface ConfigReport extends Answer {
  /** Whole numbers; -1 or 0: none. */
  readonly clientPort: number;
  readonly secureClientPort: number | undefined;
  readonly dataDir: string;
  readonly dataLogDir: string;
  /** Milliseconds. */
  readonly tickTime: number;
  readonly maxClientConnections: number;
  /** Milliseconds. */
  readonly minSessionTimeout: number;
  /** Milliseconds. */
  readonly maxSessionTimeout: number;
  /** The id in the ensemble; 0 for a standalone server. */
  readonly serverId: number;
  /** The members, from ZooKeeper 3.5 on, by four-letter word. */
  readonly ensemble: EnsembleConfig | undefined;
  /** Everything, by the server's own names. */
  readonly values: Readonly<Record<string, string>>;
}

/** The sessions and ephemeral znodes that a server knows: `dump`. */
export interface DumpReport extends Answer {
  readonly sessions: readonly DumpedSession[];
  readonly ephemerals: readonly { readonly session: Long; readonly paths: readonly string[] }[];
}

/** A session in a {@link DumpReport}. */
export interface DumpedSession {
  readonly id: Long;
  /** Milliseconds; only followers and observers tell it. */
  readonly timeout: number | undefined;
}

/** The surroundings of a server: `envi`. */
export interface EnvironmentReport extends Answer {
  readonly version: string;
  readonly hostName: string | undefined;
  readonly javaVersion: string | undefined;
  readonly os: string | undefined;
  /** Everything, by the server's own names: `java.home`, `user.dir`. */
  readonly values: Readonly<Record<string, string>>;
}

/** How many watches a server keeps: `wchs`. */
export interface WatchSummary extends Answer {
  readonly connections: number;
  readonly paths: number;
  readonly watches: number;
}

/** Watches by session: `wchc`. Expensive on a server with many. */
export interface WatchesBySession extends Answer {
  readonly sessions: readonly { readonly session: Long; readonly paths: readonly string[] }[];
}

/** Watches by path: `wchp`. Expensive on a server with many. */
export interface WatchesByPath extends Answer {
  readonly paths: readonly { readonly path: string; readonly sessions: readonly Long[] }[];
}

/** Sizes on disk, bytes: `dirs`. Needs ZooKeeper 3.5. */
export interface DirectoryReport extends Answer {
  /** Of snapshots. */
  readonly dataDirSize: number;
  /** Of transaction logs. */
  readonly logDirSize: number;
}

/** Who leads, as one server sees it. */
export interface LeaderReport extends Answer {
  /** Whether this server is the leader. */
  readonly isLeader: boolean;
  readonly leaderId: number;
  /** The address of the leader for its peers; empty if this server knows none. */
  readonly leaderAddress: string;
}

/** How long a question may take, and what ends it. */
export interface AdminLimits {
  /** Milliseconds, for all of it: looking up the name, connecting, asking. Default: that of the admin, 5,000. */
  readonly timeout?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * What can be asked of one server, by four-letter words ({@link admin}) or over HTTP ({@link adminServer}). Each
 * question takes a connection of its own; nothing is kept open, and there is no session.
 *
 * Every method rejects with `ServerUnreachableError` (refused, no address, TLS), `NoAnswerError`,
 * `ServerNotServingError` (no quorum), `CommandRefusedError` (not on the whitelist, no permission),
 * `UnexpectedAnswerError` (no ZooKeeper, perhaps), `OperationTimeoutError`, `AbortedError`, and `InvalidArgumentError`
 * at limits that are none.
 */
export interface ServerAdmin {
  /** Who is asked. */
  readonly server: string;
  /** Resolves when the process answers that it is well. By four-letter word that says nothing of a quorum. */
  ruok(limits?: AdminLimits): Promise<void>;
  /** The state of the server. The one four-letter word that needs no whitelist. */
  srvr(limits?: AdminLimits): Promise<ServerReport>;
  /** The state of the server and its connections. */
  stat(limits?: AdminLimits): Promise<StatReport>;
  /** All figures of the server. */
  mntr(limits?: AdminLimits): Promise<MonitorReport>;
  /** The configuration that the server runs with. */
  conf(limits?: AdminLimits): Promise<ConfigReport>;
  /** The connections of the server, with their sessions. */
  cons(limits?: AdminLimits): Promise<Answer & { readonly connections: readonly SessionConnection[] }>;
  /** Sessions and ephemeral znodes. */
  dump(limits?: AdminLimits): Promise<DumpReport>;
  /** The surroundings of the server. */
  envi(limits?: AdminLimits): Promise<EnvironmentReport>;
  /** How many watches the server keeps. */
  wchs(limits?: AdminLimits): Promise<WatchSummary>;
  /** Watches by session. */
  wchc(limits?: AdminLimits): Promise<WatchesBySession>;
  /** Watches by path. */
  wchp(limits?: AdminLimits): Promise<WatchesByPath>;
  /** Sizes on disk. */
  dirs(limits?: AdminLimits): Promise<DirectoryReport>;
  /** Whether the server is read-only, because it has lost its quorum. */
  isro(limits?: AdminLimits): Promise<boolean>;
  /** Resets the figures of all connections. */
  crst(limits?: AdminLimits): Promise<void>;
  /** Resets the figures of the server. */
  srst(limits?: AdminLimits): Promise<void>;
}
