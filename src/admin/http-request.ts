import { type ClientRequest, request as plainRequest, type RequestOptions } from 'node:http';
import { request as secureRequest } from 'node:https';
import { after } from '../clock.js';
import { AbortedError, InvalidArgumentError, OperationTimeoutError, type ZooKeeperError } from '../errors.js';
import { NoAnswerError, ServerUnreachableError, UnexpectedAnswerError } from './errors.js';
import { describeLinkError } from './link.js';
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
    const { method, command } = question;
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

    const request = open(question, options);
    const onAbort = (): void => fail(aborted());
    const timer = after(timeout, () =>
      fail(new OperationTimeoutError(`${server}: no answer within ${timeout} ms`, context, mayHaveBeenApplied())),
    );
    signal?.addEventListener('abort', onAbort);
    request.on('socket', (socket) => socket.once('connect', () => (reached = true)));
    request.on('error', (error: NodeJS.ErrnoException) => fail(requestError(error, reached, command, server)));
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
        const headers = Object.entries(response.headersDistinct).map(([name, values = []]): [string, string] => [
          name,
          values.join(', '),
        ]);
        resolve({
          status: response.statusCode ?? 0,
          headers: Object.fromEntries(headers),
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
      request.destroy();
    }
  });
}

function open({ method, url, headers }: HttpQuestion, { tls, lookup }: ResolvedAdminOptions): ClientRequest {
  // Without an agent there is no connection that stays open.
  const common: RequestOptions = {
    method,
    headers,
    agent: false,
    ...(lookup === undefined ? {} : { lookup }),
  };
  if (url.protocol === 'http:') return plainRequest(url, common);
  try {
    return secureRequest(url, { ...tls, ...common });
  } catch (error) {
    throw new InvalidArgumentError(`the tls options cannot be used: ${(error as Error).message}`, { cause: error });
  }
}

function requestError(cause: NodeJS.ErrnoException, reached: boolean, command: string, server: string): ZooKeeperError {
  const context = { operation: command, cause };
  if (!reached)
    return new ServerUnreachableError(
      describeLinkError(cause),
      context,
      server,
      cause.code === 'ECONNREFUSED' ? 'refused' : 'network',
    );
  if (/^(ERR_SSL|ERR_TLS|CERT_|EPROTO|UNABLE_TO|DEPTH_ZERO|SELF_SIGNED|HOSTNAME_MISMATCH)/.test(cause.code ?? ''))
    return new ServerUnreachableError(`the TLS handshake failed: ${cause.message}`, context, server, 'tls');
  if ((cause.code ?? '').startsWith('HPE_'))
    return new UnexpectedAnswerError(`the answer is no HTTP: ${cause.message}`, context, server);
  return new NoAnswerError(cause.message, context, server);
}
