import { expect, it } from '@jest/globals';
import { failureOf, reasonOf } from '../../../../recipes/services/call-failure.js';

function coded(code: string, syscall?: string): Error {
  return Object.assign(new Error(`${code} it was`), { code, ...(syscall !== undefined && { syscall }) });
}

function fetchFailed(cause: unknown): Error {
  return new TypeError('fetch failed', { cause });
}

it.each([
  ['a refused connection', coded('ECONNREFUSED', 'connect')],
  ['an unknown name', coded('ENOTFOUND', 'getaddrinfo')],
  ['a connection that was never made', coded('ETIMEDOUT', 'connect')],
  ['a connection that took too long', coded('UND_ERR_CONNECT_TIMEOUT')],
  ['a certificate that is refused', coded('DEPTH_ZERO_SELF_SIGNED_CERT')],
  ['a certificate for another name', coded('ERR_TLS_CERT_ALTNAME_INVALID')],
  [
    'several addresses, none of which answers',
    new AggregateError([coded('ECONNREFUSED'), coded('EHOSTUNREACH', 'connect')]),
  ],
])('%s: nothing has reached the instance', (_, cause) => {
  expect([failureOf(cause), failureOf(fetchFailed(cause))]).toEqual(['unreached', 'unreached']);
});

it.each([
  ['a connection that was reset', coded('ECONNRESET', 'read')],
  ['a connection that was closed', coded('UND_ERR_SOCKET')],
  ['silence', coded('UND_ERR_HEADERS_TIMEOUT')],
  ['another protocol', coded('HPE_INVALID_CONSTANT')],
  ['a host that has gone', coded('EHOSTUNREACH', 'read')],
  ['several addresses, one of which answers', new AggregateError([coded('ECONNREFUSED'), coded('ECONNRESET', 'read')])],
])('%s: the instance may have seen the request', (_, cause) => {
  expect([failureOf(cause), failureOf(fetchFailed(cause))]).toEqual(['broken', 'broken']);
});

it.each([
  ['a file that cannot be sent', coded('ENOENT', 'open')],
  ['a body of another length', coded('UND_ERR_REQ_CONTENT_LENGTH_MISMATCH')],
  ['an abort', new DOMException('aborted', 'AbortError')],
  ['a port that fetch does not call', new Error('bad port')],
  ['no error at all', 'ECONNRESET'],
])('%s: that is ours', (_, cause) => {
  expect([failureOf(cause), failureOf(fetchFailed(cause))]).toEqual(['ours', 'ours']);
});

it('says the reason that is meant', () => {
  expect(reasonOf(fetchFailed(coded('ECONNRESET')))).toBe('ECONNRESET it was');
  expect(reasonOf(fetchFailed(new AggregateError([coded('ECONNREFUSED')])))).toBe('ECONNREFUSED it was');
  expect(reasonOf(new TypeError('fetch failed'))).toBe('fetch failed');
  expect(reasonOf('a text')).toBe('a text');
});

it('does not follow causes for ever', () => {
  const error = new Error('round');
  error.cause = error;
  expect([failureOf(error), reasonOf(error)]).toEqual(['ours', 'round']);
});
