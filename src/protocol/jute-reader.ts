import Long from 'long';
import { ProtocolError } from '../errors.js';

/**
 * Reads jute records out of frames that lie one after the other in a chunk. Every read is checked against the end of
 * the frame, and every length before anything is allocated for it; what does not fit throws `ProtocolError`.
 */
export class JuteReader {
  readonly #buffer: Buffer;
  readonly #view: DataView;
  #position: number;
  #end: number;

  constructor(chunk: Buffer, start = 0, end = chunk.length) {
    this.#buffer = chunk;
    this.#view = new DataView(chunk.buffer, chunk.byteOffset, chunk.length);
    this.#position = start;
    this.#end = end;
  }

  /** Moves on to the frame from `start` to `end` of the same chunk. */
  window(start: number, end: number): void {
    this.#position = start;
    this.#end = end;
  }

  /** Bytes of the frame that are still to be read. */
  get remaining(): number {
    return this.#end - this.#position;
  }

  int(): number {
    const at = this.#advance(4);
    return this.#view.getInt32(at);
  }

  long(): Long {
    const at = this.#advance(8);
    return new Long(this.#view.getInt32(at + 4), this.#view.getInt32(at));
  }

  /** A long that is known to fit a number: a time in milliseconds. */
  time(): number {
    const at = this.#advance(8);
    return this.#view.getInt32(at) * 2 ** 32 + this.#view.getUint32(at + 4);
  }

  boolean(): boolean {
    const at = this.#advance(1);
    return this.#view.getUint8(at) !== 0;
  }

  /** The bytes are copied: a slice would keep the whole chunk alive. */
  buffer(): Buffer | null {
    const length = this.#length('buffer');
    if (length === -1) return null;
    const at = this.#advance(length);
    const copy = Buffer.allocUnsafe(length);
    this.#buffer.copy(copy, 0, at, at + length);
    return copy;
  }

  ustring(): string | null {
    const length = this.#length('string');
    if (length === -1) return null;
    const at = this.#advance(length);
    return this.#buffer.toString('utf8', at, at + length);
  }

  /** A string where null is not expected; it reads as the empty one. */
  string(): string {
    return this.ustring() ?? '';
  }

  /** A vector; null reads as the empty one. No element may take fewer than `leastBytes`. */
  vector<T>(leastBytes: number, readElement: (reader: JuteReader) => T): T[] {
    const count = this.int();
    if (count < -1 || count * leastBytes > this.remaining) {
      throw new ProtocolError(
        `a vector of ${count} elements does not fit the ${this.remaining} bytes left of the frame`,
      );
    }
    const elements: T[] = [];
    for (let index = 0; index < count; index++) elements.push(readElement(this));
    return elements;
  }

  #length(what: string): number {
    const length = this.int();
    if (length < -1) throw new ProtocolError(`a ${what} has the length ${length}`);
    return length;
  }

  #advance(bytes: number): number {
    const at = this.#position;
    if (bytes > this.#end - at) {
      throw new ProtocolError(`${bytes} bytes were expected where the frame has ${this.#end - at} left`);
    }
    this.#position = at + bytes;
    return at;
  }
}
