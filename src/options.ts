import { inspect } from 'node:util';
import { type Acl, acl, aclProblem } from './acl.js';
import { InvalidArgumentError } from './errors.js';
import { type PathRule, PathSchema } from './path-schema.js';
import type { Logger } from './log.js';
import { type RetryPolicy, standardPolicy } from './retry-policy.js';
import { checkSasl, type SaslOptions, type SaslSource } from './sasl-options.js';
import { checkTls, type TlsOptions, type TlsOptionsSource, type TlsSource } from './tls-options.js';

/** Credentials that are sent on every connection. */
export interface AuthInfo {
  /** `digest` or another scheme that the server knows. */
  readonly scheme: string;
  /** For `digest`: `user:password` in clear text. */
  readonly auth: string | Uint8Array;
}

/** What it takes to attach to a session of another process. */
export interface SessionCredentials {
  /** The session's id, in hexadecimal: `0x100000c92d0004c`. */
  readonly id: string;
  /** The session's password, base64. */
  readonly password: string;
}

/** Bounds for operations that wait for a connection. */
export interface OfflineQueueOptions {
  /** How many may wait. Default 10,000. */
  readonly maxOperations?: number | undefined;
  /** How many bytes of paths and data may wait. Default 64 MiB. */
  readonly maxBytes?: number | undefined;
  /** How long one may wait, milliseconds. Default 30,000. */
  readonly maxWait?: number | undefined;
}

/** Bounds for operations that are on the wire. */
export interface InFlightOptions {
  /** How many may wait for their replies. Default 100,000. */
  readonly maxOperations?: number | undefined;
  /** How many bytes of requests may be without a reply. Default 64 MiB. */
  readonly maxBytes?: number | undefined;
  /**
   * What becomes of further operations: they wait, within the bounds of `offlineQueue`, or they reject at once with
   * `QueueFullError`. Default `'wait'`.
   */
  readonly whenFull?: 'wait' | 'reject' | undefined;
}

/** How a client behaves. Every option may be left out; `undefined` means the default. */
export interface ClientOptions {
  /**
   * How long the session outlives its last sign of life, milliseconds; the server may grant another value. Default 10,000.
   */
  readonly sessionTimeout?: number | undefined;
  /** How long to try for the very first session, milliseconds. Default 30,000. */
  readonly connectTimeout?: number | undefined;
  /** The largest request that is sent, bytes; a server closes the connection above its `jute.maxbuffer`. Default 1,048,575. */
  readonly maxRequestBytes?: number | undefined;
  /** The largest reply that is accepted, bytes. Default 64 MiB. */
  readonly maxReplyBytes?: number | undefined;
  /** Bounds for operations that wait for a connection, or for room on it; `false`: none waits, they fail at once. */
  readonly offlineQueue?: OfflineQueueOptions | false | undefined;
  /** Bounds for operations that are on the wire: with a server that reads too slowly, memory stays within them. */
  readonly inFlight?: InFlightOptions | undefined;
  /** Credentials; more can be added by `addAuth`. */
  readonly auth?: readonly AuthInfo[] | undefined;
  /**
   * The ACL of znodes that are created without one, missing parents included: a list, or a function of the path (with the
   * chroot, before a number is appended) that gives one. Default `acl.open`: anybody may do anything.
   */
  readonly defaultAcl?: readonly Acl[] | ((path: string) => readonly Acl[]) | undefined;
  /**
   * What znodes may be like, by path: what breaks a rule is not sent, and rejects with `SchemaViolationError`. The first rule
   * that matches a path holds for it; what none matches is free. It guards against mistakes; against others there are ACLs.
   * Default: no rules.
   */
  readonly schema?: readonly PathRule[] | undefined;
  /**
   * Proves by SASL who the client is, on every connection before anything else. A server that refuses it ends the client
   * with `AuthFailedError`.
   */
  readonly sasl?: SaslOptions | undefined;
  /**
   * Speaks TLS to servers whose address does not say otherwise (`tcp://`, `tcp+tls://`). `true`: with the authorities
   * that Node trusts. A function is asked before each connection. Default `false`.
   */
  readonly tls?: boolean | TlsOptions | TlsOptionsSource | undefined;
  /** Attach to this session in place of opening a new one. */
  readonly session?: SessionCredentials | undefined;
  /** Whether a new session is opened when one has expired. Default `true`. */
  readonly renewSession?: boolean | undefined;
  /**
   * What to do when every server is behind what this client has seen, because the ensemble lost data: take the session
   * for expired and start afresh, or wait for a server that has caught up. Default `'renew'`.
   */
  readonly whenAhead?: 'renew' | 'wait' | undefined;
  /**
   * Whether a server that is cut off from its quorum will do as long as there is no other: it answers reads with what it
   * knows, and refuses writes. Servers offer that only when started with `readonlymode.enabled`. Default `false`.
   */
  readonly readOnly?: boolean | undefined;
  /** Whether `close()` leaves the session to its timeout, or to another process, unless told otherwise. Default `false`. */
  readonly keepSession?: boolean | undefined;
  /**
   * Whether the process may end while the client is open. It stays as long as an operation, `ready()` or `close()` is
   * waited for. Default `false`.
   */
  readonly unref?: boolean | undefined;
  /**
   * When and how often `zk.retry()` and writes with `retry: true` are tried again. Default: exponential pauses with full
   * jitter, up to 5 seconds, for half a minute (`retries.exponential({ elapsed: 30_000 })`).
   */
  readonly retry?: RetryPolicy | undefined;
  /** Finds the addresses of host names; the form of `dns.lookup`, which is the default. */
  readonly lookup?: LookupLike | undefined;
  /** Finds the SRV records of a name, for `dns-srv://`. Default: the name servers of the system. */
  readonly resolveSrv?: SrvResolver | undefined;
  /**
   * Whether the list of servers follows the configuration of the ensemble (`reconfig`). Needs ZooKeeper 3.5, and client
   * addresses in the configuration that this process can reach. Default `false`.
   */
  readonly followReconfig?: boolean | undefined;
  /** Is told what happens to sessions and connections, a line each: `console` will do. Without it the client is silent. */
  readonly logger?: Logger | undefined;
}

