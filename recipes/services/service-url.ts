import { isIPv6 } from 'node:net';
import { InvalidArgumentError } from 'zookit';
import { InvalidServiceInstanceError, type ServiceInstance } from './service-instance.js';
import { uriOf, type UriVariables } from './uri-template.js';

/** What a `service://` address asks for. */
export interface ServiceUrl {
  readonly service: string;
  /** Whether it is to be asked over TLS: `services://`. */
  readonly secure: boolean;
  /** Begins with a slash. */
  readonly path: string;
  /** Begins with a question mark, or is empty. */
  readonly query: string;
}

const protocols: ReadonlyMap<string, boolean> = new Map([
  ['service:', false],
  ['services:', true],
]);

/** @throws InvalidArgumentError for what is not `service://NAME/PATH?QUERY`. */
export function parseServiceUrl(text: string, operation: string): ServiceUrl {
  const fail = (problem: string): never => {
    throw new InvalidArgumentError(`${problem}; it must be like service://pricing/path?query`, { operation });
  };
  if (!URL.canParse(text)) return fail(`${JSON.stringify(text)} is no address`);
  const { protocol, hostname, port, username, password, pathname, search } = new URL(text);
  const secure = protocols.get(protocol);
  if (secure === undefined) return fail(`an address with ${protocol}// is none of a service`);
  if (hostname === '') return fail(`${JSON.stringify(text)} names no service`);
  // Where it is, and how one gets in there, is what the instances say.
  if (port !== '') return fail('the address of a service has no port');
  if (username !== '' || password !== '') return fail('the address of a service has no user and no password');
  return { service: serviceNameIn(hostname, operation), secure, path: pathname || '/', query: search };
}

/** The name of a service as it stands in an address, where signs that have a meaning there are written as `%3A`. */
export function serviceNameIn(host: string, operation: string): string {
  try {
    return decodeURIComponent(host);
  } catch (cause) {
    throw new InvalidArgumentError(`the name of a service is ${JSON.stringify(host)}, which cannot be decoded`, {
      operation,
      cause,
    });
  }
}

/**
 * Where an instance is: by its template, if it has one, else by its address and its port, or `sslPort` over TLS. An
 * instance that has only the one of them is asked there.
 *
 * @throws InvalidServiceInstanceError where it says too little, or its template makes no address of HTTP.
 */
export function baseOf(instance: ServiceInstance, secure: boolean): URL {
  const { address, port, sslPort, uriSpec, name, id } = instance;
  const fail = (problem: string): never => {
    throw new InvalidServiceInstanceError(`the instance ${id} of ${name} cannot be called: ${problem}`);
  };
  const overTls = secure || (port === null && sslPort !== null);
  const scheme = overTls ? 'https' : 'http';
  const usedPort = overTls ? (sslPort ?? port) : port;
  if (uriSpec === null && (address === null || address === '')) return fail('it has no address');
  if (uriSpec === null && usedPort === null) return fail('it has no port');
  const text =
    uriSpec === null
      ? `${scheme}://${isIPv6(address ?? '') ? `[${address}]` : address}:${usedPort}`
      : templateOf(instance, { scheme, port: usedPort ?? '' }, fail);
  if (!URL.canParse(text)) return fail(`${JSON.stringify(text)} is no address`);
  const base = new URL(text);
  if (!/^https?:$/.test(base.protocol)) return fail(`its template makes ${base.protocol}//, which is not HTTP`);
  if (secure && base.protocol !== 'https:') return fail('its template makes an address without TLS');
  return base;
}

function templateOf(instance: ServiceInstance, variables: UriVariables, fail: (problem: string) => never): string {
  try {
    return uriOf(instance, variables);
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error));
  }
}

/** Where an instance has what is asked for. The path comes behind that of the template, whose query is left out. */
export function targetOf(base: URL, { path, query }: Pick<ServiceUrl, 'path' | 'query'>): URL {
  const target = new URL(base);
  target.pathname = base.pathname.replace(/\/$/, '') + path;
  target.search = query;
  return target;
}

/** An instance in a message: its address if it has one, and its id. */
export function nameOfInstance({ address, port, sslPort, id }: ServiceInstance): string {
  const at = address === null ? undefined : `${address}:${port ?? sslPort ?? '?'}`;
  return at === undefined ? id : `${at} (${id})`;
}
