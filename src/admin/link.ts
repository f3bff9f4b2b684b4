import type { Socket } from 'node:net';
import type { ServerAddress } from '../connection/connect-string.js';
import { describeLinkFailure, dial, type Lookup } from '../connection/dial.js';
import { SecureDial } from '../connection/secure-dial.js';
import { InvalidArgumentError, LinkError, TlsError, type ZooKeeperError } from '../errors.js';
import type { TlsSource } from '../tls-options.js';
import { ServerUnreachableError } from './errors.js';

/** Who is told what comes of it: one of the two, once. */
export interface LinkUser {
  /** There is a socket that can be written to; its errors are the user's from now on. */
  opened(socket: Socket): void;
  failed(reason: Error): void;
}

/** A connection on its way to a server. */
export interface Link {
  /** Gives it up, and tells nobody. */
  cancel(): void;
  /** Why it took too long. */
  timedOut(milliseconds: number): Error;
}

/** Dials a server as clients do, by TLS if there are settings for it. */
export function openLink(
  server: ServerAddress,
  tls: TlsSource | undefined,
  lookup: Lookup | undefined,
  user: LinkUser,
): Link {
  if (tls !== undefined) return new SecureDial(server, tls, { lookup, unref: false }, user);
  const socket = dial(server, lookup);
  const onError = (cause: Error): void => user.failed(new LinkError(describeLinkFailure(cause), { cause }));
  socket.once('error', onError);
  socket.once('connect', () => {
    socket.off('error', onError);
    user.opened(socket);
  });
  return {
    cancel: () =>
      void socket
        .off('error', onError)
        .on('error', () => undefined)
        .destroy(),
    timedOut: (milliseconds) => new LinkError(`a connection took more than ${milliseconds} ms`),
  };
}

/** The error for a link that there was none of. What is wrong with the options themselves is no fault of the server. */
export function unreachable(reason: Error, operation: string, server: string): ZooKeeperError {
  if (reason instanceof InvalidArgumentError) return reason;
  const { code } = (reason.cause ?? {}) as NodeJS.ErrnoException;
  const isTls = reason instanceof TlsError;
  return new ServerUnreachableError(
    isTls ? `the TLS connection failed: ${reason.message}` : reason.message,
    { operation, cause: isTls ? reason : (reason.cause ?? reason) },
    server,
    isTls ? 'tls' : code === 'ECONNREFUSED' ? 'refused' : 'network',
  );
}
