/** Splitting and building frames with plain Buffer calls: on purpose not with the codec that the tests are about. */

/** Larger than any frame in a test: a length above it is no length, but a four-letter word or a TLS record. */
const longestFrame = 0x1000_0000;

/** Cuts a stream of bytes into frames, each with its length prefix. Bytes that are no frames come as they arrive. */
export class FrameSplitter {
  private rest: Buffer = Buffer.alloc(0);
  private isRaw = false;

  /** True when the stream turned out not to consist of frames. */
  get raw(): boolean {
    return this.isRaw;
  }

  *push(chunk: Buffer): Generator<Buffer> {
    this.rest = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
    while (this.rest.length >= 4) {
      const length = this.rest.readInt32BE(0);
      this.isRaw ||= length < 0 || length > longestFrame;
      const end = this.isRaw ? this.rest.length : 4 + length;
      if (this.rest.length < end) return;
      yield this.rest.subarray(0, end);
      this.rest = this.rest.subarray(end);
    }
  }
}

/** Puts the length in front. */
export function frame(...parts: Uint8Array[]): Buffer {
  const payload = Buffer.concat(parts);
  return Buffer.concat([int(payload.length), payload]);
}

export function int(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

export function long(value: bigint | number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt(value));
  return bytes;
}

/** A buffer, or a string in UTF-8, with its length; null is the length -1. */
export function bytes(value: Uint8Array | string | null): Buffer {
  if (value === null) return int(-1);
  const content = Buffer.from(value);
  return Buffer.concat([int(content.length), content]);
}

/** The frame that `hex` spells; spaces and line ends in it are for the reader. */
export function fromHex(hex: string): Buffer {
  return Buffer.from(hex.replaceAll(/\s/g, ''), 'hex');
}
