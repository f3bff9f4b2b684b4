import type Long from 'long';

const SLAB_BYTES = 64 * 1024;

/** Up to this length a string is written unit by unit. */
const SHORT = 64;

/**
 * Writes jute records into one growing buffer, frame after frame. `take()` hands out what was written since the last
 * call; those bytes are written to again only when everything that was taken has been given back.
 */
export class JuteWriter {
  #buffer: Buffer;
  #view: DataView;
  #start = 0;
  #position = 0;
  /** How often something was taken that has not been given back. */
  #outstanding = 0;
  /** The most that was taken at once since the buffer was begun anew. */
  #largest = 0;

  constructor(private readonly slabBytes = SLAB_BYTES) {
    this.#buffer = Buffer.allocUnsafeSlow(slabBytes);
    this.#view = viewOf(this.#buffer);
  }

  /** Bytes that were written and not yet taken. */
  get length(): number {
    return this.#position - this.#start;
  }

  /** Everything written since the last call. To be given back, or the buffer is not used again. */
  take(): Buffer {
    const taken = this.#buffer.subarray(this.#start, this.#position);
    this.#start = this.#position;
    this.#outstanding++;
    this.#largest = Math.max(this.#largest, taken.length);
    return taken;
  }

  /** What was taken first is not needed any more: new memory costs more than what is written to it. */
  giveBack(): void {
    this.#outstanding--;
    if (this.#outstanding > 0 || this.length > 0) return;
    // A large buffer is kept for as long as it is needed.
    if (this.#buffer.length > this.slabBytes && this.#largest < this.slabBytes / 2) this.#renew(this.slabBytes);
    this.#start = 0;
    this.#position = 0;
    this.#largest = 0;
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
    const bytes = value.length <= SHORT ? this.#short(value, this.#position + 4) : -1;
    const size = bytes === -1 ? this.#buffer.write(value, this.#position + 4) : bytes;
    this.#view.setInt32(this.#position, size);
    this.#position += 4 + size;
  }

  /** Writes a string of ASCII at once, which for a short one takes less time than the call; -1 if it is another. */
  #short(value: string, at: number): number {
    const buffer = this.#buffer;
    for (let index = 0; index < value.length; index++) {
      const unit = value.charCodeAt(index);
      if (unit > 0x7f) return -1;
      buffer[at + index] = unit;
    }
    return value.length;
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
    this.#renew(needed > this.slabBytes / 2 ? needed * 2 : this.slabBytes);
    this.#buffer.set(pending);
    this.#start = 0;
    this.#position = pending.length;
  }

  #renew(bytes: number): void {
    this.#buffer = Buffer.allocUnsafeSlow(bytes);
    this.#view = viewOf(this.#buffer);
  }
}

function viewOf(buffer: Buffer): DataView {
  return new DataView(buffer.buffer, buffer.byteOffset, buffer.length);
}
