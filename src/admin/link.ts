import { isIP, type Socket } from 'node:net';
import { type ConnectionOptions, connect } from 'node:tls';
import { type ServerAddress } from '../connection/connect-string.js';
import { dial, type Lookup } from '../connection/dial.js';
import { InvalidArgumentError } from '../errors.js';

/** A socket on its way to a server, and the event by which it can be written to. */
export interface Link {
  readonly socket: Socket;
  readonly ready: 'connect' | 'secureConnect';
  /** Calls back when the way to the server is there, also when TLS is still to be agreed on. */
  readonly onReached: (listener: () => void) => void;
}

/** Node reports a failed attempt at several addresses of a name as one error without a message. */
export function describeLinkError(error: Error): string {
  const { errors } = error as Partial<AggregateError>;
  return error.message === '' && Array.isArray(errors)
    ? errors.map((each) => (each as Error).message).join(', ')
    : error.message;
}

/**
 * Dials a server, by TLS if there are options for it. The one place where this part meets TLS.
 * Throws `InvalidArgumentError` at certificates and keys that are none.
 */
export function openLink(server: ServerAddress, tls: ConnectionOptions | undefined, lookup?: Lookup): Link {
  const plain = dial(server, lookup);
  const onReached = (listener: () => void): void => void plain.once('connect', listener);
  if (tls === undefined) return { socket: plain, ready: 'connect', onReached };
  // A name is asked for and checked; an address is checked only, because none may be asked for.
  const name = isIP(server.host) === 0 ? { servername: server.host } : {};
  try {
    const socket = connect({ ...name, ...tls, host: server.host, socket: plain });
    return { socket, ready: 'secureConnect', onReached };
  } catch (error) {
    plain.destroy();
    throw new InvalidArgumentError(`the tls options cannot be used: ${(error as Error).message}`, { cause: error });
  }
}
