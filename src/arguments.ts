import Long from 'long';
import { type Acl, aclProblem } from './acl.js';
import type { CreateSpec, ParentsOption } from './created.js';
import { InvalidArgumentError } from './errors.js';
import { type CreateMode, createFlags } from './operations/create.js';
import type { Data } from './protocol/records.js';
import type { RequestLimits } from './session/pending-request.js';

/** Checks of what callers hand in: each throws `InvalidArgumentError` that says what was wrong and what would be right. */

/** The longest time to live that a server takes, milliseconds. */
const LONGEST_TTL = 2 ** 40 - 1;

/** The version that stands for any. */
export const ANY_VERSION = -1;

export function checkData(data: Data, operation: string, path: string): void {
  if (data === null || typeof data === 'string' || data instanceof Uint8Array) return;
  throw new InvalidArgumentError(`the data is of type ${typeof data}; it must be a string, a Uint8Array or null`, {
    operation,
    path,
  });
}

/** A version is a signed 32-bit number, because it wraps; -1 stands for any. */
export function checkVersion(version: number, operation: string, path: string): void {
  if (version === (version | 0)) return;
  throw new InvalidArgumentError(`the version ${String(version)} is not a whole number of 32 bits; -1 stands for any`, {
    operation,
    path,
  });
}

export function checkMode(mode: CreateMode, operation: string, path: string): void {
  if (Object.hasOwn(createFlags, mode)) return;
  throw new InvalidArgumentError(
    `there is no mode ${JSON.stringify(mode)}; known are ${Object.keys(createFlags).join(', ')}`,
    { operation, path },
  );
}

/** The time to live in the form of the wire. */
export function checkTtl(ttl: number | undefined, operation: string, path: string): Long {
  if (ttl !== undefined && Number.isInteger(ttl) && ttl >= 1 && ttl <= LONGEST_TTL) return Long.fromNumber(ttl);
  throw new InvalidArgumentError(
    `the ttl is ${String(ttl)}; it must be a whole number of milliseconds from 1 to ${LONGEST_TTL}`,
    { operation, path },
  );
}

export function checkAcl(acl: readonly Acl[], operation: string, path: string): void {
  const problem = aclProblem(acl);
  if (problem !== undefined) throw new InvalidArgumentError(problem, { operation, path });
}

/** Throws unless the value is one of those that are allowed. */
export function checkOneOf<T extends string>(
  name: string,
  value: T,
  allowed: readonly T[],
  operation: string,
  path: string,
): void {
  if (allowed.includes(value)) return;
  const all = allowed.map((each) => JSON.stringify(each)).join(' or ');
  throw new InvalidArgumentError(`${name} is ${JSON.stringify(value)}; it must be ${all}`, { operation, path });
}

/** Throws unless the value is `true`, `false` or left out. */
export function checkBoolean(name: string, value: boolean | undefined, operation: string, path: string): void {
  if (value === undefined || typeof value === 'boolean') return;
  throw new InvalidArgumentError(`${name} is ${String(value)}; it must be true or false`, { operation, path });
}

export function checkParents(parents: ParentsOption, operation: string, path: string): void {
  if (typeof parents !== 'boolean') checkOneOf('parents', parents, ['persistent', 'container'], operation, path);
}

/** The fields of a request that are checked alike for all operations. */
export interface CheckedFields {
  readonly data?: Data;
  readonly version?: number;
  readonly acl?: readonly Acl[];
}

/** Checks those of the fields that a request has. */
export function checkFields(request: CheckedFields, operation: string, path: string): void {
  if ('data' in request) checkData(request.data, operation, path);
  if (request.version !== undefined) checkVersion(request.version, operation, path);
  if (request.acl !== undefined) checkAcl(request.acl, operation, path);
}

/** What can be given with every operation. */
const limitNames: ReadonlySet<string> = new Set(['signal', 'timeout'] satisfies (keyof RequestLimits)[]);
/** What can be given with a read that can leave a watch. */
const readNames: ReadonlySet<string> = new Set([...limitNames, 'watch', 'stat', 'sync', 'atLeast']);
/** What can be given with a write of one znode. */
const writeNames: ReadonlySet<string> = new Set([...limitNames, 'retry']);
/** What can be given with a delete. */
const deleteNames: ReadonlySet<string> = new Set([...writeNames, 'guaranteed', 'missing']);
/** What can be given with a create in a transaction, and with any. */
const specNames: ReadonlySet<string> = new Set(['mode', 'acl', 'stat', 'ttl'] satisfies (keyof CreateSpec)[]);
/** What can be given with a step of the user's own. */
const retryNames: ReadonlySet<string> = new Set([...limitNames, 'policy', 'isRetryable']);
const createNames: ReadonlySet<string> = new Set([...specNames, ...writeNames, 'parents', 'protected']);

export const optionNames = {
  limits: limitNames,
  read: readNames,
  write: writeNames,
  delete: deleteNames,
  retry: retryNames,
  create: createNames,
  spec: specNames,
} as const;

/** Checks that no option has an unknown name, which would be ignored, and that the limits are some. */
export function checkOptions(
  options: RequestLimits,
  known: ReadonlySet<string>,
  operation: string,
  path?: string,
): void {
  for (const name in options) {
    if (known.has(name)) continue;
    const all = [...known].join(', ');
    throw new InvalidArgumentError(`there is no option ${JSON.stringify(name)}; known are ${all}`, { operation, path });
  }
  const { timeout, signal } = options;
  if (timeout !== undefined && !(Number.isFinite(timeout) && timeout >= 0)) {
    const problem = `the timeout is ${String(timeout)}; it must be milliseconds, 0 or more`;
    throw new InvalidArgumentError(problem, { operation, path });
  }
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new InvalidArgumentError('the signal is no AbortSignal', { operation, path });
  }
}
