/** The public recipes. What is not named here is private. */
export { Barrier, type BarrierOptions } from './barriers/barrier.js';
export { CountDownLatch, type CountDownOptions } from './barriers/count-down-latch.js';
export { type BarrierMember, DoubleBarrier, type DoubleBarrierOptions } from './barriers/double-barrier.js';
export { InvalidBarrierError, NotAMemberError } from './barriers/errors.js';
export {
  type JoinOptions,
  RoundBarrier,
  type RoundBarrierOptions,
  type RoundParticipant,
} from './barriers/round-barrier.js';
export { RoundMember } from './barriers/round-member.js';
export { acceptsToken, type FencingToken } from './common/fencing.js';
export { HolderGroup } from './common/holder-group.js';
export { Holder } from './common/holder.js';
export {
  type ConfigSchema,
  InvalidConfigError,
  LiveConfig,
  type LiveConfigOptions,
  type SchemaResult,
} from './config/live-config.js';
export { LeaderLatch, type LeaderLatchOptions, Leadership, type Participant } from './leaders/leader-latch.js';
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
export { OwnedByOtherError, OwnedNode, type OwnedNodeOptions } from './members/owned-node.js';
export {
  InvalidServiceInstanceError,
  type ServiceInstance,
  type ServiceType,
  type UriPart,
} from './services/service-instance.js';
export { type ServiceList, ServiceProvider } from './services/service-provider.js';
export {
  RegisteredService,
  type ServiceRegistration,
  ServiceRegistry,
  type ServiceRegistryOptions,
  type ServiceUpdate,
} from './services/service-registry.js';
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
export { IdRefusedError, type IdRefusal, Snowflake, type SnowflakeOptions } from './values/snowflake.js';
export { type ClaimTime, WorkerId, WorkerIds, type WorkerIdsOptions } from './values/worker-id.js';
