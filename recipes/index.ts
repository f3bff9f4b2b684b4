/** The public recipes. What is not named here is private. */
export { Barrier, type BarrierOptions } from './barriers/barrier.js';
export { CountDownLatch, type CountDownOptions } from './barriers/count-down-latch.js';
export { type BarrierMember, DoubleBarrier, type DoubleBarrierOptions } from './barriers/double-barrier.js';
export { InvalidBarrierError, NotAMemberError } from './barriers/errors.js';
export {
  type JoinOptions as RoundJoinOptions,
  RoundBarrier,
  type RoundBarrierOptions,
  type RoundParticipant,
} from './barriers/round-barrier.js';
export { RoundMember } from './barriers/round-member.js';
export { type CachedZNode, type DecodingOptions, InvalidZNodeError } from './caches/cached-znode.js';
export type {
  CacheChange,
  CacheEventMap,
  CacheReady,
  CacheResync,
  ZNodeAdded,
  ZNodeChanged,
  ZNodeRemoved,
  ZNodeUnreadable,
} from './caches/changes.js';
export { ChildrenCache } from './caches/children-cache.js';
export { NodeCache } from './caches/node-cache.js';
export { CacheFullError, type CacheOptions, type TreeCacheOptions } from './caches/options.js';
export { TreeCache } from './caches/tree-cache.js';
export { ZNodeCache } from './caches/znode-cache.js';
export { acceptsToken, type FencingToken } from './common/fencing.js';
export { HolderGroup } from './common/holder-group.js';
export { Holder } from './common/holder.js';
export { ConfigEditor, type ConfigVersionValue, type VersionReference } from './config/config-editor.js';
export type { ConfigEditorOptions } from './config/config-editor-options.js';
export type { ConfigVersion } from './config/config-history.js';
export type { ConfigLayer, ConfigLayers, ConfigPaths } from './config/config-layers.js';
export type { ConfigChange, ConfigEventMap, ConfigSourceName } from './config/config-listeners.js';
export type { LiveConfigOptions, PlaceholderOptions, SnapshotOptions } from './config/config-options.js';
export type { ConfigOrigin } from './config/config-reader.js';
export type { ConfigShape, ConfigWatches } from './config/config-source.js';
export {
  type ConfigUpdate,
  type ConfigUpdateOptions,
  ValueTooLargeError,
  VersionNotKeptError,
} from './config/config-update.js';
export type { ConfigDecoder, ConfigFormat } from './config/decoders.js';
export type { ConfigCodec } from './config/encoders.js';
export {
  DecryptionError,
  type EncryptionKey,
  type EncryptionKeySource,
  type EncryptionOptions,
} from './config/encryption.js';
export { parseEnv } from './config/env-file.js';
export { ConfigSnapshotError, InvalidConfigError, type InvalidConfigReason } from './config/errors.js';
export { type ChangeOptions, LiveConfig } from './config/live-config.js';
export type { PlaceholderEnvironment } from './config/placeholders.js';
export type { ConfigDifference, KeyPath } from './config/plain-values.js';
export { parseProperties } from './config/properties.js';
export { RefusalReport, type RefusalReportOptions } from './config/refusal-report.js';
export type { ConfigRefusal } from './config/refusals.js';
export {
  type AjvIssue,
  ajvSchema,
  type AjvValidate,
  type ConfigIssue,
  type ConfigSchema,
  type SchemaResult,
} from './config/schema.js';
export { encrypt } from './config/secrets.js';
export { DamagedValueError } from './config/stored-value.js';
export type { ValueAt } from './config/value-at.js';
export type { DockerAgentCounts, DockerAgentLogger, DockerAgentProblem } from './docker/agent-journal.js';
export type { DockerAgentOptions } from './docker/agent-options.js';
export type { DockerAgentInstance, DockerAgentStatus } from './docker/agent-status.js';
export { DockerAgent } from './docker/docker-agent.js';
export { DockerEngineError } from './docker/errors.js';
export type { SwarmMode, SwarmNode, SwarmPort, SwarmService } from './docker/swarm-report.js';
export type { CandidateOptions } from './leaders/candidate.js';
export type { MissedRule } from './leaders/cron-plan.js';
export type { CronOutcome, CronRecord } from './leaders/cron-record.js';
export type { CronJob, CronRun, OverlapRule } from './leaders/cron-runner.js';
export type { CronSchedule } from './leaders/cron-schedule.js';
export { ClusterCron, type ClusterCronOptions } from './leaders/cron.js';
export { ElectionTerm } from './leaders/election-term.js';
export type { LeaderWork } from './leaders/election-work.js';
export { CronJobError, LeaderWorkError, NotLeaderError } from './leaders/errors.js';
export type { HandOverOptions } from './leaders/hand-over.js';
export { type ElectionState, LeaderElection, type LeaderElectionOptions } from './leaders/leader-election.js';
export {
  type LatchState,
  LeaderLatch,
  type LeaderLatchOptions,
  type LeadershipChange,
} from './leaders/leader-latch.js';
export { LeaderObserver, type LeaderView, observeLeader } from './leaders/leader-observer.js';
export { Leadership } from './leaders/leadership.js';
export type { Participant } from './leaders/participants.js';
export { InvalidLeaseCountError, type SharedLeaseCount } from './locks/lease-count.js';
export { InvalidLeaseError } from './locks/lease-format.js';
export { LeaseTerm } from './locks/lease-term.js';
export { Lease, type LeaseHolder, type TimedLeaseOptions } from './locks/lease.js';
export { LockSide } from './locks/lock-side.js';
export { MultiLease } from './locks/multi-lease.js';
export { type Lockable, MultiLock } from './locks/multi-lock.js';
export type { LockParticipant } from './locks/mutex-line.js';
export { Lock, type LockOptions } from './locks/mutex-lock.js';
export type { LockView } from './locks/mutex-observer.js';
export { LockRevokedError, type RevokeOptions, type RevokeOutcome } from './locks/mutex-revocation.js';
export { type AcquireLockOptions, Mutex, type MutexOptions } from './locks/mutex.js';
export { OnceFailedError, type OnceFailure, type OnceOptions } from './locks/once-job.js';
export { forgetOnce, once } from './locks/once.js';
export {
  ReadLock,
  ReadWriteLock,
  type ReadWriteLockOptions,
  type ReadWriteParticipant,
  WriteLock,
} from './locks/read-write-lock.js';
export {
  Semaphore,
  type SemaphoreAcquireOptions,
  SemaphoreLease,
  type SemaphoreOptions,
  type SemaphoreParticipant,
} from './locks/semaphore.js';
export type { GroupLayout } from './members/group-layout.js';
export { GroupMember } from './members/group-member.js';
export {
  Group,
  type GroupChange,
  type GroupOptions,
  type GroupView,
  type JoinOptions,
  type Member,
} from './members/group.js';
export { HashRing, type HashRingOptions, type RingMember } from './members/hash-ring.js';
export type { Handover } from './members/partition-locks.js';
export { Partition } from './members/partition.js';
export type { PartitionerOptions } from './members/partitioner-options.js';
export { type Assignment, Partitioner, type PartitionerState, type PartitionWork } from './members/partitioner.js';
export {
  partitioning,
  type PartitionMember,
  type PartitionOwners,
  type PartitionStrategy,
} from './members/partitioning.js';
export type { ConflictRule, PersistentNodeOptions } from './members/persistent-node-options.js';
export { type NodeState, OwnedByOtherError, PersistentNode } from './members/persistent-node.js';
export { ItemLostError } from './queues/claim.js';
export { type ConsumeOptions, QueueConsumer, type QueueHandler } from './queues/consumer.js';
export { type DelayOptions, DelayQueue } from './queues/delay-queue.js';
export type { DeadLetter } from './queues/handout.js';
export { type IdOptions, IdQueue } from './queues/id-queue.js';
export { CorruptItemError } from './queues/item-format.js';
export { type PriorityOptions, PriorityQueue, type PriorityQueueOptions } from './queues/priority-queue.js';
export { QueueItem } from './queues/queue-item.js';
export type { QueueOptions } from './queues/queue-options.js';
export { type FifoOptions, Queue } from './queues/queue.js';
export { type QueueSerializer, queueSerializers } from './queues/serializer.js';
export { httpCheck, type HttpCheckOptions, tcpCheck } from './services/health-checks.js';
export { type HealthCheck, HealthGate, type HealthGateOptions, type HealthState } from './services/health-gate.js';
export { type AddressChoice, type AddressFilter, type OwnAddress, ownAddresses } from './services/own-address.js';
export type { PickOptions, ServiceProviderOptions, SetAsideOptions, ZoneOptions } from './services/provider-options.js';
export { RegisteredService, type RegistrationState, type UnregisterOptions } from './services/registered-service.js';
export { RegisteredTask, type TaskEndOptions } from './services/registered-task.js';
export { ServiceCall } from './services/service-call.js';
export {
  InvalidServiceInstanceError,
  type ServiceInstance,
  type ServiceType,
  type UriPart,
  type UriTemplate,
} from './services/service-instance.js';
export type { ServiceList, ServiceListChange, UpdatedInstance } from './services/service-list.js';
export { ServiceProvider } from './services/service-provider.js';
export type { ServiceHealthOptions, ServiceRegistration, ServiceUpdate } from './services/service-registration.js';
export { ServiceRegistry, type ServiceRegistryOptions } from './services/service-registry.js';
export { curatorSerializer, type PayloadCodec, type ServiceSerializer } from './services/service-serializer.js';
export type { PickRequest, ServiceCandidate, ServiceStrategy, StrategyName } from './services/service-strategy.js';
export type { TaskAddress } from './services/swarm-address.js';
export { NotASwarmTaskError, TaskAddressError } from './services/swarm-errors.js';
export type { SwarmTask } from './services/swarm-place.js';
export type { TaskRegistration } from './services/swarm-task.js';
export { parseUriTemplate, uriOf, type UriVariables } from './services/uri-template.js';
export type { AgentRouting } from './services/agent-router.js';
export type { FetchOptions } from './services/fetch-call.js';
export {
  SecureServiceAgent,
  type SecureServiceAgentOptions,
  ServiceAgent,
  type ServiceAgentOptions,
} from './services/service-agent.js';
export {
  type Dependency,
  type DependencyChange,
  type DependencySpec,
  ServiceDependencies,
} from './services/service-dependencies.js';
export {
  type FailedAttempt,
  MissingDependenciesError,
  type MissingDependency,
  NoInstanceError,
  ServiceCallError,
  ServiceStatusError,
} from './services/service-errors.js';
export { serviceFetch, type ServiceFetch, type ServiceFetchOptions } from './services/service-fetch.js';
export { type ProviderMaker, ServiceProviders, type ServiceProvidersOptions } from './services/service-providers.js';
export type { CallLimits, ServiceRequestInit } from './services/service-request.js';
export type { ResponseOrigin, ServiceResponse } from './services/service-response.js';
export type { ContentionOptions, ContentionStats } from './values/atomic-node.js';
export {
  AtomicValue,
  type AtomicValueOptions,
  type ConditionalChange,
  type ValueChange,
} from './values/atomic-value.js';
export type { CounterFormat, CounterInput, CounterNumbers } from './values/counter-format.js';
export { Counter, type CounterOptions } from './values/counter.js';
export { ContentionError, CounterOverflowError, InvalidValueError } from './values/errors.js';
export { IdGenerator, type IdGeneratorOptions } from './values/id-generator.js';
export type { ValueReadOptions } from './values/read-options.js';
export { type Serializer, serializers } from './values/serializer.js';
export { SharedValue, type SharedValueOptions, type VersionedValue } from './values/shared-value.js';
export { type IdRefusal, IdRefusedError, Snowflake, type SnowflakeOptions } from './values/snowflake.js';
export { type ClaimTime, WorkerId, WorkerIds, type WorkerIdsOptions } from './values/worker-id.js';
