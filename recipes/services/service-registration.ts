import { type CreateMode, InvalidArgumentError, type LeaseOptions } from 'zookit';
import { checkLease, checkNames, leaseNames, type OptionSubject } from '../common/options.js';
import { timeOfDay } from '../common/waiting.js';
import { checkConflictRule, type ConflictRule } from '../members/persistent-node-options.js';
import { checkHealthOptions, type HealthGateOptions, healthNames } from './health-gate.js';
import { type AddressChoice, checkAddressChoice } from './own-address.js';
import {
  checkServicePart,
  checkServicePort,
  checkServiceWeight,
  isTemplate,
  type ServiceInstance,
  type ServiceType,
  serviceTypes,
  type UriTemplate,
} from './service-instance.js';
import { parseUriTemplate } from './uri-template.js';

/** When an instance is registered, by its health. */
export interface ServiceHealthOptions extends HealthGateOptions {
  /**
   * What becomes of the instance while the check fails: it is taken off the list (`'unregister'`), or stays on it and is
   * not `enabled` (`'disable'`). Until the check has passed for the first time it is not on the list in either case.
   * Default `'unregister'`.
   */
  readonly onFail?: 'unregister' | 'disable' | undefined;
}

/** What is registered. */
export interface ServiceRegistration<Payload = unknown> extends LeaseOptions {
  readonly name: string;
  /** Default: a new UUID. */
  readonly id?: string | undefined;
  /**
   * Where others reach it: a text, or which of the addresses of this host. Default: what the registry says; else the first
   * that is neither internal nor link-local, IPv4 first.
   */
  readonly address?: AddressChoice | undefined;
  readonly port?: number | null | undefined;
  readonly sslPort?: number | null | undefined;
  /** Anything that JSON can hold. For Java readers: null, a string, or an object with the `@class` that they expect. */
  readonly payload?: Payload | null | undefined;
  /** How to reach it, for `uriOf`: `{scheme}://{address}:{port}/v1`, or its parts as Curator writes them down. */
  readonly uriSpec?: string | UriTemplate | null | undefined;
  /** Default `true`. */
  readonly enabled?: boolean | undefined;
  /** How much of the calls it wants beside the others, more than 0. Default: null, which counts as 1. */
  readonly weight?: number | null | undefined;
  /** Where it runs, for callers who prefer what is near. */
  readonly zone?: string | null | undefined;
  /** Since when it is there, milliseconds since 1970: for who registers it anew, and not as a newcomer. Default: now. */
  readonly registrationTimeUTC?: number | undefined;
  /** Default `DYNAMIC`. */
  readonly serviceType?: ServiceType | undefined;
  /**
   * What to do where another session has a znode of this id: take its place (`'replace'`), which ends a registration
   * that lives; `'fail'` with OwnedByOtherError; or `'wait'` until it is gone. Or a function that says which of them, by
   * the instance there (undefined where it cannot be read). Default: the place of an instance of the same name and id is
   * taken, as that of an earlier run of this process; at anything else it fails.
   */
  readonly onConflict?: ConflictRule | ((other: ServiceInstance | undefined) => ConflictRule) | undefined;
  /** Registers it only while a check passes. */
  readonly health?: ServiceHealthOptions | undefined;
}

/** What of a registered instance can change; null takes it away. */
export type ServiceUpdate<Payload> = Partial<
  Pick<ServiceInstance<Payload>, 'address' | 'port' | 'sslPort' | 'payload' | 'enabled' | 'weight' | 'zone'>
> & { readonly uriSpec?: string | UriTemplate | null | undefined };

const updateNames = [
  'address',
  'port',
  'sslPort',
  'payload',
  'uriSpec',
  'enabled',
  'weight',
  'zone',
] as const satisfies readonly (keyof ServiceUpdate<unknown>)[];

/** What can be given with a registration. */
export const registrationNames: readonly (keyof ServiceRegistration)[] = [
  ...(['name', 'id'] as const),
  ...updateNames,
  ...(['registrationTimeUTC', 'serviceType', 'onConflict', 'health'] as const),
  ...leaseNames,
];

/** The kinds of znodes that Curator makes. */
const modes: Readonly<Record<ServiceType, Exclude<CreateMode, 'ttl' | 'ttlSequential'>>> = {
  DYNAMIC: 'ephemeral',
  STATIC: 'persistent',
  PERMANENT: 'persistent',
  DYNAMIC_SEQUENTIAL: 'ephemeralSequential',
};

