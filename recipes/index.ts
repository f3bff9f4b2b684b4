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
export { Counter, type CounterOptions } from './values/counter.js';
export type { CounterFormat, CounterInput, CounterNumbers } from './values/counter-format.js';
export { ContentionError, CounterOverflowError, InvalidValueError } from './values/errors.js';
export { IdGenerator, type IdGeneratorOptions } from './values/id-generator.js';
export type { ValueReadOptions } from './values/read-options.js';
export { type Serializer, serializers } from './values/serializer.js';
export { SharedValue, type SharedValueOptions, type VersionedValue } from './values/shared-value.js';
export { IdRefusedError, type IdRefusal, Snowflake, type SnowflakeOptions } from './values/snowflake.js';
export { type ClaimTime, WorkerId, WorkerIds, type WorkerIdsOptions } from './values/worker-id.js';
