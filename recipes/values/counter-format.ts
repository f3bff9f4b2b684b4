import { InvalidArgumentError, Long } from 'zookit';
import type { OptionSubject } from '../common/options.js';

/** How the number of a counter is written into its znode. */
export interface Format {
  readonly write: (value: bigint) => Buffer;
  /** Undefined: the data are no number of this format. */
  readonly read: (data: Buffer) => bigint | undefined;
  readonly fits: (value: bigint) => boolean;
  /** For errors: what is right. */
  readonly data: string;
  readonly range: string;
}

/** The layouts of Curator and kazoo. */
export const formats = {
  /** Curator's DistributedAtomicLong and CachedAtomicLong. */
  int64: binary(8),
  /** Curator's DistributedAtomicInteger and SharedCount; kazoo's Counter with `support_curator`. */
  int32: binary(4),
  /** kazoo's Counter. */
  text: {
    write: (value) => Buffer.from(value.toString()),
    read: (data) => {
      const text = data.toString('latin1').trim();
      return /^[+-]?\d+$/.test(text) ? BigInt(text.replace(/^\+/, '')) : undefined;
    },
    fits: () => true,
    data: 'decimal digits',
    range: 'unbounded',
  },
} as const satisfies Record<string, Format>;

export type CounterFormat = keyof typeof formats;

/** A signed number, big endian. */
function binary(bytes: 4 | 8): Format {
  const bits = bytes * 8;
  return {
    write: (value) => {
      const data = Buffer.alloc(8);
      data.writeBigInt64BE(value);
      return data.subarray(8 - bytes);
    },
    read: (data) => {
      if (data.length !== bytes) return undefined;
      return bytes === 8 ? data.readBigInt64BE() : BigInt(data.readInt32BE());
    },
    fits: (value) => BigInt.asIntN(bits, value) === value,
    data: `${bytes} bytes`,
    range: `a signed number of ${bits} bits`,
  };
}

/** The types in which a counter can give its numbers. */
export interface CounterNumbers {
  readonly number: number;
  readonly bigint: bigint;
  readonly long: Long;
}

/** A whole number, in any type. */
export type CounterInput = number | bigint | Long;

/** Gives a number in a type; undefined where it does not fit. */
export const outputs: { readonly [As in keyof CounterNumbers]: (value: bigint) => CounterNumbers[As] | undefined } = {
  number: (value) => {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : undefined;
  },
  bigint: (value) => value,
  long: (value) => (formats.int64.fits(value) ? Long.fromString(value.toString()) : undefined),
};

/** The number that a caller has handed in; undefined if it is no whole one that is exact. */
export function inputOf(value: CounterInput): bigint | undefined {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : undefined;
  return Long.isLong(value) ? BigInt(value.toString()) : undefined;
}

/** Refuses a word that is not among the names of a table. */
export function checkOneOf(name: string, value: string, known: object, subject: OptionSubject): void {
  if (Object.hasOwn(known, value)) return;
  const all = Object.keys(known).map((each) => JSON.stringify(each));
  throw new InvalidArgumentError(`${name} is ${JSON.stringify(value)}; it must be ${all.join(' or ')}`, subject);
}
