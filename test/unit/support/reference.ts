import type Long from 'long';
import { bytes, int, long } from '../../support/frames.js';
import { type Stat } from '../../../src/stat.js';

/** The protocol a second time, with plain Buffer calls: what the codec under test is held against. */

/** A byte of jute's boolean. */
export function bool(value: boolean): Buffer {
  return Buffer.from([value ? 1 : 0]);
}

/** A vector of parts that are encoded already. */
export function vector(parts: readonly Buffer[]): Buffer {
  return Buffer.concat([int(parts.length), ...parts]);
}

/** The eight bytes of a Long. */
export function longOf(value: Long): Buffer {
  return long(BigInt(value.toString()));
}

export function replyHeader(xid: number, zxid: bigint | number, error: number): Buffer {
  return Buffer.concat([int(xid), long(zxid), int(error)]);
}

export function watcherEvent(type: number, path: string | null): Buffer {
  return Buffer.concat([int(type), int(3), bytes(path)]);
}

export function statBytes(stat: Stat): Buffer {
  return Buffer.concat([
    longOf(stat.czxid),
    longOf(stat.mzxid),
    long(stat.ctime),
    long(stat.mtime),
    int(stat.version),
    int(stat.cversion),
    int(stat.aversion),
    longOf(stat.ephemeralOwner),
    int(stat.dataLength),
    int(stat.numChildren),
    longOf(stat.pzxid),
  ]);
}

/** Reads bytes field by field; throws at the end of them as any Buffer does. */
export class ReferenceReader {
  #position = 0;

  constructor(private readonly content: Buffer) {}

  get rest(): number {
    return this.content.length - this.#position;
  }

  int(): number {
    this.#position += 4;
    return this.content.readInt32BE(this.#position - 4);
  }

  long(): bigint {
    this.#position += 8;
    return this.content.readBigInt64BE(this.#position - 8);
  }

  bool(): boolean {
    this.#position += 1;
    return this.content.readUInt8(this.#position - 1) !== 0;
  }

  buffer(): Buffer | null {
    const length = this.int();
    if (length === -1) return null;
    this.#position += length;
    return this.content.subarray(this.#position - length, this.#position);
  }

  string(): string | null {
    return this.buffer()?.toString('utf8') ?? null;
  }

  vector<T>(read: (reader: this) => T): T[] {
    return Array.from({ length: this.int() }, () => read(this));
  }
}

/** The frames in a run of bytes, without their lengths. */
export function splitFrames(content: Buffer): Buffer[] {
  const frames: Buffer[] = [];
  for (let at = 0; at < content.length;) {
    const end = at + 4 + content.readInt32BE(at);
    frames.push(content.subarray(at + 4, end));
    at = end;
  }
  return frames;
}
