/** The public recipes. What is not named here is private. */
export { Barrier } from './barriers/barrier.js';
export { DoubleBarrier } from './barriers/double-barrier.js';
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