/** The form of `dns.lookup` with `all: true`. */
export type LookupLike = (
  hostname: string,
  options: object,
  callback: (
    error: NodeJS.ErrnoException | null,
    address: string | { address: string; family: number }[],
    family?: number,
  ) => void,
) => void;

/** What an SRV record says (RFC 2782); the form of Node's `dns.SrvRecord`. */
export interface SrvRecord {
  readonly name: string;
  readonly port: number;
  /** Lower ones are tried first. */
  readonly priority: number;
  /** Among records of one priority: the share of clients that try it first. */
  readonly weight: number;
}

/** Finds SRV records. The signal fires when nobody waits for them any more. */
export type SrvResolver = (name: string, signal: AbortSignal) => Promise<readonly SrvRecord[]>;

/** The options with their defaults filled in. */
export interface ResolvedOptions {
  readonly sessionTimeout: number;
  readonly connectTimeout: number;
  readonly maxRequestBytes: number;
  readonly maxReplyBytes: number;
  readonly offlineQueue:
    { readonly maxOperations: number; readonly maxBytes: number; readonly maxWait: number } | false;
  readonly inFlight: {
    readonly maxOperations: number;
    readonly maxBytes: number;
    readonly whenFull: 'wait' | 'reject';
  };
  readonly auth: readonly AuthInfo[];
  readonly defaultAcl: (path: string) => readonly Acl[];
  readonly schema: PathSchema | undefined;
  readonly sasl: SaslSource | undefined;
  readonly tls: TlsSource | undefined;
  readonly session: SessionCredentials | undefined;
  readonly renewSession: boolean;
  readonly whenAhead: 'renew' | 'wait';
  readonly readOnly: boolean;
  readonly keepSession: boolean;
  readonly unref: boolean;
  readonly retry: RetryPolicy;
  readonly lookup: LookupLike | undefined;
  readonly resolveSrv: SrvResolver | undefined;
  readonly followReconfig: boolean;
  readonly logger: Logger | undefined;
}

/** The longest time that the wire and Node's timers can hold, milliseconds. */
const LONGEST = 2 ** 31 - 1;

/** A whole number: its unit, its range, its default. */
interface NumberOption {
  readonly unit: 'milliseconds' | 'bytes' | 'operations';
  readonly least: number;
  readonly most: number;
  readonly default: number;
}

