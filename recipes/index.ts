/** The public recipes. What is not named here is private. */
export { Barrier } from './barriers/barrier.js';
export { DoubleBarrier } from './barriers/double-barrier.js';
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
