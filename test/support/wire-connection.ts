import type { Socket } from 'node:net';
import { frame, FrameSplitter, int, long } from './frames.js';
import { reset } from './reset.js';
import { gate } from './until.js';

/** The connect request of a client. */
export interface ConnectRequest {
  readonly protocolVersion: number;
  readonly lastZxidSeen: bigint;
  readonly timeout: number;
  readonly sessionId: bigint;
  readonly password: Buffer | null;
  /** Undefined when the client left the byte out. */
  readonly readOnly: boolean | undefined;
}

/** A request as it came in. */
export interface WireFrame {
  readonly connection: WireConnection;
  readonly xid: number;
  readonly opCode: number;
  /** What follows the header. */
  readonly body: Buffer;
}

export interface WireConnectionHooks {
  connected(request: ConnectRequest): void;
  frame(received: WireFrame): void;
  readonly answerPings: boolean;
}

const pingOpCode = 11;

/** One client's connection to a `WireServer`. */
export class WireConnection {
  /** Resolves when the connection has ended, whoever ended it. */
  readonly closed: Promise<void>;
  private request: ConnectRequest | undefined;

  constructor(
    readonly id: number,
    private readonly socket: Socket,
    private readonly hooks: WireConnectionHooks,
  ) {
    const closed = gate();
    this.closed = closed.promise;
    const splitter = new FrameSplitter();
    socket.setNoDelay().on('data', (chunk: Buffer) => {
      for (const piece of splitter.push(chunk)) this.receive(piece.subarray(4));
    });
    socket.on('error', () => undefined).on('close', () => closed.open());
  }

  /** What the client sent to introduce itself. */
  get connectRequest(): ConnectRequest {
    if (this.request === undefined) throw new Error('the client has not sent a connect request yet');
    return this.request;
  }

  /** Sends bytes as they are, all in one write: frames of `reply` and `notification`, parts of frames, anything. */
  send(...pieces: Uint8Array[]): void {
    this.socket.write(Buffer.concat(pieces));
  }

  /** Ends the connection (FIN) after what was sent. */
  end(): void {
    this.socket.end();
  }

  /** Resets the connection (RST). */
  reset(): void {
    reset(this.socket);
  }

  private receive(payload: Buffer): void {
    if (this.request === undefined) {
      this.request = decodeConnectRequest(payload);
      this.hooks.connected(this.request);
      return;
    }
    const [xid, opCode] = [payload.readInt32BE(0), payload.readInt32BE(4)];
    if (opCode === pingOpCode && this.hooks.answerPings) this.send(frame(int(xid), long(0), int(0)));
    else this.hooks.frame({ connection: this, xid, opCode, body: Buffer.from(payload.subarray(8)) });
  }
}

function decodeConnectRequest(payload: Buffer): ConnectRequest {
  const passwordLength = payload.readInt32BE(24);
  const end = 28 + Math.max(0, passwordLength);
  return {
    protocolVersion: payload.readInt32BE(0),
    lastZxidSeen: payload.readBigInt64BE(4),
    timeout: payload.readInt32BE(12),
    sessionId: payload.readBigInt64BE(16),
    password: passwordLength < 0 ? null : Buffer.from(payload.subarray(28, end)),
    readOnly: payload.length === end ? undefined : payload.readUInt8(end) !== 0,
  };
}