/** Every option that is a number. */
const numbers = {
  sessionTimeout: { unit: 'milliseconds', least: 1, most: LONGEST, default: 10_000 },
  connectTimeout: { unit: 'milliseconds', least: 1, most: LONGEST, default: 30_000 },
  maxRequestBytes: { unit: 'bytes', least: 1_024, most: LONGEST, default: 0xfffff },
  maxReplyBytes: { unit: 'bytes', least: 1_024, most: LONGEST, default: 64 * 1024 * 1024 },
  'offlineQueue.maxOperations': { unit: 'operations', least: 1, most: LONGEST, default: 10_000 },
  'offlineQueue.maxBytes': { unit: 'bytes', least: 1, most: Number.MAX_SAFE_INTEGER, default: 64 * 1024 * 1024 },
  'offlineQueue.maxWait': { unit: 'milliseconds', least: 1, most: LONGEST, default: 30_000 },
  'inFlight.maxOperations': { unit: 'operations', least: 1, most: LONGEST, default: 100_000 },
  'inFlight.maxBytes': { unit: 'bytes', least: 1, most: Number.MAX_SAFE_INTEGER, default: 64 * 1024 * 1024 },
} as const satisfies Record<string, NumberOption>;

/** The names of {@link ClientOptions}. */
export const clientOptionNames: readonly string[] = [
  'sessionTimeout',
  'connectTimeout',
  'maxRequestBytes',
  'maxReplyBytes',
  'offlineQueue',
  'inFlight',
  'auth',
  'defaultAcl',
  'schema',
  'sasl',
  'tls',
  'session',
  'renewSession',
  'whenAhead',
  'readOnly',
  'keepSession',
  'unref',
  'retry',
  'lookup',
  'resolveSrv',
  'followReconfig',
  'logger',
] satisfies readonly (keyof ClientOptions)[];

/** Fills in the defaults. Throws `InvalidArgumentError` at an unknown name or a value out of range. */
export function resolveOptions(options: ClientOptions = {}): ResolvedOptions {
  rejectUnknown(options, clientOptionNames, 'option');
  const { offlineQueue = {}, inFlight = {}, auth = [], session, logger } = options;
  const { renewSession = true, whenAhead = 'renew', readOnly = false, keepSession = false, unref = false } = options;
  const { retry = standardPolicy, lookup, resolveSrv, followReconfig = false } = options;
  return Object.freeze({
    sessionTimeout: number('sessionTimeout', options.sessionTimeout),
    connectTimeout: number('connectTimeout', options.connectTimeout),
    maxRequestBytes: number('maxRequestBytes', options.maxRequestBytes),
    maxReplyBytes: number('maxReplyBytes', options.maxReplyBytes),
    offlineQueue: resolveQueue(offlineQueue),
    inFlight: resolveInFlight(inFlight),
    auth: checkAuths(auth).map((info) => new HiddenAuth(info)),
    defaultAcl: resolveAcl(options.defaultAcl ?? acl.open),
    schema: options.schema === undefined ? undefined : new PathSchema(options.schema),
    sasl: checkSasl(options.sasl),
    tls: checkTls(options.tls),
    session: session === undefined ? undefined : new HiddenCredentials(checkCredentials(session)),
    renewSession: boolean('renewSession', renewSession),
    whenAhead: oneOf('whenAhead', whenAhead, ['renew', 'wait']),
    readOnly: boolean('readOnly', readOnly),
    keepSession: boolean('keepSession', keepSession),
    unref: boolean('unref', unref),
    retry: typeof retry === 'function' ? retry : fail('retry', retry, 'a function, such as retries.exponential()'),
    lookup: optionalFunction('lookup', lookup),
    resolveSrv: optionalFunction('resolveSrv', resolveSrv),
    followReconfig: boolean('followReconfig', followReconfig),
    logger: logger === undefined ? undefined : checkLogger(logger),
  });
}

function resolveQueue(queue: OfflineQueueOptions | false): ResolvedOptions['offlineQueue'] {
  if (queue === false) return false;
  if (!isObject(queue)) return fail('offlineQueue', queue, 'an object, or false');
  rejectUnknown(queue, ['maxOperations', 'maxBytes', 'maxWait'], 'option of offlineQueue');
  return {
    maxOperations: number('offlineQueue.maxOperations', queue.maxOperations),
    maxBytes: number('offlineQueue.maxBytes', queue.maxBytes),
    maxWait: number('offlineQueue.maxWait', queue.maxWait),
  };
}

function resolveInFlight(bounds: InFlightOptions): ResolvedOptions['inFlight'] {
  if (!isObject(bounds)) return fail('inFlight', bounds, 'an object');
  rejectUnknown(bounds, ['maxOperations', 'maxBytes', 'whenFull'], 'option of inFlight');
  return {
    maxOperations: number('inFlight.maxOperations', bounds.maxOperations),
    maxBytes: number('inFlight.maxBytes', bounds.maxBytes),
    whenFull: oneOf('inFlight.whenFull', bounds.whenFull ?? 'wait', ['wait', 'reject']),
  };
}

