/** The public recipes. What is not named here is private. */
export { Barrier } from './barriers/barrier.js';
export { DoubleBarrier } from './barriers/double-barrier.js';
export { acceptsToken, type FencingToken } from './common/fencing.js';
export { Holder } from './common/holder.js';
export type { CandidateOptions } from './leaders/candidate.js';
export { ClusterCron, type ClusterCronOptions } from './leaders/cron.js';
export type { MissedRule } from './leaders/cron-plan.js';
export type { CronOutcome, CronRecord } from './leaders/cron-record.js';
export type { CronJob, CronRun, OverlapRule } from './leaders/cron-runner.js';
export type { CronSchedule } from './leaders/cron-schedule.js';
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
