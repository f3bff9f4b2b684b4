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
export { type ConsumeOptions, QueueConsumer, type QueueHandler } from './queues/consumer.js';
export { type DelayOptions, DelayQueue } from './queues/delay-queue.js';
export { type DeadLetter } from './queues/handout.js';
export { type IdOptions, IdQueue } from './queues/id-queue.js';
export { CorruptItemError } from './queues/item-format.js';
export { type PriorityOptions, PriorityQueue, type PriorityQueueOptions } from './queues/priority-queue.js';
export { QueueItem } from './queues/queue-item.js';
export { type QueueOptions } from './queues/queue-options.js';
export { type FifoOptions, Queue } from './queues/queue.js';
export { type QueueSerializer, queueSerializers } from './queues/serializer.js';
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
