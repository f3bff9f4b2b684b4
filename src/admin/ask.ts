import type { Socket } from 'node:net';
import { after } from '../clock.js';
import { formatServer, type ServerAddress } from '../connection/connect-string.js';
import { tlsFor } from '../connection/secure-dial.js';
import { AbortedError, OperationTimeoutError, type ZooKeeperError } from '../errors.js';
import { CommandRefusedError, NoAnswerError, ServerNotServingError, UnexpectedAnswerError } from './errors.js';
import { openLink, unreachable } from './link.js';
import type { ResolvedAdminOptions, ResolvedLimits } from './options.js';

/** The words that change something at the server. */
const changing: ReadonlySet<string> = new Set(['crst', 'srst', 'stmk']);

/**
 * Sends a four-letter word and resolves with all that the server answers until it closes the connection. The sending
 * side stays open: over TLS, servers take its end for that of the connection.
 */
export function ask(
  address: ServerAddress,
  word: string,
  { tls, lookup, maxAnswerBytes }: ResolvedAdminOptions,
  { timeout, signal }: ResolvedLimits,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const server = formatServer(address);
    const context = { operation: word };
    const chunks: Buffer[] = [];
    let size = 0;
    let asked: Socket | undefined;
    const mayHaveBeenApplied = (): boolean => asked !== undefined && changing.has(word);
    const aborted = (): AbortedError =>
      new AbortedError(`${server}: it was aborted`, { ...context, cause: signal?.reason }, mayHaveBeenApplied());
    const onAbort = (): void => fail(aborted());
    if (signal?.aborted === true) {
      reject(aborted());
      return;
    }

    const link = openLink(address, tlsFor(address, tls), lookup, {
      opened: (socket) => converse(socket),
      failed: (reason) => fail(unreachable(reason, word, server)),
    });
    const timer = after(timeout, () => {
      const what = asked === undefined ? link.timedOut(timeout).message : `no answer within ${timeout} ms`;
      fail(new OperationTimeoutError(`${server}: ${what}`, context, mayHaveBeenApplied()));
    });
    signal?.addEventListener('abort', onAbort);

    function converse(socket: Socket): void {
      asked = socket;
      socket.write(word);
      socket.on('data', (chunk: Buffer) => {
        size += chunk.length;
        chunks.push(chunk);
        if (size > maxAnswerBytes)
          fail(new UnexpectedAnswerError(`the answer has more than ${maxAnswerBytes} bytes`, context, server));
      });
      socket.on('error', (error) => fail(noAnswer(size, error, word, server)));
      socket.on('close', () => {
        if (size === 0) fail(noAnswer(size, undefined, word, server));
        else succeed(Buffer.concat(chunks).toString('utf8'));
      });
    }
    function release(): void {
      timer.cancel();
      signal?.removeEventListener('abort', onAbort);
    }
    function succeed(answer: string): void {
      release();
      resolve(answer);
    }
    function fail(error: ZooKeeperError): void {
      release();
      reject(error);
      if (asked === undefined) link.cancel();
      else asked.destroy();
    }
  });
}

function noAnswer(size: number, cause: Error | undefined, word: string, server: string): NoAnswerError {
  const problem =
    size > 0
      ? 'the connection was lost in the middle of the answer'
      : 'the server closed the connection without an answer';
  const hint = size > 0 ? '' : '; it may not know the word, or speak TLS only, or be something else';
  return new NoAnswerError(
    problem + (cause === undefined ? hint : `: ${cause.message}`),
    { operation: word, cause },
    server,
  );
}

/** What every word may be answered with in place of what was asked for. */
export function checkAnswer(answer: string, word: string, server: string): string {
  const context = { operation: word };
  if (answer.trimEnd().endsWith('is not executed because it is not in the whitelist.'))
    throw new CommandRefusedError(
      `${word} is not on the whitelist of the server (4lw.commands.whitelist)`,
      context,
      server,
    );
  if (answer.startsWith('This ZooKeeper instance is not currently serving requests'))
    throw new ServerNotServingError(
      'the server runs, but does not serve: it has no quorum, or is starting',
      context,
      server,
    );
  return answer;
}
