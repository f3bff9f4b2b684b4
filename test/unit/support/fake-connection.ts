import { now } from '../../../src/clock.js';
import { FrameReader } from '../../../src/connection/frame-reader.js';
import type { Connection, ConnectionUser } from '../../../src/connection/connection.js';
import { JuteWriter } from '../../../src/protocol/jute-writer.js';
import { frame } from '../../support/frames.js';
import { splitFrames } from './reference.js';

/** A connection without a socket: what is sent to it is kept, what a server sends is given to it. */
export class FakeConnection {
  readonly out = new JuteWriter();
  readonly server = { host: 'fake', port: 2181 };
  /** Why it has ended, if it has. */
  reason: Error | undefined;
  user: ConnectionUser | undefined;
  readonly #frames: FrameReader;

  constructor(maxFrameBytes = 1024 * 1024) {
    this.#frames = new FrameReader(maxFrameBytes, (each) => this.user?.frame(each));
  }

  /** As the class under test wants it. */
  get asConnection(): Connection {
    return this as unknown as Connection;
  }

  send(): number {
    return now();
  }

  end(reason: Error): void {
    if (this.reason !== undefined) return;
    this.reason = reason;
    this.#frames.stop();
    this.user?.ended(reason);
  }

  /** Bytes arrive, as they would from a socket. */
  receive(bytes: Buffer): void {
    if (this.reason !== undefined) return;
    this.user?.heard();
    try {
      this.#frames.push(bytes);
    } catch (error) {
      this.end(error as Error);
    }
  }

  /** Frames arrive, together. */
  reply(...payloads: Buffer[]): void {
    this.receive(Buffer.concat(payloads.map((payload) => frame(payload))));
  }

  /** The frames that were sent since the last call, without their lengths. */
  sent(): Buffer[] {
    return splitFrames(Buffer.from(this.out.take()));
  }
}
