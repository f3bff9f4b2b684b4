import type { Socket } from 'node:net';
import { LinkError, ProtocolError } from '../errors.js';
import { now } from '../clock.js';
import { logOf } from '../log.js';
import type { JuteReader } from '../protocol/jute-reader.js';
import { JuteWriter } from '../protocol/jute-writer.js';
import { formatServer, type ServerAddress } from './connect-string.js';
import { dial, type Lookup } from './dial.js';
import { FrameReader } from './frame-reader.js';

const log = logOf('connection');

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
    },
  ) {
    this.user = user;
    this.#frames = new FrameReader(options.maxFrameBytes, (frame) => this.user.frame(frame));
    this.#socket = dial(server, options.lookup);
    if (options.unref) this.#socket.unref();
    this.#socket.on('connect', () => this.#opened());
    this.#socket.on('data', (chunk) => this.#received(chunk));
    // The close that follows an error or an end says nothing more.
    this.#socket.on('error', (error) => this.end(new LinkError(describe(error), { cause: error })));
    this.#socket.on('end', () => this.end(new LinkError('the server closed the connection')));
    this.#socket.on('close', () => this.end(new LinkError('the socket was closed')));
  }

  /** Lets what was written leave at the end of this turn. Returns a moment that is not later than that. */
  send(): number {
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
    log('%s: over: %s', formatServer(this.server), reason.message);
    this.user.ended(reason);
  }

  #opened(): void {
    if (this.#over) return;
    log('%s: open', formatServer(this.server));
    this.user.opened();
  }

  #received(chunk: Buffer): void {
    if (this.#over) return;
    this.bytesRead += chunk.length;
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
    this.#socket.write(this.out.take());
  }
}

/** Node reports a failed attempt at several addresses as an aggregate with an empty message. */
function describe(error: Error): string {
  return error instanceof AggregateError
    ? error.errors.map((each) => (each as Error).message).join(', ')
    : error.message;
}
