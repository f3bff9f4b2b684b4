/** The public recipes. What is not named here is private. */
export { Barrier } from './barriers/barrier.js';
export { DoubleBarrier } from './barriers/double-barrier.js';
export { acceptsToken, type FencingToken } from './common/fencing.js';
export { Holder } from './common/holder.js';
export { LeaderLatch, type LeaderLatchOptions, Leadership, type Participant } from './leaders/leader-latch.js';
export {
  type ConfigSchema,
  InvalidConfigError,
  LiveConfig,
  type LiveConfigOptions,
  type SchemaResult,
} from './config/live-config.js';
export { Lock, Mutex, type MutexOptions } from './locks/mutex.js';
export {
  Group,
  type GroupChange,
  type GroupOptions,
  type GroupView,
  type JoinOptions,
  type Member,
} from './members/group.js';
export type { GroupLayout } from './members/group-layout.js';
export { GroupMember } from './members/group-member.js';
export { HashRing, type HashRingOptions, type RingMember } from './members/hash-ring.js';
export { Partition } from './members/partition.js';
export type { Handover } from './members/partition-locks.js';
export { type Assignment, Partitioner, type PartitionerState, type PartitionWork } from './members/partitioner.js';
export type { PartitionerOptions } from './members/partitioner-options.js';
export {
  partitioning,
  type PartitionMember,
  type PartitionOwners,
  type PartitionStrategy,
} from './members/partitioning.js';
export { type NodeState, OwnedByOtherError, PersistentNode } from './members/persistent-node.js';
export type { PersistentNodeOptions } from './members/persistent-node-options.js';
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