function resolveAcl(defaultAcl: readonly Acl[] | ((path: string) => readonly Acl[])): ResolvedOptions['defaultAcl'] {
  if (typeof defaultAcl === 'function') return defaultAcl;
  const problem = aclProblem(defaultAcl);
  if (problem !== undefined) throw new InvalidArgumentError(`the option defaultAcl: ${problem}`);
  return () => defaultAcl;
}

/** Keeps credentials out of sight of `util.inspect` and `JSON.stringify`. */
class HiddenAuth implements AuthInfo {
  readonly #info: AuthInfo;

  constructor(info: AuthInfo) {
    this.#info = info;
  }

  get scheme(): string {
    return this.#info.scheme;
  }

  get auth(): string | Uint8Array {
    return this.#info.auth;
  }

  [inspect.custom](): string {
    return `AuthInfo(${this.scheme})`;
  }
}

/** Keeps the password of a session out of sight of `util.inspect` and `JSON.stringify`. */
class HiddenCredentials implements SessionCredentials {
  readonly #session: SessionCredentials;

  constructor(session: SessionCredentials) {
    this.#session = session;
  }

  get id(): string {
    return this.#session.id;
  }

  get password(): string {
    return this.#session.password;
  }

  [inspect.custom](): string {
    return `SessionCredentials(${this.id})`;
  }
}

function checkAuths(auths: readonly AuthInfo[]): readonly AuthInfo[] {
  if (Array.isArray(auths) && auths.every(isObject)) return auths.map(checkAuth);
  throw new InvalidArgumentError('the option auth must be a list of { scheme, auth }');
}

/** Throws `InvalidArgumentError` unless these are credentials. What they hold appears in no message. */
export function checkAuth(info: AuthInfo): AuthInfo {
  const { scheme, auth } = info;
  if (typeof scheme !== 'string' || scheme === '')
    throw new InvalidArgumentError('auth: the scheme must be a non-empty string');
  if (typeof auth !== 'string' && !(auth instanceof Uint8Array)) {
    throw new InvalidArgumentError(`auth: the credentials for the scheme ${scheme} must be a string or bytes`);
  }
  return { scheme, auth };
}

function checkCredentials(session: SessionCredentials): SessionCredentials {
  if (!isObject(session)) throw new InvalidArgumentError('the option session must be an object of id and password');
  if (!/^0x[0-9a-f]{1,16}$/i.test(session.id))
    fail('session.id', session.id, 'a hexadecimal number such as "0x100000c92d0004c"');
  if (typeof session.password !== 'string')
    throw new InvalidArgumentError('the option session.password must be base64 text');
  return session;
}

function checkLogger(logger: Logger): Logger {
  const missing = (['debug', 'warn', 'error'] as const).filter(
    (name) => !isObject(logger) || typeof logger[name] !== 'function',
  );
  if (missing.length === 0) return logger;
  throw new InvalidArgumentError(
    `the option logger must have the functions debug, warn and error; it lacks ${missing.join(', ')}`,
  );
}

function number(name: keyof typeof numbers, value: number | undefined): number {
  const { unit, least, most, default: standard } = numbers[name];
  if (value === undefined) return standard;
  if (!Number.isInteger(value) || value < least || value > most)
    fail(name, value, `a whole number of ${unit} from ${least} to ${most}`);
  return value;
}

function boolean(name: string, value: boolean): boolean {
  return typeof value === 'boolean' ? value : fail(name, value, 'true or false');
}

function optionalFunction<T>(name: string, value: T): T {
  return value === undefined || typeof value === 'function' ? value : fail(name, value, 'a function');
}

function oneOf<T extends string>(name: string, value: T, allowed: readonly T[]): T {
  return allowed.includes(value) ? value : fail(name, value, allowed.map((each) => JSON.stringify(each)).join(' or '));
}

/** Throws `InvalidArgumentError` if the object has a name that is not in the list: a typing error, most likely. */
export function rejectUnknown(given: object, known: readonly string[], what: string): void {
  for (const name of Object.keys(given)) {
    if (!known.includes(name))
      throw new InvalidArgumentError(`there is no ${what} ${JSON.stringify(name)}; known are ${known.join(', ')}`);
  }
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

function fail(name: string, value: unknown, expected: string): never {
  throw new InvalidArgumentError(`the option ${name} is ${shown(value)}; it must be ${expected}`);
}

function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  return isObject(value) || typeof value === 'function' ? `of type ${typeof value}` : String(value);
}
