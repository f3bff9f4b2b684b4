import { InvalidArgumentError } from '../errors.js';
import { type ClientOptions, clientOptionNames, rejectUnknown, resolveOptions } from '../options.js';

/** How a pool behaves, and its clients. Every option may be left out; `undefined` means the default. */
export interface PoolOptions extends Omit<ClientOptions, 'session' | 'renewSession' | 'keepSession'> {
  /** How many sessions are kept open while nobody needs them. Default 0. */
  readonly min?: number | undefined;
  /** How many sessions there may be. Default 10. */
  readonly max?: number | undefined;
  /** How long `acquire()` waits at most, milliseconds, unless told otherwise. Default 60,000. */
  readonly acquireTimeout?: number | undefined;
  /** How long a session above `min` stays open while nobody needs it, milliseconds. Default 300,000. */
  readonly idleTimeout?: number | undefined;
  /**
   * Whether an opening gives up as soon as every server was tried once, in place of going on until `connectTimeout`, so
   * that those who wait hear of it soon. Default `false`.
   */
  readonly failFast?: boolean | undefined;
  /** How many may wait for a client. One more is refused. Default 1,000. */
  readonly maxPending?: number | undefined;
}

/** The pool's own options with their defaults filled in, and those of its clients. */
export interface ResolvedPoolOptions {
  readonly min: number;
  readonly max: number;
  readonly acquireTimeout: number;
  readonly idleTimeout: number;
  readonly maxPending: number;
  readonly failFast: boolean;
  readonly client: ClientOptions;
}

/** The longest time that Node's timers can hold, milliseconds; a limit for the rest, too. */
const MOST = 2 ** 31 - 1;

const numbers = {
  min: { least: 0, default: 0 },
  max: { least: 1, default: 10 },
  acquireTimeout: { least: 0, default: 60_000 },
  idleTimeout: { least: 1, default: 300_000 },
  maxPending: { least: 0, default: 1_000 },
} as const satisfies Partial<Record<keyof PoolOptions, { readonly least: number; readonly default: number }>>;

const context = { operation: 'createPool' };

/** Fills in the defaults. Throws `InvalidArgumentError` at an unknown name or a value out of range. */
export function resolvePoolOptions(options: PoolOptions): ResolvedPoolOptions {
  const { min, max, acquireTimeout, idleTimeout, maxPending, failFast = false, ...client } = options;
  rejectUnfit(client);
  rejectUnknown(client, clientOptionNames, `option of a pool or its clients`);
  resolveOptions(client);
  if (typeof failFast !== 'boolean')
    throw new InvalidArgumentError(`failFast is ${String(failFast)}; it must be true or false`, context);
  const resolved = {
    min: number('min', min),
    max: number('max', max),
    acquireTimeout: number('acquireTimeout', acquireTimeout),
    idleTimeout: number('idleTimeout', idleTimeout),
    maxPending: number('maxPending', maxPending),
    failFast,
    client,
  };
  if (resolved.min > resolved.max)
    throw new InvalidArgumentError(`min is ${resolved.min}, more than max (${resolved.max})`, context);
  return resolved;
}

function rejectUnfit(client: ClientOptions): void {
  if (client.session !== undefined)
    throw new InvalidArgumentError('session: the clients of a pool cannot all attach to one session', context);
  if (client.renewSession !== undefined)
    throw new InvalidArgumentError('renewSession: a pool replaces sessions that have expired', context);
  if (client.keepSession !== undefined)
    throw new InvalidArgumentError('keepSession: a pool closes what it has opened', context);
}

function number(name: keyof typeof numbers, value: number | undefined): number {
  const { least, default: standard } = numbers[name];
  if (value === undefined) return standard;
  if (Number.isInteger(value) && value >= least && value <= MOST) return value;
  throw new InvalidArgumentError(
    `the option ${name} is ${String(value)}; it must be a whole number from ${least} to ${MOST}`,
    context,
  );
}
