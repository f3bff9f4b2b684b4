/** The public recipes. What is not named here is private. */
export { Barrier } from './barrier.js';
export { DoubleBarrier } from './double-barrier.js';
export { acceptsToken, type FencingToken } from './fencing.js';
export { Holder } from './holder.js';
export { LeaderLatch, type LeaderLatchOptions, Leadership, type Participant } from './leader-latch.js';
export {
  type ConfigSchema,
  InvalidConfigError,
  LiveConfig,
  type LiveConfigOptions,
  type SchemaResult,
} from './live-config.js';
export { Lock, Mutex, type MutexOptions } from './mutex.js';
export { OwnedByOtherError, OwnedNode, type OwnedNodeOptions } from './owned-node.js';
export {
  InvalidServiceInstanceError,
  type ServiceInstance,
  type ServiceType,
  type UriPart,
} from './service-instance.js';
export { type ServiceList, ServiceProvider } from './service-provider.js';
export {
  RegisteredService,
  type ServiceRegistration,
  ServiceRegistry,
  type ServiceRegistryOptions,
  type ServiceUpdate,
} from './service-registry.js';
