import { InvalidArgumentError } from 'zookit';
import { checkNames } from '../common/options.js';
import { FetchCall, type FetchOptions } from './fetch-call.js';
import {
  type ProviderMaker,
  providersNames,
  providersOf,
  type ServiceProviders,
  type ServiceProvidersOptions,
} from './service-providers.js';
import { checkLimits, limitNames, ServiceRequest, type ServiceRequestInit } from './service-request.js';
import type { ServiceResponse } from './service-response.js';

/** How a {@link serviceFetch} behaves. */
export interface ServiceFetchOptions extends ServiceProvidersOptions, FetchOptions {}

/** A `fetch` for services. Close it when nobody calls any more. */
export interface ServiceFetch extends AsyncDisposable {
  (input: string | URL | Request, init?: ServiceRequestInit): Promise<ServiceResponse>;
  /** The providers by which the instances are chosen. */
  readonly providers: ServiceProviders;
  /** Closes the providers, unless they were given. Calls that are under way go on. */
  close(): Promise<void>;
}

const optionNames = [
  ...providersNames,
  ...limitNames,
  'isFailure',
  'retryStatuses',
  'fetch',
] as const satisfies readonly (keyof ServiceFetchOptions)[];

/**
 * A function like `fetch` for `service://pricing/path?query`, or `services://` for TLS: it chooses an instance of the
 * service, sends the request there, and tells the provider how that went.
 *
 * - What can be sent again is, to another instance: idempotent requests, and those that certainly have not reached the
 *   instance, as when it refuses the connection. Bodies that are streams are sent once.
 * - Without ZooKeeper, calls go on by the last known list.
 * - The call is outstanding until the body of the response was read, cancelled, or forgotten.
 *
 * Called, it rejects with NoInstanceError, where nobody takes calls; ServiceCallError, where nobody has answered;
 * OperationTimeoutError; InvalidArgumentError; what made looking for instances impossible, as NoAuthError; the reason of
 * the caller's `signal`, as `fetch` does; and what `fetch` says of a request that cannot be sent.
 *
 * @param from a registry, or the providers of another caller, to share what is known of the instances
 * @throws InvalidArgumentError. Does not connect.
 */
export function serviceFetch(from: ProviderMaker | ServiceProviders, options: ServiceFetchOptions = {}): ServiceFetch {
  checkOptions(options);
  const { providers, areOurs } = providersOf(from, options, 'serviceFetch');
  const call = async (input: string | URL | Request, init?: ServiceRequestInit): Promise<ServiceResponse> =>
    new FetchCall(new ServiceRequest(input, init), providers, options).run();
  const close = async (): Promise<void> => {
    if (areOurs) await providers.close();
  };
  return Object.assign(call, { providers, close, [Symbol.asyncDispose]: close });
}

function checkOptions(options: ServiceFetchOptions): void {
  const subject = { operation: 'serviceFetch' };
  const fail = (problem: string): never => {
    throw new InvalidArgumentError(problem, subject);
  };
  checkNames(options, optionNames, subject);
  checkLimits(options, subject.operation);
  const { isFailure, retryStatuses, fetch } = options;
  if (isFailure !== undefined && typeof isFailure !== 'function') fail('isFailure is no function');
  if (fetch !== undefined && typeof fetch !== 'function') fail('fetch is no function');
  if (retryStatuses !== undefined && !(Array.isArray(retryStatuses) && retryStatuses.every(Number.isInteger)))
    fail('retryStatuses must be a list of statuses, as [502, 503]');
}
