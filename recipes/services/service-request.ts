import { InvalidArgumentError } from 'zookit';
import { parseServiceUrl, type ServiceUrl, targetOf } from './service-url.js';

/** What can be said of one call, beside what `fetch` takes. */
export interface ServiceRequestInit extends RequestInit {
  /** For strategies that go by a key: calls with the same key go to the same instance. */
  readonly key?: string | undefined;
  /**
   * Whether the request may be carried out twice, so that it can be tried again whatever has become of the first try.
   * Default: `true` for GET, HEAD, OPTIONS, PUT and DELETE, and with a header `Idempotency-Key`.
   */
  readonly idempotent?: boolean | undefined;
  /** As the options of the same names, for this call. */
  readonly attempts?: number | undefined;
  readonly timeout?: number | undefined;
  readonly attemptTimeout?: number | undefined;
}

/** How often and how long is tried. */
export interface CallLimits {
  /** How many instances are asked at most, the first one included. Default 3. */
  readonly attempts?: number | undefined;
  /**
   * How long it takes at most until the head of an answer is here, over all attempts and all waiting, milliseconds;
   * `Infinity`: for ever. Default 30 000. The body has no limit but that of the `signal`.
   */
  readonly timeout?: number | undefined;
  /** After how long without the head of an answer an instance has failed, milliseconds. Default: none. */
  readonly attemptTimeout?: number | undefined;
}

/** What can be given where {@link CallLimits} are. */
export const limitNames = ['attempts', 'timeout', 'attemptTimeout'] as const satisfies readonly (keyof CallLimits)[];

/** Refuses what is no limit. @throws InvalidArgumentError. */
export function checkLimits({ attempts, timeout, attemptTimeout }: CallLimits, operation: string): void {
  const fail = (problem: string): never => {
    throw new InvalidArgumentError(problem, { operation });
  };
  if (attempts !== undefined && !(Number.isInteger(attempts) && attempts > 0))
    fail(`attempts is ${attempts}; it must be a whole number above 0`);
  for (const [name, value] of Object.entries({ timeout, attemptTimeout }))
    if (value !== undefined && !(value > 0)) fail(`${name} is ${value}; it must be milliseconds, more than 0`);
}

const idempotentMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);

/** A request to a service, as it can be sent to one instance after the other. */
export class ServiceRequest {
  readonly url: ServiceUrl;
  readonly method: string;
  readonly key: string | undefined;
  /** The caller's. */
  readonly signal: AbortSignal | undefined;
  readonly limits: CallLimits;
  /** Whether it may be carried out twice. */
  readonly idempotent: boolean;
  /** Whether it can be sent twice: a stream has only one reading. */
  readonly repeatable: boolean;
  readonly #source: Request | undefined;
  readonly #init: RequestInit;

  /** @throws InvalidArgumentError; TypeError for headers that are none. */
  constructor(input: string | URL | Request, init: ServiceRequestInit = {}) {
    const { key, idempotent, attempts, timeout, attemptTimeout, ...rest } = init;
    const isAddress = typeof input === 'string' || input instanceof URL;
    this.#source = isAddress ? undefined : input;
    this.#init = rest;
    this.url = parseServiceUrl(isAddress ? input.toString() : input.url, 'serviceFetch');
    this.method = (rest.method ?? this.#source?.method ?? 'GET').toUpperCase();
    this.key = key;
    this.signal = rest.signal ?? this.#source?.signal;
    this.limits = { attempts, timeout, attemptTimeout };
    checkLimits(this.limits, this.name);
    this.idempotent = idempotent ?? (idempotentMethods.has(this.method) || this.#hasIdempotencyKey());
    this.repeatable = isRepeatable(rest.body ?? this.#source?.body);
  }

  /** For errors; without the query, which may hold what is nobody's business. */
  get name(): string {
    const { secure, service, path } = this.url;
    return `${this.method} ${secure ? 'services' : 'service'}://${service}${path}`;
  }

  /** Sends it to the instance that is there. */
  async send(fetch: typeof globalThis.fetch, base: URL, signal: AbortSignal): Promise<Response> {
    const target = targetOf(base, this.url);
    const input = this.#source === undefined ? target : new Request(target, this.#source);
    return fetch(input, { ...this.#init, signal });
  }

  #hasIdempotencyKey(): boolean {
    const headers = this.#init.headers ?? this.#source?.headers;
    return headers !== undefined && new Headers(headers).has('idempotency-key');
  }
}

/** Whether a body can be sent twice. */
function isRepeatable(body: unknown): boolean {
  if (body === undefined || body === null || typeof body === 'string') return true;
  const kinds = [URLSearchParams, FormData, Blob, ArrayBuffer, SharedArrayBuffer];
  return ArrayBuffer.isView(body) || kinds.some((kind) => body instanceof kind);
}
