import { isIP, type Socket } from 'node:net';
import { checkServerIdentity, connect as secure, type TLSSocket } from 'node:tls';
import { LinkError, TlsError } from '../errors.js';
import { type TlsSettings, TlsSource } from '../tls-options.js';
import type { ServerAddress } from './connect-string.js';
import { describeLinkFailure, dial, type Lookup } from './dial.js';
import { heardIn, tlsFailure } from './tls-failure.js';

/** Who is told what comes of it: one of the two, once. */
export interface SecureDialUser {
  /** The handshake is over, and the server is who it should be. */
  opened(socket: TLSSocket, showsCertificate: boolean): void;
  failed(reason: Error): void;
}

/** A server may say by itself whether TLS is spoken there; if not, the option tells. */
export function tlsFor(server: ServerAddress, option: TlsSource | undefined): TlsSource | undefined {
  if (server.tls === undefined) return option;
  return server.tls ? (option ?? TlsSource.standard) : undefined;
}

/** What is waited for. */
type Step = 'the settings of TLS' | 'a connection' | 'the TLS handshake';

/**
 * The way to a TLS connection: settings, TCP, handshake. The socket is dialled as a plain one first, so that all the
 * addresses of a name are tried as without TLS, and so that what fails can be told apart.
 */
export class SecureDial {
  #step: Step = 'the settings of TLS';
  #plain: Socket | undefined;
  #socket: TLSSocket | undefined;
  #over = false;

  constructor(
    private readonly server: ServerAddress,
    source: TlsSource,
    private readonly options: { readonly lookup: Lookup | undefined; readonly unref: boolean },
    private readonly user: SecureDialUser,
  ) {
    source.settings().then(
      (settings) => this.#dial(settings),
      (error: unknown) => this.#fail(error instanceof Error ? error : new LinkError(String(error))),
    );
  }

  /** What it waits for now. */
  get step(): Step {
    return this.#step;
  }

  /** Gives it up, and tells nobody. */
  cancel(): void {
    this.#over = true;
    this.#socket?.destroy();
    this.#plain?.destroy();
  }

  #dial(settings: TlsSettings): void {
    if (this.#over) return;
    this.#step = 'a connection';
    const plain = dial(this.server, this.options.lookup);
    if (this.options.unref) plain.unref();
    this.#plain = plain;
    plain.on('connect', () => this.#handshake(plain, settings));
    // Of what comes after the connect the TLS socket tells.
    plain.on('error', (error) => {
      if (this.#step === 'a connection') this.#fail(new LinkError(describeLinkFailure(error), { cause: error }));
    });
  }

  #handshake(plain: Socket, settings: TlsSettings): void {
    if (this.#over) return;
    this.#step = 'the TLS handshake';
    const name = settings.servername ?? this.server.host;
    const socket = secure({
      socket: plain,
      secureContext: settings.context,
      // Addresses cannot be asked for by SNI; the certificate is checked for them all the same.
      servername: isIP(name) === 0 ? name : '',
      rejectUnauthorized: true,
      checkServerIdentity: (_, certificate) =>
        settings.checksHostName ? checkServerIdentity(name, certificate) : undefined,
    });
    if (this.options.unref) socket.unref();
    this.#socket = socket;
    const facts = { name, showsCertificate: settings.hasCertificate };
    const onError = (error: Error): void =>
      this.#fail(tlsFailure(error, { ...facts, heard: heardIn(plain.bytesRead) }));
    const onEnd = (): void => onError(new Error('the server closed the connection'));
    socket.once('error', onError).once('end', onEnd).once('close', onEnd);
    socket.once('secureConnect', () => {
      if (this.#over) return;
      this.#over = true;
      this.user.opened(socket, settings.hasCertificate);
      socket.off('error', onError).off('end', onEnd).off('close', onEnd);
    });
  }

  #fail(reason: Error): void {
    if (this.#over) return;
    this.cancel();
    this.user.failed(reason);
  }

  /** The error of an attempt that took too long. */
  timedOut(milliseconds: number): Error {
    const message = `${this.#step} took more than ${Math.round(milliseconds)} ms`;
    return this.#step === 'the TLS handshake'
      ? new TlsError('timeout', `${message}; a port that accepts and says nothing is no TLS port, or its server hangs`)
      : new LinkError(message);
  }
}
