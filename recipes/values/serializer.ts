import { InvalidArgumentError, type ZNode } from 'zookit';
import type { OptionSubject } from '../common/options.js';
import { InvalidValueError } from './errors.js';

/** How values are written into znodes, and read. What it throws while reading makes the data invalid. */
export interface Serializer<T> {
  readonly serialize: (value: T) => Uint8Array;
  readonly deserialize: (data: Buffer) => T;
}

const INT32_BYTES = 4;
const INT64_BYTES = 8;

/** Ready-made serializers. */
export const serializers = {
  /** JSON, of any type that the caller says. */
  json: <T>(): Serializer<T> => ({
    serialize: (value) => Buffer.from(JSON.stringify(value)),
    deserialize: (data) => JSON.parse(data.toString('utf8')) as T,
  }),

  /** UTF-8. */
  text: {
    serialize: (value) => Buffer.from(value),
    deserialize: (data) => data.toString('utf8'),
  } satisfies Serializer<string>,

  /** The bytes as they are. */
  bytes: {
    serialize: (value) => value,
    deserialize: (data) => data,
  } satisfies Serializer<Uint8Array> as Serializer<Uint8Array>,

  /** Four bytes, big endian: Curator's SharedCount and DistributedAtomicInteger. */
  int32: {
    serialize: (value) => {
      const data = Buffer.alloc(INT32_BYTES);
      data.writeInt32BE(value);
      return data;
    },
    deserialize: (data) => {
      checkLength(data, INT32_BYTES);
      return data.readInt32BE();
    },
  } satisfies Serializer<number>,

  /** Eight bytes, big endian: Curator's DistributedAtomicLong. */
  int64: {
    serialize: (value) => {
      const data = Buffer.alloc(INT64_BYTES);
      data.writeBigInt64BE(value);
      return data;
    },
    deserialize: (data) => {
      checkLength(data, INT64_BYTES);
      return data.readBigInt64BE();
    },
  } satisfies Serializer<bigint>,
} as const;

function checkLength({ length }: Buffer, expected: number): void {
  if (length !== expected) throw new RangeError(`there are ${length} bytes; it must be ${expected}`);
}

/** Refuses what is no serializer. */
export function checkSerializer(serializer: Record<keyof Serializer<unknown>, unknown>, subject: OptionSubject): void {
  for (const name of ['serialize', 'deserialize'] as const) {
    if (typeof serializer[name] !== 'function')
      throw new InvalidArgumentError(`the serializer has no function ${name}`, subject);
  }
}

/** The value in a znode. @throws InvalidValueError. */
export function deserialized<T>({ deserialize }: Serializer<T>, node: ZNode, subject: OptionSubject): T {
  try {
    return deserialize(node.data);
  } catch (cause) {
    throw new InvalidValueError('the data are no value of this kind', { ...subject, cause });
  }
}
