/** The public API of zookit. What is not named here is private. */
import './disposal.js';
import Long from 'long';

export { Long };
export { admin, FourLetterAdmin } from './admin/four-letter.js';
export { adminServer, type AdminServerOptions, type CommandAnswer, HttpAdmin } from './admin/admin-server.js';
export {
  AdminError,
  CommandRefusedError,
  NoAnswerError,
  ServerNotServingError,
  ServerUnreachableError,
  UnexpectedAnswerError,
  type UnreachableReason,
} from './admin/errors.js';
export {
  type EnsembleHealth,
  type FailedServer,
  health,
  type HealthOptions,
  type HealthVerdict,
  type ServerHealth,
  type ServingServer,
} from './admin/health.js';
export type { AdminJson } from './admin/json.js';
export type { AdminOptions } from './admin/options.js';
export type {
  AdminLimits,
  Answer,
  ClientConnection,
  ConfigReport,
  ConnectedSession,
  DirectoryReport,
  DumpedSession,
  DumpReport,
  EnvironmentReport,
  Latency,
  LeaderReport,
  MonitorReport,
  ServerAdmin,
  ServerMode,
  ServerReport,
  SessionConnection,
  StatReport,
  WatchesByPath,
  WatchesBySession,
  WatchSummary,
} from './admin/reports.js';
export { type Acl, acl, allPermissions, digestId, type Permission } from './acl.js';
export { InvalidConnectStringError, type ServerAddress } from './connection/connect-string.js';
export type { HostProvider } from './connection/host-provider.js';
export type {
  Created,
  CreatedInTransaction,
  CreateOptions,
  CreateSpec,
  ParentsOption,
  SequentialMode,
  TtlMode,
} from './created.js';
export type { Endpoint, EnsembleConfig, EnsembleServer } from './ensemble-config.js';
export {
  AbortedError,
  AuthFailedError,
  BadArgumentsError,
  BadVersionError,
  ClosedError,
  ConnectError,
  ConnectionLossError,
  EphemeralOnLocalSessionError,
  type ErrorContext,
  type FailedAttempt,
  type FailedTransaction,
  FrameTooLargeError,
  InvalidAclError,
  InvalidArgumentError,
  InvalidPathError,
  LeaseLostError,
  LinkError,
  MarshallingError,
  NewConfigNoQuorumError,
  NoAuthError,
  NoChildrenForEphemeralsError,
  NodeExistsError,
  NoNodeError,
  NotEmptyError,
  NotReadOnlyError,
  NoWatcherError,
  OperationTimeoutError,
  ProtocolError,
  QueueFullError,
  QuotaExceededError,
  ReconfigDisabledError,
  ReconfigInProgressError,
  ReplyTooLargeError,
  RequestTooLargeError,
  RuntimeInconsistencyError,
  SaslError,
  type SaslProblem,
  ServerError,
  SessionExpiredError,
  SessionMovedError,
  StaleReadError,
  ThrottledError,
  TlsError,
  type TlsProblem,
  type TransactionOutcome,
  UnansweredError,
  UnimplementedError,
  UnknownServerError,
  ZooKeeperError,
} from './errors.js';
export type {
  AheadOfServersEvent,
  AuthFailedEvent,
  ClosedEvent,
  ConnectedEvent,
  ExpiredEvent,
  LostEvent,
  OneShotEvent,
  ReadOnlyEvent,
  SessionEvent,
  SessionEventMap,
  SessionState,
  StalledEvent,
  SuspendedEvent,
  WatchedChange,
  WatchEnded,
  WatchEndReason,
  WatchEvent,
  WatchResync,
} from './events.js';
export type { LogFields, Logger } from './log.js';
export type { ConnectionMessage, OperationMessage, OperationStart } from './metrics/channels.js';
export type { LatencyMetrics, Metrics, OperationMetrics, WatchCounts } from './metrics/snapshot.js';
export type { Identity } from './operations/auth.js';
export type { CreateMode } from './operations/create.js';
export type { AclWithStat } from './operations/get-acl.js';
export type { ChildrenWithStat } from './operations/get-children.js';
export { ZNode } from './operations/get-data.js';
export type { RemovableWatches } from './operations/watching.js';
export type {
  AuthInfo,
  ClientOptions,
  InFlightOptions,
  LookupLike,
  OfflineQueueOptions,
  SessionCredentials,
  SrvRecord,
  SrvResolver,
} from './options.js';
export { type Allowance, type PathRule, SchemaViolationError } from './path-schema.js';
export { checkPath, childPath, compareSequences, nameOf, parentOf, sequenceOf } from './paths.js';
export type { UpsertOptions } from './parents.js';
export { LentClient } from './pool/lent-client.js';
export type { PoolOptions } from './pool/options.js';
export { createPool, Pool } from './pool/pool.js';
export type { AcquireOptions } from './pool/waiting-line.js';
export type { Data } from './protocol/records.js';
export type { ReadBatch } from './read-batch.js';
export {
  type ExponentialOptions,
  type FailedTry,
  retries,
  type RetryBounds,
  type RetryPolicy,
} from './retry-policy.js';
export { isPassing } from './retry.js';
export { type LeaseOptions, SessionLease } from './session/deadline.js';
export type { RequestLimits } from './session/pending-request.js';
export type { WatchedPath, WatchKind } from './session/watch-registry.js';
export type {
  CustomSaslOptions,
  DigestMd5Options,
  GssapiOptions,
  KerberosClient,
  KerberosModule,
  SaslExchange,
  SaslOptions,
  SaslServer,
  SecretSource,
} from './sasl-options.js';
export { SessionInfo } from './session-info.js';
export { Stat } from './stat.js';
export type { WalkedZNode } from './subtree.js';
export type { TlsOptions, TlsOptionsSource } from './tls-options.js';
export type { Transaction } from './transaction.js';
export { Watcher } from './watcher.js';
export {
  type ClientSummary,
  type ConnectOptions,
  type RetryAttempt,
  type RetryOptions,
  type WaitOptions,
  ZooKeeper,
} from './zookeeper.js';
export type {
  AddWatchOptions,
  DeleteOptions,
  ReadOptions,
  ReconfigOptions,
  WriteOptions,
  ZooKeeperOperations,
} from './zookeeper-operations.js';
