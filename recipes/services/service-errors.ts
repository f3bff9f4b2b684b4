import { type ErrorContext, ZooKeeperError } from 'zookit';
import type { ServiceInstance } from './service-instance.js';

/** An attempt to call a service that came to nothing. */
export interface FailedAttempt {
  readonly instance: ServiceInstance;
  /** What went wrong: of the network, a time-out, or a {@link ServiceStatusError}. */
  readonly error: Error;
}

/** No instance of a service takes calls: none is registered, none is enabled, or nothing is known of it yet. Nothing was sent. */
export class NoInstanceError extends ZooKeeperError {
  readonly code = 'NO_INSTANCE';
}

/** A service was called, and no instance that was asked has answered. The `cause` is what the last one came to. */
export class ServiceCallError extends ZooKeeperError {
  readonly code = 'SERVICE_CALL_FAILED';

  constructor(
    message: string,
    context: ErrorContext,
    /** Each instance that was asked, in order; one may have been asked twice where there was no other. */
    readonly attempts: readonly FailedAttempt[],
  ) {
    super(message, context);
  }
}

/** An instance has answered with a status after which another one is asked. Met as the error of an attempt. */
export class ServiceStatusError extends ZooKeeperError {
  readonly code = 'SERVICE_STATUS';

  constructor(
    message: string,
    context: ErrorContext,
    /** The status of the answer. */
    readonly status: number,
  ) {
    super(message, context);
  }
}

/** A dependency that was declared and is not there as often as it has to be. */
export interface MissingDependency {
  readonly name: string;
  /** How many instances there have to be. */
  readonly atLeast: number;
  /** How many there are, as far as is known. */
  readonly instances: number;
}

/** Dependencies that are required are not there. `missing` has all of them. */
export class MissingDependenciesError extends ZooKeeperError {
  readonly code = 'MISSING_DEPENDENCIES';

  constructor(
    message: string,
    context: ErrorContext,
    readonly missing: readonly MissingDependency[],
  ) {
    super(message, context);
  }
}