/** The mode of the znode of an instance. */
export function modeOf({ serviceType }: ServiceInstance): (typeof modes)[ServiceType] {
  return modes[serviceType];
}

/** Refuses what is no registration, before anything is asked of the host or the server. @throws InvalidArgumentError. */
export function checkRegistration(service: ServiceRegistration, subject: OptionSubject): void {
  checkNames(service, registrationNames, subject);
  checkLease(service, subject);
  checkServicePart(service.name, 'name');
  if (service.id !== undefined) checkServicePart(service.id, 'id');
  const { serviceType = 'DYNAMIC', registrationTimeUTC, onConflict, health } = service;
  if (!serviceTypes.includes(serviceType)) {
    const problem = `there is no serviceType ${JSON.stringify(serviceType)}; known are ${serviceTypes.join(', ')}`;
    throw new InvalidArgumentError(problem, subject);
  }
  if (registrationTimeUTC !== undefined && !Number.isFinite(registrationTimeUTC)) {
    const problem = `registrationTimeUTC is ${String(registrationTimeUTC)}; it must be milliseconds since 1970`;
    throw new InvalidArgumentError(problem, subject);
  }
  if (onConflict !== undefined && typeof onConflict !== 'function') checkConflictRule(onConflict, subject);
  checkAddressChoice(service.address, subject);
  if (health === undefined) return;
  checkNames(health, [...healthNames, 'onFail'], subject);
  checkHealthOptions(health, subject);
  const { onFail = 'unregister' } = health;
  if (onFail !== 'unregister' && onFail !== 'disable')
    throw new InvalidArgumentError(`onFail is ${String(onFail)}; it must be "unregister" or "disable"`, subject);
}

/** What is registered at first. @throws InvalidArgumentError. */
export function instanceOf<Payload>(
  service: ServiceRegistration<Payload> & { readonly id: string },
  address: string,
  subject: OptionSubject,
): ServiceInstance<Payload> {
  const { name, id, port, sslPort, payload, uriSpec, enabled, weight, zone } = service;
  const instance: ServiceInstance<Payload> = {
    name,
    id,
    address,
    port: null,
    sslPort: null,
    payload: null,
    registrationTimeUTC: service.registrationTimeUTC ?? timeOfDay(),
    serviceType: service.serviceType ?? 'DYNAMIC',
    uriSpec: null,
    enabled: true,
    weight: null,
    zone: null,
  };
  return updated(
    instance,
    { port, sslPort, payload, uriSpec, enabled, weight, zone } as ServiceUpdate<Payload>,
    subject,
  );
}

/** The instance with this change; what is not given stays. @throws InvalidArgumentError. */
export function updated<Payload>(
  instance: ServiceInstance<Payload>,
  change: ServiceUpdate<Payload>,
  subject: OptionSubject,
): ServiceInstance<Payload> {
  checkNames(change, updateNames, subject);
  const given = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
  const { uriSpec } = change;
  const next: ServiceInstance<Payload> = {
    ...instance,
    ...(given as Partial<ServiceInstance<Payload>>),
    uriSpec: uriSpec === undefined ? instance.uriSpec : templateOf(uriSpec, subject),
  };
  checkServicePort(next.port, 'port');
  checkServicePort(next.sslPort, 'sslPort');
  checkServiceWeight(next.weight);
  for (const name of ['address', 'zone'] as const) {
    const text = next[name];
    if (text !== null && (typeof text !== 'string' || text === ''))
      throw new InvalidArgumentError(`the ${name} of a service is ${JSON.stringify(text)}; it must be a text`, subject);
  }
  if (typeof next.enabled !== 'boolean')
    throw new InvalidArgumentError(`enabled is ${String(next.enabled)}; it must be true or false`, subject);
  return next;
}

function templateOf(uriSpec: string | UriTemplate | null, subject: OptionSubject): UriTemplate | null {
  if (typeof uriSpec === 'string') return parseUriTemplate(uriSpec);
  if (uriSpec === null || isTemplate(uriSpec)) return uriSpec;
  throw new InvalidArgumentError(
    'the uriSpec is no template: it must be a text, or parts with value and variable',
    subject,
  );
}
