import { ZooKeeperError } from 'zookit';

/** The data of an item are not what a queue writes, or its serializer cannot read them. */
export class CorruptItemError extends ZooKeeperError {
  readonly code = 'CORRUPT_ITEM';
}

/** What the znode of an item holds. */
export interface ItemRecord {
  /** The values as bytes: one, as a rule. */
  readonly values: readonly Uint8Array[];
  /** How often it was handed out before, as far as that was written down. */
  readonly attempts: number;
  /** Its id, if it was given one before: it stays when the item gets another name. */
  readonly id: string | undefined;
}

/** How the znode of an item holds its values. */
export interface ItemFormat {
  /** Whether there is room for several values, and for how often they were handed out. */
  readonly framed: boolean;
  encode(record: ItemRecord): Buffer;
  /** @throws CorruptItemError. */
  decode(data: Buffer): ItemRecord;
}

/** Curator's: a version, each value behind its length, an end. */
const VERSION = 0x00010001;
const VALUE = 0x01;
const END = 0x02;

/** Begins what zookit adds behind the end, where Curator reads no further: "zkit". */
const ADDED = 0x7a6b6974;

/**
 * Curator's format: `00010001`, for each value `01`, its length and its bytes, then `02`. An item that was handed out
 * before carries behind that, where Curator does not look: "zkit", the number of attempts, the length of its id, the id.
 */
export const framedFormat: ItemFormat = {
  framed: true,
  encode({ values, attempts, id }) {
    const size = values.reduce((sum, { length }) => sum + 5 + length, 5);
    const added = id === undefined ? [] : [addition(attempts, id)];
    const framed = Buffer.allocUnsafe(size);
    let at = framed.writeInt32BE(VERSION, 0);
    for (const value of values) {
      at = framed.writeUInt8(VALUE, at);
      at = framed.writeInt32BE(value.length, at);
      framed.set(value, at);
      at += value.length;
    }
    framed.writeUInt8(END, at);
    return Buffer.concat([framed, ...added]);
  },
  decode(data) {
    const reader = new FrameReader(data);
    const version = reader.int();
    if (version !== VERSION) throw new CorruptItemError(`its version is ${version}; it must be ${VERSION}`);
    const values: Buffer[] = [];
    for (;;) {
      const opCode = reader.byte();
      if (opCode === END) return { values, ...readAddition(reader) };
      if (opCode !== VALUE) throw new CorruptItemError(`there is ${opCode} where ${VALUE} or ${END} must be`);
      values.push(reader.bytes());
    }
  },
};

/** The bytes of the one value, and nothing else: that of SimpleDistributedQueue and of kazoo. */
export const rawFormat: ItemFormat = {
  framed: false,
  encode: ({ values }) => Buffer.concat(values),
  decode: (data) => ({ values: [data], attempts: 0, id: undefined }),
};

function addition(attempts: number, id: string): Buffer {
  const head = Buffer.allocUnsafe(12);
  head.writeInt32BE(ADDED, 0);
  head.writeInt32BE(attempts, 4);
  const idBytes = Buffer.from(id);
  head.writeInt32BE(idBytes.length, 8);
  return Buffer.concat([head, idBytes]);
}

/** What others have put there is nothing to us. */
function readAddition(reader: FrameReader): Pick<ItemRecord, 'attempts' | 'id'> {
  try {
    if (reader.int() === ADDED) {
      const attempts = reader.int();
      if (attempts >= 0) return { attempts, id: reader.bytes().toString() };
    }
  } catch (error) {
    if (!(error instanceof CorruptItemError)) throw error;
  }
  return { attempts: 0, id: undefined };
}

class FrameReader {
  #at = 0;

  constructor(private readonly data: Buffer) {}

  byte(): number {
    return this.data.readUInt8(this.#advance(1));
  }

  int(): number {
    return this.data.readInt32BE(this.#advance(4));
  }

  /** A length, and so many bytes. */
  bytes(): Buffer {
    const length = this.int();
    if (length < 0) throw new CorruptItemError(`a value has the length ${length}`);
    const begin = this.#advance(length);
    return this.data.subarray(begin, begin + length);
  }

  #advance(length: number): number {
    const begin = this.#at;
    if (begin + length > this.data.length)
      throw new CorruptItemError(`it ends after ${this.data.length} bytes, in the middle of a value`);
    this.#at += length;
    return begin;
  }
}
