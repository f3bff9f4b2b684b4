import type Long from 'long';

const SLAB_BYTES = 64 * 1024;

/**
 * Writes jute records into one growing buffer, frame after frame. `take()` hands out what was written since the last
 * call; those bytes are never written to again, so a socket may keep them as long as it likes.
 */
export class JuteWriter {
  #buffer: Buffer;
  #view: DataView;
  #start = 0;
  #position = 0;

  constructor(private readonly slabBytes = SLAB_BYTES) {
    this.#buffer = Buffer.allocUnsafeSlow(slabBytes);
    this.#view = viewOf(this.#buffer);
  }

  /** Bytes that were written and not yet taken. */
  get length(): number {
    return this.#position - this.#start;
  }

  /** Everything written since the last call. */
  take(): Buffer {
    const taken = this.#buffer.subarray(this.#start, this.#position);
    this.#start = this.#position;
    return taken;
  }

  /** Begins a frame and returns a mark for {@link closeFrame} or {@link discardFrame}. */
  openFrame(): number {
    const mark = this.length;
    this.#reserve(4);
    this.#position += 4;
    return mark;
  }

  /** Writes the length in front of the frame that was begun at `mark`, and returns it. */
  closeFrame(mark: number): number {
    const bytes = this.length - mark - 4;
    this.#view.setInt32(this.#start + mark, bytes);
    return bytes;
  }

  /** Forgets everything from `mark` on. */
  discardFrame(mark: number): void {
    this.#position = this.#start + mark;
  }

  int(value: number): void {
    this.#reserve(4);
    this.#view.setInt32(this.#position, value);
    this.#position += 4;
  }

  long(value: Long): void {
    this.#reserve(8);
    this.#view.setInt32(this.#position, value.high);
    this.#view.setInt32(this.#position + 4, value.low);
    this.#position += 8;
  }

  boolean(value: boolean): void {
    this.#reserve(1);
    this.#buffer[this.#position++] = value ? 1 : 0;
  }

  /** Null and empty differ: their lengths are -1 and 0. */
  buffer(value: Uint8Array | null): void {
    if (value === null) {
      this.int(-1);
      return;
    }
    this.#reserve(4 + value.length);
    this.#view.setInt32(this.#position, value.length);
    this.#buffer.set(value, this.#position + 4);
    this.#position += 4 + value.length;
  }

  ustring(value: string | null): void {
    if (value === null) {
      this.int(-1);
      return;
    }
    // Three bytes are the most that one UTF-16 unit takes in UTF-8.
    this.#reserve(4 + value.length * 3);
    const bytes = this.#buffer.write(value, this.#position + 4);
    this.#view.setInt32(this.#position, bytes);
    this.#position += 4 + bytes;
  }

  /** A vector: the count, then each element by `writeElement`. */
  vector<T>(elements: readonly T[], writeElement: (out: JuteWriter, element: T) => void): void {
    this.int(elements.length);
    for (const element of elements) writeElement(this, element);
  }

  #reserve(bytes: number): void {
    if (this.#position + bytes <= this.#buffer.length) return;
    const pending = this.#buffer.subarray(this.#start, this.#position);
    const needed = pending.length + bytes;
    // Twice what is pending keeps the copying linear when one burst outgrows slab after slab.
    this.#buffer = Buffer.allocUnsafeSlow(needed > this.slabBytes / 2 ? needed * 2 : this.slabBytes);
    this.#buffer.set(pending);
    this.#view = viewOf(this.#buffer);
    this.#start = 0;
    this.#position = pending.length;
  }
}

function viewOf(buffer: Buffer): DataView {
  return new DataView(buffer.buffer, buffer.byteOffset, buffer.length);
}
