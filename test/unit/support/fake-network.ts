import { EventEmitter } from 'node:events';
import net, { type TcpNetConnectOpts } from 'node:net';
import { expect, jest } from '@jest/globals';
import { bytes, frame, int, long } from '../../support/frames.js';
import { bool, ReferenceReader, replyHeader, splitFrames, watcherEvent } from './reference.js';

/** The sockets that were dialled, in order. */
export class FakeNetwork {
  readonly sockets: FakeSocket[] = [];

  /** The one that was dialled last. */
  get newest(): FakeSocket {
    const socket = this.sockets.at(-1);
    if (socket === undefined) throw new Error('nothing was dialled');
    return socket;
  }
}

/** Takes the place of the network until `jest.restoreAllMocks()`: whoever dials gets a {@link FakeSocket}. */
export function useFakeNetwork(): FakeNetwork {
  const network = new FakeNetwork();
  const dial = (options: TcpNetConnectOpts): FakeSocket => {
    const socket = new FakeSocket(options);
    network.sockets.push(socket);
    return socket;
  };
  jest.spyOn(net, 'connect').mockImplementation(dial as never);
  return network;
}

/** What the client sent. */
export interface SentRequest {
  readonly xid: number;
  readonly type: number;
  /** Stands at the record. */
  readonly record: ReferenceReader;
}

/** A connect request as a server reads it. */
export interface SentConnect {
  readonly lastZxidSeen: bigint;
  readonly timeout: number;
  readonly sessionId: bigint;
  readonly password: Buffer | null;
}

/** The client's end of a connection, and what a server does at the other end. */
export class FakeSocket extends EventEmitter {
  destroyed = false;
  /** How often the client has written. */
  writes = 0;
  #written: Buffer[] = [];

  constructor(readonly options: TcpNetConnectOpts) {
    super();
  }

  write(content: Buffer): void {
    this.writes++;
    this.#written.push(Buffer.from(content));
  }

  destroy(): void {
    this.destroyed = true;
  }

  get host(): string | undefined {
    return this.options.host;
  }

  /** The frames that the client has written since the last call, without their lengths. */
  async frames(): Promise<Buffer[]> {
    await turn();
    return splitFrames(Buffer.concat(this.#written.splice(0)));
  }

  async requests(): Promise<SentRequest[]> {
    return (await this.frames()).map((content) => {
      const record = new ReferenceReader(content);
      return { xid: record.int(), type: record.int(), record };
    });
  }

  /** The types of the requests that the client has sent since the last call. */
  async types(): Promise<number[]> {
    return (await this.requests()).map(({ type }) => type);
  }

  /** The TCP connection is there. Returns the connect request that follows. */
  async accept(): Promise<SentConnect> {
    this.emit('connect');
    const [content, ...rest] = await this.frames();
    expect(rest).toEqual([]);
    const record = new ReferenceReader(content!);
    record.int();
    return {
      lastZxidSeen: record.long(),
      timeout: record.int(),
      sessionId: record.long(),
      password: record.buffer(),
    };
  }

  /** The server grants a session. */
  async welcome({
    sessionId = 77,
    timeout = 9_000,
    readOnly = false,
  }: { sessionId?: number; timeout?: number; readOnly?: boolean } = {}): Promise<void> {
    this.say(Buffer.concat([int(0), int(timeout), long(sessionId), bytes(Buffer.alloc(16, 5)), bool(readOnly)]));
    await turn();
  }

  /** The server says that there is no such session. */
  async refuse(): Promise<void> {
    await this.welcome({ sessionId: 0, timeout: 0 });
  }

  /** Answers requests with a bare header. */
  async reply(xid: number, { zxid = 5, error = 0 }: { zxid?: number; error?: number } = {}): Promise<void> {
    this.say(replyHeader(xid, zxid, error));
    await turn();
  }

  async notify(type: number, path: string): Promise<void> {
    this.say(Buffer.concat([replyHeader(-1, -1, 0), watcherEvent(type, path)]));
    await turn();
  }

  /** Frames arrive in one chunk. */
  say(...payloads: Buffer[]): void {
    if (!this.destroyed) this.emit('data', Buffer.concat(payloads.map((payload) => frame(payload))));
  }

  /** The connection breaks. */
  async fail(message = 'reset'): Promise<void> {
    if (!this.destroyed) this.emit('error', new Error(message));
    await turn();
  }

  /** The server closes the connection. */
  async close(): Promise<void> {
    if (!this.destroyed) this.emit('end');
    await turn();
  }
}

/** Lets ticks and microtasks run to their end. */
export async function turn(): Promise<void> {
  for (let count = 0; count < 3; count++) await new Promise((resolve) => setImmediate(resolve));
}
