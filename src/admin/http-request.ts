import { request as plainRequest } from 'node:http';
import { request as secureRequest } from 'node:https';
import { after } from '../clock.js';
import type { ServerAddress } from '../connection/connect-string.js';
import { AbortedError, OperationTimeoutError, type ZooKeeperError } from '../errors.js';
import { TlsSource } from '../tls-options.js';
import { NoAnswerError, UnexpectedAnswerError } from './errors.js';
import { type Link, openLink, unreachable } from './link.js';
import type { ResolvedAdminOptions, ResolvedLimits } from './options.js';

/** An HTTP request to an AdminServer. */
export interface HttpQuestion {
  readonly method: 'GET' | 'POST';
  readonly url: URL;
  /** The name of the command, for errors. */
  readonly command: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | undefined;
}

/** What came back, whatever its status. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Sends a request on a connection of its own and resolves with the whole answer. Redirections are not followed. */
export function askHttp(
  question: HttpQuestion,
  server: string,
  options: ResolvedAdminOptions,
  { timeout, signal }: ResolvedLimits,
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const { method, url, command, headers } = question;
    const { tls, lookup } = options;
    const context = { operation: command };
    let reached = false;
    const mayHaveBeenApplied = (): boolean =>
      reached && (method === 'POST' || /^(crst|srst|.*reset|snap.*)$/.test(command));
    const aborted = (): AbortedError =>
      new AbortedError(`${server}: it was aborted`, { ...context, cause: signal?.reason }, mayHaveBeenApplied());
    if (signal?.aborted === true) {
      reject(aborted());
      return;
    }

    let link: Link | undefined;
    const send = url.protocol === 'https:' ? secureRequest : plainRequest;
    const request = send(url, {
      method,
      headers,
      // Without an agent there is no connection that stays open.
      createConnection: (_, connected) => {
        link = openLink(addressOf(url), url.protocol === 'https:' ? (tls ?? TlsSource.standard) : undefined, lookup, {
          opened: (socket) => {
            reached = true;
            connected(null, socket);
          },
          failed: (reason) => fail(unreachable(reason, command, server)),
        });
        return undefined;
      },
    });
    const onAbort = (): void => fail(aborted());
    const timer = after(timeout, () => {
      const what = reached ? `no answer within ${timeout} ms` : (link?.timedOut(timeout).message ?? '');
      fail(new OperationTimeoutError(`${server}: ${what}`, context, mayHaveBeenApplied()));
    });
    signal?.addEventListener('abort', onAbort);
    request.on('error', (error: NodeJS.ErrnoException) => fail(requestError(error, command, server)));
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        chunks.push(chunk);
        if (size > options.maxAnswerBytes)
          fail(new UnexpectedAnswerError(`the answer has more than ${options.maxAnswerBytes} bytes`, context, server));
      });
      response.on('error', (cause) =>
        fail(new NoAnswerError('the connection was lost in the middle of the answer', { ...context, cause }, server)),
      );
      response.on('end', () => {
        release();
        const received = Object.entries(response.headersDistinct).map(([name, values = []]): [string, string] => [
          name,
          values.join(', '),
        ]);
        resolve({
          status: response.statusCode ?? 0,
          headers: Object.fromEntries(received),
          body: Buffer.concat(chunks),
        });
      });
    });
    request.end(question.body);

    function release(): void {
      timer.cancel();
      signal?.removeEventListener('abort', onAbort);
    }
    function fail(error: ZooKeeperError): void {
      release();
      reject(error);
      if (!reached) link?.cancel();
      request.destroy();
    }
  });
}

/** Where the AdminServer listens. Brackets around an IPv6 address are of the form of URLs only. */
function addressOf({ protocol, hostname, port }: URL): ServerAddress {
  const standard = protocol === 'https:' ? 443 : 80;
  return { host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? standard : Number(port) };
}

function requestError(cause: NodeJS.ErrnoException, command: string, server: string): ZooKeeperError {
  const context = { operation: command, cause };
  if ((cause.code ?? '').startsWith('HPE_'))
    return new UnexpectedAnswerError(`the answer is no HTTP: ${cause.message}`, context, server);
  return new NoAnswerError(cause.message, context, server);
}
