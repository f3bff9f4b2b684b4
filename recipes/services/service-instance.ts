import { InvalidArgumentError, nameOf, parentOf, ZooKeeperError } from 'zookit';

/**
 * How long an instance is registered: as long as its session (`DYNAMIC`; `DYNAMIC_SEQUENTIAL` with a number behind the
 * name of its znode), or until it is unregistered (`STATIC`, `PERMANENT`: for ZooKeeper the same).
 */
export type ServiceType = 'DYNAMIC' | 'STATIC' | 'PERMANENT' | 'DYNAMIC_SEQUENTIAL';

/** A part of a URI template: text, or the name of a variable. */
export interface UriPart {
  readonly value: string;
  readonly variable: boolean;
}

/** A URI template, as Curator writes it down. */
export interface UriTemplate {
  readonly parts: readonly UriPart[];
}

/** One instance of a service, with the fields that Curator's discovery has. */
export interface ServiceInstance<Payload = unknown> {
  readonly name: string;
  readonly id: string;
  readonly address: string | null;
  readonly port: number | null;
  readonly sslPort: number | null;
  readonly payload: Payload | null;
  /** Milliseconds since 1970, by the clock of the instance. */
  readonly registrationTimeUTC: number;
  readonly serviceType: ServiceType;
  readonly uriSpec: UriTemplate | null;
  /** Whether the instance wants to be called. */
  readonly enabled: boolean;
  /** How much of the calls it wants beside the others, more than 0; null counts as 1. Not of Curator, which passes over it. */
  readonly weight: number | null;
  /** Where it runs, for callers who prefer what is near. Not of Curator, which passes over it. */
  readonly zone: string | null;
}

/** The data of an instance's znode is not what Curator's discovery writes. */
export class InvalidServiceInstanceError extends ZooKeeperError {
  readonly code = 'INVALID_SERVICE_INSTANCE';
}

export const serviceTypes: readonly string[] = ['DYNAMIC', 'STATIC', 'PERMANENT', 'DYNAMIC_SEQUENTIAL'];

/**
 * The JSON that Curator's discovery reads: its keys in its order, nulls written out. `enabled` is left out where it is
 * true, `weight` and `zone` where there are none, because old releases of Curator stumble over keys that they do not know.
 * @throws InvalidArgumentError.
 */
export function encodeInstance(instance: ServiceInstance): string {
  const { name, id, address, port, sslPort, payload, registrationTimeUTC, serviceType, uriSpec } = instance;
  const fields = { name, id, address, port, sslPort, payload, registrationTimeUTC, serviceType, uriSpec };
  const { enabled, weight, zone } = instance;
  const younger = { ...(!enabled && { enabled }), ...(weight !== null && { weight }), ...(zone !== null && { zone }) };
  try {
    return JSON.stringify({ ...fields, ...younger });
  } catch (cause) {
    throw new InvalidArgumentError('the payload of a service must be what JSON can hold', {
      operation: 'register',
      cause,
    });
  }
}

/**
 * Reads what Curator's discovery writes. Where name or id are missing, they are those of the path.
 * @throws InvalidServiceInstanceError.
 */
export function decodeInstance<Payload>(text: string, path: string): ServiceInstance<Payload> {
  const fail = (problem: string, cause?: unknown): never => {
    throw new InvalidServiceInstanceError(`not the data of a service instance: ${problem}`, {
      operation: 'discover',
      path,
      cause,
    });
  };
  let fields: Record<string, unknown>;
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return fail('it is no JSON object');
    fields = parsed as Record<string, unknown>;
  } catch (error) {
    if (error instanceof InvalidServiceInstanceError) throw error;
    return fail('it is no JSON', error);
  }
  const serviceType = fields.serviceType ?? 'DYNAMIC';
  if (!serviceTypes.includes(serviceType as string)) fail(`there is no serviceType ${JSON.stringify(serviceType)}`);
  return {
    name: text_(fields.name) ?? nameOf(parentOf(path)),
    id: text_(fields.id) ?? nameOf(path),
    address: text_(fields.address),
    port: number_(fields.port),
    sslPort: number_(fields.sslPort),
    payload: (fields.payload ?? null) as Payload | null,
    registrationTimeUTC: number_(fields.registrationTimeUTC) ?? 0,
    serviceType: serviceType as ServiceType,
    uriSpec: template_(fields.uriSpec),
    enabled: fields.enabled !== false,
    weight: weight_(fields.weight),
    zone: text_(fields.zone),
  };
}

function text_(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

/** Curator takes `"80"` for 80, too. */
function number_(value: unknown): number | null {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : null;
}

function weight_(value: unknown): number | null {
  const weight = number_(value);
  return weight !== null && weight > 0 ? weight : null;
}

/** None, where it is not one: an instance can be called without it. */
function template_(value: unknown): UriTemplate | null {
  return isTemplate(value)
    ? { parts: value.parts.map(({ value: text, variable }) => ({ value: text, variable })) }
    : null;
}

/** Whether it is a URI template as Curator writes it down. */
export function isTemplate(value: unknown): value is UriTemplate {
  if (typeof value !== 'object' || value === null || !('parts' in value) || !Array.isArray(value.parts)) return false;
  return value.parts.every((part: unknown) => {
    if (typeof part !== 'object' || part === null) return false;
    return (
      'value' in part && typeof part.value === 'string' && 'variable' in part && typeof part.variable === 'boolean'
    );
  });
}

/** A name or an id becomes a part of a path. @throws InvalidArgumentError. */
export function checkServicePart(value: string, what: string): void {
  if (typeof value === 'string' && value !== '' && !value.includes('/') && value !== '.' && value !== '..') return;
  throw new InvalidArgumentError(
    `the ${what} of a service is ${JSON.stringify(value)}; it must be a text without "/"`,
    { operation: 'register' },
  );
}

/** @throws InvalidArgumentError. */
export function checkServicePort(value: number | null, what: string): void {
  if (value === null || (Number.isInteger(value) && value >= 0 && value <= 65535)) return;
  throw new InvalidArgumentError(
    `the ${what} of a service is ${String(value)}; it must be a whole number from 0 to 65535`,
    { operation: 'register' },
  );
}

/** @throws InvalidArgumentError. */
export function checkServiceWeight(value: number | null): void {
  if (value === null || (Number.isFinite(value) && value > 0)) return;
  throw new InvalidArgumentError(`the weight of a service is ${String(value)}; it must be a number above 0`, {
    operation: 'register',
  });
}
