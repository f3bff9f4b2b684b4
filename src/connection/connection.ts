import type { Socket } from 'node:net';
import { LinkError, ProtocolError } from '../errors.js';
import { now } from '../clock.js';
import { noTraffic, type Traffic } from '../metrics/traffic.js';
import type { JuteReader } from '../protocol/jute-reader.js';
import { JuteWriter } from '../protocol/jute-writer.js';
import type { ServerAddress } from './connect-string.js';
import { dial, type Lookup } from './dial.js';
import { FrameReader } from './frame-reader.js';

/** Who is told what happens on a connection. */
export interface ConnectionUser {
  /** The socket is connected. */
  opened(): void;
  /** Bytes have arrived; frames that are whole follow. */
  heard(): void;
  /** A frame. The reader is good until the call returns; what it throws ends the connection. */
  frame(frame: JuteReader): void;
  /** The connection is over, for this one reason. Nothing follows. */
  ended(reason: Error): void;
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

  readonly #socket: Socket;
  readonly #traffic: Traffic;
  readonly #frames: FrameReader;
  #over = false;

  constructor(
    readonly server: ServerAddress,
    user: ConnectionUser,
    options: {
      readonly maxFrameBytes: number;
      readonly lookup: Lookup | undefined;
      /** Whether the process may end while the connection is open. */
      readonly unref: boolean;
      /** Counts what goes over the wire. */
      readonly traffic?: Traffic | undefined;
    },
  ) {
    this.user = user;
    this.#traffic = options.traffic ?? noTraffic();
    this.#frames = new FrameReader(options.maxFrameBytes, (frame) => {
      this.#traffic.framesReceived++;
      this.user.frame(frame);
    });
    this.#socket = dial(server, options.lookup);
    if (options.unref) this.#socket.unref();
    this.#socket.on('connect', () => this.#opened());
    this.#socket.on('data', (chunk) => this.#received(chunk));
    // The close that follows an error or an end says nothing more.
    this.#socket.on('error', (error) => this.end(new LinkError(describe(error), { cause: error })));
    this.#socket.on('end', () => this.end(new LinkError('the server closed the connection')));
    this.#socket.on('close', () => this.end(new LinkError('the socket was closed')));
  }

  /** The server by its name, and by its address where that is known. */
  get serverNames(): readonly ServerAddress[] {
    const { remoteAddress, remotePort } = this.#socket;
    if (remoteAddress === undefined || remotePort === undefined) return [this.server];
    return [this.server, { host: remoteAddress, port: remotePort }];
  }

  /** Lets a frame that was written leave at the end of this turn. Returns a moment that is not later than that. */
  send(): number {
    this.#traffic.framesSent++;
    if (this.#turnStarted === undefined) {
      this.#turnStarted = now();
      process.nextTick(() => this.#flush());
    }
    return this.#turnStarted;
  }

  /** Ends the connection. Only the first reason counts. */
  end(reason: Error): void {
    if (this.#over) return;
    this.#over = true;
    this.#frames.stop();
    this.#socket.destroy();
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
    this.#socket.write(bytes);
  }
}

/** Node reports a failed attempt at several addresses as an aggregate with an empty message. */
function describe(error: Error): string {
  return error instanceof AggregateError
    ? error.errors.map((each) => (each as Error).message).join(', ')
    : error.message;
}
