import Long from 'long';
import { ProtocolError } from '../errors.js';

/** How many bytes of strings are decoded at once. */
const STRETCH = 1024;
/** Where the strings of a stretch end; each takes four bytes at least. */
const ends = new Int32Array(STRETCH / 4 + 1);

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
    const low = this.#view.getInt32(at + 4);
    const high = this.#view.getInt32(at);
    // The owner of most znodes.
    return low === 0 && high === 0 ? Long.ZERO : new Long(low, high);
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

  /** The bytes are copied, unless they are most of the chunk: a slice keeps the whole of it alive. */
  buffer(): Buffer | null {
    const length = this.#length('buffer');
    if (length === -1) return null;
    const at = this.#advance(length);
    if (length * 2 >= this.#buffer.length) return this.#buffer.subarray(at, at + length);
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
    const count = this.#count(leastBytes);
    const elements: T[] = [];
    for (let index = 0; index < count; index++) elements.push(readElement(this));
    return elements;
  }

  /** A vector of strings. Null reads as the empty one, the vector and each string. */
  strings(): string[] {
    const count = this.#count(4);
    const strings = new Array<string>(Math.max(count, 0));
    for (let read = 0; read < count;) read = this.#stretch(strings, read);
    return strings;
  }

  /**
   * Reads the strings that lie in a stretch of bytes, from the one numbered `first` on, and decodes them with one call.
   * Returns the number of the one after them. What is cut out of a long text keeps the whole of it alive: hence a stretch
   * and not all.
   */
  #stretch(strings: string[], first: number): number {
    const from = this.#position;
    const lastBegin = Math.min(from + STRETCH, this.#end - 4);
    let next = first;
    let at = from;
    for (; next < strings.length && at <= lastBegin; next++) {
      const length = this.#view.getInt32(at);
      if (length < -1) break;
      at += 4 + Math.max(length, 0);
      ends[next - first] = at - from;
    }
    // What does not lie in the frame is read for the error.
    if (next === first || at > this.#end) return this.#oneByOne(strings, first, Math.max(next, first + 1));
    const text = this.#buffer.toString('utf8', from, at);
    // Otherwise each byte is one character.
    if (text.length !== at - from) return this.#oneByOne(strings, first, next);
    for (let index = first, begin = 4; index < next; index++) {
      const end = ends[index - first] ?? begin;
      strings[index] = text.slice(begin, end);
      begin = end + 4;
    }
    this.#position = at;
    return next;
  }

  #oneByOne(strings: string[], first: number, next: number): number {
    for (let index = first; index < next; index++) strings[index] = this.string();
    return next;
  }

  /** The number of elements of a vector, of which none takes fewer than `leastBytes`. */
  #count(leastBytes: number): number {
    const count = this.int();
    if (count < -1 || count * leastBytes > this.remaining) {
      throw new ProtocolError(
        `a vector of ${count} elements does not fit the ${this.remaining} bytes left of the frame`,
      );
    }
    return count;
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
