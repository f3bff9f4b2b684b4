import { connect, type Socket } from 'node:net';
import { bytes, frame, FrameSplitter, int, long } from '../../support/frames.js';
import { Inbox } from '../../support/inbox.js';

export interface RawSession {
  readonly id: bigint;
  readonly password: Buffer;
  readonly timeout: number;
}

/** A client of a few lines, to test the test support without the client that it is there for. */
export class RawClient {
  session: RawSession = { id: 0n, password: Buffer.alloc(16), timeout: 0 };
  private readonly frames = new Inbox<Buffer>('a frame');

  constructor(readonly raw: Socket) {
    const splitter = new FrameSplitter();
    raw.on('data', (chunk: Buffer) => {
      for (const piece of splitter.push(chunk)) this.frames.put(Buffer.from(piece));
    });
    raw.on('error', () => undefined);
  }

  write(...pieces: Buffer[]): void {
    this.raw.write(Buffer.concat(pieces));
  }

  /** The next frame with its length prefix. */
  frame(timeout?: number): Promise<Buffer> {
    return this.frames.take(timeout);
  }

  close(): void {
    this.raw.destroy();
  }
}

/** Opens a session of 10 s, or resumes one. */
export async function handshake(
  server: { host: string; port: number },
  { id, password }: Pick<RawSession, 'id' | 'password'> = { id: 0n, password: Buffer.alloc(16) },
): Promise<RawClient> {
  const client = new RawClient(connect({ host: server.host, port: server.port }));
  client.write(frame(int(0), long(0), int(10_000), long(id), bytes(password), Buffer.from([0])));
  const answer = await client.frame();
  client.session = {
    timeout: answer.readInt32BE(8),
    id: answer.readBigInt64BE(12),
    password: answer.subarray(24, 40),
  };
  return client;
}

/** A request of a path and a false watch flag: exists (3), getData (4), getChildren (8). */
export function request(xid: number, opCode: number, path: string): Buffer {
  return frame(int(xid), int(opCode), bytes(path), Buffer.from([0]));
}
