import { isNativeError } from 'node:util/types';

/**
 * What an error of a call says. `unreached`: the request certainly never came to the instance. `broken`: the instance is
 * to blame, and may have seen the request. `ours`: anything else, as a request that cannot be sent, or a body that fails.
 */
export type CallFailure = 'unreached' | 'broken' | 'ours';

/** Of a connection that was not there yet: nothing was sent. */
const unreachedCodes: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EAI_FAIL',
  'EAI_NODATA',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** Of a connection that broke, was silent, or did not speak HTTP. */
const brokenCodes: ReadonlySet<string> = new Set([
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'EPROTO',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'ENETRESET',
  'UND_ERR_SOCKET',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_HEADERS_OVERFLOW',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
]);

/** A certificate that is refused ends the handshake: the request comes after it. */
const certificateCode = /^(CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|INVALID_CA|HOSTNAME_MISMATCH|ERR_TLS_CERT_)/;
const brokenCode = /^(HPE_|ERR_SSL_|ERR_TLS_)/;

/** How deep the cause of a cause is looked for. */
const DEPTH = 5;

/** What an error of `fetch` or of `http.request` says: its codes stand in it, or in what it was caused by. */
export function failureOf(error: unknown, depth = DEPTH): CallFailure {
  if (!isError(error) || depth === 0) return 'ours';
  const errors = severalIn(error);
  if (errors.length > 0) {
    const kinds = errors.map((each) => failureOf(each, depth - 1));
    return kinds.find((kind) => kind !== 'unreached') ?? 'unreached';
  }
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (code === undefined) return failureOf(error.cause, depth - 1);
  if (syscall === 'connect' || syscall === 'getaddrinfo') return 'unreached';
  if (unreachedCodes.has(code) || certificateCode.test(code)) return 'unreached';
  return brokenCodes.has(code) || brokenCode.test(code) ? 'broken' : 'ours';
}

/** The message that tells most: that of the innermost cause. */
export function reasonOf(error: unknown, depth = DEPTH): string {
  if (!isError(error)) return String(error);
  const inner = severalIn(error)[0] ?? error.cause;
  return isError(inner) && depth > 0 ? reasonOf(inner, depth - 1) : error.message || error.name;
}

/** Those of Node itself are of another realm, where this runs in a context of its own. */
export function isError(error: unknown): error is Error {
  return error instanceof Error || isNativeError(error);
}

/** What an AggregateError holds, as when several addresses of one name were tried. */
function severalIn(error: Error): readonly unknown[] {
  return 'errors' in error && Array.isArray(error.errors) ? error.errors : [];
}
