import { createServer, type AddressInfo, type Server } from 'node:net';
import { bytes, frame, int, long } from './frames.js';
import { Inbox } from './inbox.js';
import { WireConnection, type ConnectRequest, type WireFrame } from './wire-connection.js';

export { frame, bytes, int, long, fromHex } from './frames.js';
export { type ConnectRequest, type WireConnection, type WireFrame } from './wire-connection.js';

/** What a connect response says. */
export interface Welcome {
  /** ms; default: what the client asked for. 0 says "expired". */
  readonly timeout?: number;
  /** Default: the id that the client sent, or `newSessionId` if it sent none. */
  readonly sessionId?: bigint;
  /** Default: sixteen times 7. */
  readonly password?: Buffer;
  /** Default: false. `absent` leaves the byte out, as servers before 3.4 do. */
  readonly readOnly?: boolean | 'absent';
}

/**
 * The answer to a connect request: a connect response, these bytes (a whole frame or anything else), no answer ever
 * (`silence`), or the end of the connection without a byte (`close`).
 */
export type HandshakeAnswer = Welcome | Buffer | 'silence' | 'close';

export interface WireServerOptions {
  /** Default: `{}`, which welcomes every client. A function is asked at each connection. */
  readonly handshake?: HandshakeAnswer | ((request: ConnectRequest, connection: number) => HandshakeAnswer);
  /** Pings are answered and not handed to the test; default true. */
  readonly answerPings?: boolean;
}

/** The id of the sessions of a `WireServer`. */
export const newSessionId = 0x0100_0000_0000_0001n;

/**
 * A server that does what the test says, for what a real one cannot be made to do. It knows the handshake and pings,
 * nothing else: the test receives each frame and sends the answer, in bytes.
 */
export class WireServer {
  readonly host = '127.0.0.1';
  /** How connections accepted from now on are answered. */
  handshake: NonNullable<WireServerOptions['handshake']>;

  private readonly connections = new Inbox<WireConnection>('a connection');
  private readonly frames = new Inbox<WireFrame>('a frame');
  private readonly live = new Set<WireConnection>();
  private accepted = 0;

  private constructor(
    private readonly server: Server,
    options: WireServerOptions,
  ) {
    this.handshake = options.handshake ?? {};
    server.on('connection', (socket) => {
      const connection = new WireConnection(++this.accepted, socket, {
        connected: (request) => this.answer(connection, request),
        frame: (received) => this.frames.put(received),
        answerPings: options.answerPings ?? true,
      });
      this.live.add(connection);
      void connection.closed.then(() => this.live.delete(connection));
    });
  }

  /** Use `startWireServer`. */
  static async start(options: WireServerOptions): Promise<WireServer> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new WireServer(server, options);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get connectString(): string {
    return `${this.host}:${this.port}`;
  }

  /** Connections that were ever accepted. */
  get totalConnections(): number {
    return this.accepted;
  }

  /** Connections that are open now. */
  get openConnections(): number {
    return this.live.size;
  }

  /** The next connection whose connect request came and was answered; each is handed out once. Rejects after 10 s. */
  connection(): Promise<WireConnection> {
    return this.connections.take();
  }

  /** The next frame of any connection, connect requests and answered pings left out. Rejects after 10 s. */
  frame(): Promise<WireFrame> {
    return this.frames.take();
  }

  /** Ends the server and all of its connections. */
  async close(): Promise<void> {
    for (const connection of this.live) connection.reset();
    await new Promise((resolve) => this.server.close(resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  private answer(connection: WireConnection, request: ConnectRequest): void {
    const answer = typeof this.handshake === 'function' ? this.handshake(request, connection.id) : this.handshake;
    if (answer === 'close') connection.end();
    else if (Buffer.isBuffer(answer)) connection.send(answer);
    else if (answer !== 'silence') connection.send(connectResponse(request, answer));
    this.connections.put(connection);
  }
}

/** Starts a scripted server on a free port of 127.0.0.1. */
export function startWireServer(options: WireServerOptions = {}): Promise<WireServer> {
  return WireServer.start(options);
}

/** The frame that welcomes the client that sent `request`. */
export function connectResponse(request: ConnectRequest, welcome: Welcome = {}): Buffer {
  const { timeout = request.timeout, password = Buffer.alloc(16, 7), readOnly = false } = welcome;
  const sessionId = welcome.sessionId ?? (request.sessionId === 0n ? newSessionId : request.sessionId);
  return frame(
    int(0),
    int(timeout),
    long(sessionId),
    bytes(password),
    Buffer.from(readOnly === 'absent' ? [] : [Number(readOnly)]),
  );
}

/** The frame that tells a client that its session has expired, as captured from a real server. */
export function expiredResponse(): Buffer {
  return frame(int(0), int(0), long(0), bytes(Buffer.alloc(16)), Buffer.from([0]));
}

/** The frame of a reply: header, then `body`, which belongs there only if `err` is 0. */
export function reply(
  to: { readonly xid: number },
  { zxid = 1n, err = 0, body = Buffer.alloc(0) }: { zxid?: bigint; err?: number; body?: Uint8Array } = {},
): Buffer {
  return frame(int(to.xid), long(zxid), int(err), body);
}

/** The frame of a watch event; `type` as on the wire, for example 3 for a change of data. */
export function notification(
  path: string,
  type: number,
  { state = 3, zxid = -1n }: { state?: number; zxid?: bigint } = {},
): Buffer {
  return frame(int(-1), long(zxid), int(0), int(type), int(state), bytes(path));
}

/** The bytes of a Stat record; what is not given is 0. */
export function stat(fields: Partial<Record<StatField, bigint | number>> = {}): Buffer {
  return Buffer.concat(
    statFields.map(([name, size]) => (size === 8 ? long(fields[name] ?? 0) : int(Number(fields[name] ?? 0)))),
  );
}

type StatField = (typeof statFields)[number][0];

const statFields = [
  ['czxid', 8],
  ['mzxid', 8],
  ['ctime', 8],
  ['mtime', 8],
  ['version', 4],
  ['cversion', 4],
  ['aversion', 4],
  ['ephemeralOwner', 8],
  ['dataLength', 4],
  ['numChildren', 4],
  ['pzxid', 8],
] as const;
