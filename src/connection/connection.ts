import type { Socket } from 'node:net';
import { LinkError, ProtocolError } from '../errors.js';
import { now } from '../clock.js';
import type { TlsSource } from '../tls-options.js';
import { noTraffic, type Traffic } from '../metrics/traffic.js';
import type { JuteReader } from '../protocol/jute-reader.js';
import { JuteWriter } from '../protocol/jute-writer.js';
import type { ServerAddress } from './connect-string.js';
import { describeLinkFailure, dial, type Lookup } from './dial.js';
import { FrameReader } from './frame-reader.js';
import { SecureDial } from './secure-dial.js';
import { isTlsFailure, tlsFailure } from './tls-failure.js';

/** Who is told what happens on a connection. */
export interface ConnectionUser {
  /** The socket is connected, and secured if it is to be. */
  opened(): void;
  /** Bytes have arrived; frames that are whole follow. */
  heard(): void;
  /** A frame. The reader is good until the call returns; what it throws ends the connection. */
  frame(frame: JuteReader): void;
  /** The connection is over, for this one reason. Nothing follows. */
  ended(reason: Error): void;
}

export interface ConnectionOptions {
  readonly maxFrameBytes: number;
  readonly lookup: Lookup | undefined;
  /** How to secure it; undefined: not at all. */
  readonly tls?: TlsSource | undefined;
  /** Whether the process may end while the connection is open. */
  readonly unref: boolean;
  /** Counts what goes over the wire. */
  readonly traffic?: Traffic | undefined;
}

/** One socket to one server, from dialling to its one end. It knows frames, not what is in them. */
export class Connection {
  /** Frames are written here; they leave together at the end of the turn, once {@link send} was called. */
  readonly out = new JuteWriter();
  /** When the first frame of this turn was written; undefined when all have left. */
  #turnStarted: number | undefined;
  /** Swapped when the connection passes from the one who opened it to the one who uses it. */
  user: ConnectionUser;
  bytesRead = 0;

  readonly #traffic: Traffic;
  // Made once, not in each turn.
  readonly #endTurn = (): void => this.#flush();
  readonly #written = (): void => this.out.giveBack();
  #socket: Socket | undefined;
  /** The way to a TLS connection, until it is there. */
  #securing: SecureDial | undefined;
  /** Whether TLS is spoken. */
  readonly secure: boolean;
  readonly #frames: FrameReader;
  #over = false;

  constructor(
    readonly server: ServerAddress,
    user: ConnectionUser,
    options: ConnectionOptions,
  ) {
    this.user = user;
    this.secure = options.tls !== undefined;
    this.#traffic = options.traffic ?? noTraffic();
    this.#frames = new FrameReader(options.maxFrameBytes, (frame) => {
      this.#traffic.framesReceived++;
      this.user.frame(frame);
    });
    if (options.tls === undefined) {
      const socket = dial(server, options.lookup);
      if (options.unref) socket.unref();
      this.#use(socket);
      socket.on('connect', () => this.#opened());
    } else {
      this.#securing = new SecureDial(server, options.tls, options, {
        opened: (socket, showsCertificate) => {
          this.#use(socket, showsCertificate);
          this.#securing = undefined;
          this.#opened();
        },
        failed: (reason) => this.end(reason),
      });
    }
  }

  /** Ends a connection on which something was waited for too long; `awaited` names what, once it was open. */
  giveUp(awaited: string, milliseconds: number): void {
    const late = new LinkError(`no ${awaited} within ${Math.round(milliseconds)} ms`);
    this.end(this.#securing?.timedOut(milliseconds) ?? late);
  }

  #use(socket: Socket, showsCertificate = false): void {
    this.#socket = socket;
    socket.on('data', (chunk) => this.#received(chunk));
    // The close that follows an error or an end says nothing more.
    socket.on('error', (error) => this.end(this.#failure(error, showsCertificate)));
    socket.on('end', () => this.end(new LinkError('the server closed the connection')));
    socket.on('close', () => this.end(new LinkError('the socket was closed')));
  }

  /** A server that refuses a certificate by TLS 1.3 says so after the handshake. */
  #failure(error: Error, showsCertificate: boolean): Error {
    if (isTlsFailure(error)) return tlsFailure(error, { name: this.server.host, showsCertificate, heard: 'choice' });
    return new LinkError(describeLinkFailure(error), { cause: error });
  }

  /** The server by its name, and by its address where that is known. */
  get serverNames(): readonly ServerAddress[] {
    const { remoteAddress, remotePort } = this.#socket ?? {};
    if (remoteAddress === undefined || remotePort === undefined) return [this.server];
    return [this.server, { host: remoteAddress, port: remotePort }];
  }

  /** Lets a frame that was written leave at the end of this turn. Returns a moment that is not later than that. */
  send(): number {
    this.#traffic.framesSent++;
    if (this.#turnStarted === undefined) {
      this.#turnStarted = now();
      process.nextTick(this.#endTurn);
    }
    return this.#turnStarted;
  }

  /** Ends the connection. Only the first reason counts. */
  end(reason: Error): void {
    if (this.#over) return;
    this.#over = true;
    this.#frames.stop();
    this.#securing?.cancel();
    this.#socket?.destroy();
    this.user.ended(reason);
  }

  #opened(): void {
    if (this.#over) return;
    this.user.opened();
  }

  #received(chunk: Buffer): void {
    if (this.#over) return;
    this.bytesRead += chunk.length;
    this.#traffic.bytesReceived += chunk.length;
    this.user.heard();
    try {
      this.#frames.push(chunk);
    } catch (error) {
      this.end(error instanceof Error ? error : new ProtocolError(String(error)));
    }
  }

  #flush(): void {
    this.#turnStarted = undefined;
    if (this.#over || this.out.length === 0) return;
    const bytes = this.out.take();
    this.#traffic.bytesSent += bytes.length;
    this.#socket?.write(bytes, this.#written);
  }
}
