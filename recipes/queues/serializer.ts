import { InvalidArgumentError } from 'zookit';

/** Turns the values of a queue into bytes, and back (Curator: QueueSerializer). */
export interface QueueSerializer<T> {
  /** Text is written as UTF-8. What it throws is what the put rejects with. */
  serialize(value: T): string | Uint8Array;
  /** What it throws makes the item a dead letter. */
  deserialize(bytes: Buffer): T;
}

/** Ready-made serializers. */
export const queueSerializers = {
  /** The default: JSON. Throws InvalidArgumentError at what JSON does not know, such as `undefined`. */
  json<T = unknown>(): QueueSerializer<T> {
    return {
      serialize(value) {
        const text: unknown = JSON.stringify(value);
        if (typeof text === 'string') return text;
        throw new InvalidArgumentError(`${typeof value} is nothing that JSON knows`, { operation: 'serialize' });
      },
      deserialize: (bytes) => JSON.parse(bytes.toString()) as T,
    };
  },

  /** Text, as UTF-8. */
  text: {
    serialize: (value) => value,
    deserialize: (bytes) => bytes.toString(),
  } satisfies QueueSerializer<string> as QueueSerializer<string>,

  /** Bytes, as they are. They come back as a Buffer. */
  bytes: {
    serialize: (value) => value,
    deserialize: (bytes) => bytes,
  } satisfies QueueSerializer<Uint8Array> as QueueSerializer<Uint8Array>,
} as const;

/** The bytes of a value. @throws what the serializer throws; InvalidArgumentError if it gives no bytes. */
export function serialized<T>(serializer: QueueSerializer<T>, value: T, operation: string, path: string): Uint8Array {
  const bytes: unknown = serializer.serialize(value);
  if (typeof bytes === 'string') return Buffer.from(bytes);
  if (bytes instanceof Uint8Array) return bytes;
  const problem = `the serializer gave ${typeof bytes}; it must give a string or bytes`;
  throw new InvalidArgumentError(problem, { operation, path });
}
