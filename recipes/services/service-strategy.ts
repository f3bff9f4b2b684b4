import type { ServiceInstance } from './service-instance.js';

/** An instance that can be called, as a strategy sees it. The same object as long as it is the same instance. */
export interface ServiceCandidate<Payload = unknown> {
  readonly instance: ServiceInstance<Payload>;
  /** How many calls by this provider are under way: taken, and not ended. */
  readonly outstanding: number;
  /** How much of the calls it is to get beside the others: the weight that it was registered with, less in a slow start. */
  readonly weight: number;
}

/** What a strategy is told of a call. */
export interface PickRequest {
  /** What the call is about: calls with the same key go to the same instance, where the strategy goes by keys. */
  readonly key?: string | undefined;
}

/** Chooses whom to call. What it throws rejects the `pick()` that has asked. */
export interface ServiceStrategy<Payload = unknown> {
  /**
   * One of the candidates, of which there is at least one; undefined: none of them will do, and `pick()` waits for a change.
   * The same array comes as long as the candidates are the same.
   */
  pick(candidates: readonly ServiceCandidate<Payload>[], request: PickRequest): ServiceCandidate<Payload> | undefined;
  /** Told of all instances that want to be called whenever those have changed; `pick` may be given fewer. */
  changed?(all: readonly ServiceCandidate<Payload>[]): void;
}

/** The strategies that there are: see docs/recipes/service-provider.md. */
export type StrategyName =
  'roundRobin' | 'random' | 'weighted' | 'leastOutstanding' | 'twoChoices' | 'consistentHash' | 'sticky';
