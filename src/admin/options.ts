import type { AdminLimits } from './reports.js';
import { InvalidArgumentError } from '../errors.js';
import { type LookupLike, rejectUnknown } from '../options.js';
import { checkTls, type TlsOptions, type TlsOptionsSource, type TlsSource } from '../tls-options.js';

/** How a server is asked. Every option may be left out; `undefined` means the default. */
export interface AdminOptions {
  /** How long a question may take in all, milliseconds. Default 5,000. */
  readonly timeout?: number | undefined;
  /**
   * Speaks TLS to servers whose address does not say otherwise (`tcp://`, `tcp+tls://`; `http://`, `https://`), as the
   * option of the client of that name. Default `false`.
   */
  readonly tls?: boolean | TlsOptions | TlsOptionsSource | undefined;
  /** The largest answer that is accepted, bytes. Default 64 MiB. */
  readonly maxAnswerBytes?: number | undefined;
  /** Finds the addresses of host names; the form of `dns.lookup`, which is the default. */
  readonly lookup?: LookupLike | undefined;
}

/** The options with their defaults filled in. */
export interface ResolvedAdminOptions {
  readonly timeout: number;
  readonly tls: TlsSource | undefined;
  readonly maxAnswerBytes: number;
  readonly lookup: LookupLike | undefined;
}

/** The limits of one question. */
export interface ResolvedLimits {
  readonly timeout: number;
  readonly signal: AbortSignal | undefined;
}

/** The names of {@link AdminOptions}. */
export const adminOptionNames = [
  'timeout',
  'tls',
  'maxAnswerBytes',
  'lookup',
] as const satisfies (keyof AdminOptions)[];

const DEFAULT_TIMEOUT = 5_000;
const DEFAULT_MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** Fills in the defaults. Throws `InvalidArgumentError` at a value that is none. */
export function resolveAdminOptions(options: AdminOptions, operation: string): ResolvedAdminOptions {
  const { timeout = DEFAULT_TIMEOUT, maxAnswerBytes = DEFAULT_MAX_ANSWER_BYTES, lookup } = options;
  const fail = (problem: string): never => {
    throw new InvalidArgumentError(problem, { operation });
  };
  checkTimeout(timeout, operation);
  if (!Number.isInteger(maxAnswerBytes) || maxAnswerBytes < 1)
    fail(`maxAnswerBytes is ${String(maxAnswerBytes)}; it must be a whole number of bytes, 1 or more`);
  if (lookup !== undefined && typeof lookup !== 'function') fail('lookup must be a function, such as dns.lookup');
  return { timeout, tls: checkTls(options.tls), maxAnswerBytes, lookup };
}

/** The limits of one question, with the timeout of the admin where there is no other. */
export function resolveLimits(
  limits: AdminLimits,
  { timeout: standard }: ResolvedAdminOptions,
  operation: string,
): ResolvedLimits {
  rejectUnknown(limits, ['timeout', 'signal'], 'option');
  const { timeout = standard, signal } = limits;
  checkTimeout(timeout, operation);
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw new InvalidArgumentError('the signal is no AbortSignal', { operation });
  return { timeout, signal };
}

function checkTimeout(timeout: number, operation: string): void {
  if (Number.isFinite(timeout) && timeout >= 0) return;
  throw new InvalidArgumentError(`the timeout is ${String(timeout)}; it must be milliseconds, 0 or more`, {
    operation,
  });
}
