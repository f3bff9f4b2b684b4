import { FrameTooLargeError, ProtocolError } from '../errors.js';
import { JuteReader } from '../protocol/jute-reader.js';

/** Cuts the bytes of a socket into frames: a length of four bytes, then as many bytes. */
export class FrameReader {
  /** The beginning of a frame that has not arrived whole. */
  #parts: Buffer[] = [];
  #arrived = 0;
  /** How many bytes the frame will have with its length; 0 while the length itself is not whole. */
  #needed = 0;
  #stopped = false;

  constructor(
    private readonly maxFrameBytes: number,
    /** Called for each frame with a reader that is good until the call returns. */
    private readonly onFrame: (frame: JuteReader) => void,
  ) {}

  /** Takes bytes as they arrive. Throws `ProtocolError` when they cannot be frames. */
  push(chunk: Buffer): void {
    if (this.#arrived > 0) {
      this.#parts.push(chunk);
      this.#arrived += chunk.length;
      if (this.#arrived < this.#needed) return;
      chunk = Buffer.concat(this.#parts, this.#arrived);
    }
    const consumed = this.#walk(chunk);
    this.#keep(consumed === chunk.length ? undefined : chunk.subarray(consumed));
  }

  /** No further frame is handed out, not even one that has arrived. */
  stop(): void {
    this.#stopped = true;
  }

  /** Hands out every whole frame of the chunk; returns where the first one begins that is not whole. */
  #walk(chunk: Buffer): number {
    const reader = new JuteReader(chunk);
    let position = 0;
    this.#needed = 0;
    while (!this.#stopped && chunk.length - position >= 4) {
      const size = chunk.readInt32BE(position);
      if (size < 0) throw new ProtocolError(`a frame of ${size} bytes was announced`);
      const end = position + 4 + size;
      if (size > this.maxFrameBytes) {
        // The xid tells whose reply is too large; without it there is nothing to say yet.
        if (chunk.length - position >= 8)
          throw new FrameTooLargeError(size, this.maxFrameBytes, chunk.readInt32BE(position + 4));
        break;
      }
      if (end > chunk.length) {
        this.#needed = 4 + size;
        break;
      }
      reader.window(position + 4, end);
      this.onFrame(reader);
      position = end;
    }
    return this.#stopped ? chunk.length : position;
  }

  #keep(rest: Buffer | undefined): void {
    this.#parts = rest === undefined ? [] : [rest];
    this.#arrived = rest?.length ?? 0;
  }
}
