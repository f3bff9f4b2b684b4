import { describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { ProtocolError } from '../../../src/errors.js';
import { JuteReader } from '../../../src/protocol/jute-reader.js';
import { bytes, fromHex, int, long } from '../../support/frames.js';
import { anyBytes, anyInt, anyLong, anyText } from '../support/arbitraries.js';
import { resultOrProtocolError } from '../support/codec.js';
import { bool, longOf } from '../support/reference.js';

function readerOf(...parts: Buffer[]): JuteReader {
  return new JuteReader(Buffer.concat(parts));
}

describe('every type of jute', () => {
  it('reads any int', () => {
    fc.assert(fc.property(anyInt, (value) => expect(readerOf(int(value)).int()).toBe(value)));
  });

  it('reads any long', () => {
    fc.assert(fc.property(anyLong, (value) => expect(readerOf(longOf(value)).long()).toEqual(value)));
  });

  it('reads any time as a number', () => {
    fc.assert(fc.property(fc.maxSafeInteger(), (value) => expect(readerOf(long(value)).time()).toBe(value)));
  });

  it('takes any byte but 0 for true', () => {
    expect(readerOf(Buffer.from([0])).boolean()).toBe(false);
    expect(readerOf(Buffer.from([1])).boolean()).toBe(true);
    expect(readerOf(Buffer.from([0x80])).boolean()).toBe(true);
  });

  it('reads any buffer', () => {
    fc.assert(fc.property(anyBytes, (value) => expect(readerOf(bytes(value)).buffer()).toEqual(value)));
  });

  it('reads any string', () => {
    fc.assert(fc.property(anyText, (value) => expect(readerOf(bytes(value)).ustring()).toBe(value)));
  });

  it('keeps null and empty apart', () => {
    expect(readerOf(int(-1)).buffer()).toBeNull();
    expect(readerOf(int(0)).buffer()).toEqual(Buffer.alloc(0));
    expect(readerOf(int(-1)).ustring()).toBeNull();
    expect(readerOf(int(0)).ustring()).toBe('');
  });

  it('takes a null string and a null vector for empty ones where null is not expected', () => {
    expect(readerOf(int(-1)).string()).toBe('');
    expect(readerOf(int(-1)).vector(4, (reader) => reader.int())).toEqual([]);
  });

  it('reads any vector', () => {
    fc.assert(
      fc.property(fc.array(anyInt), (values) => {
        const reader = readerOf(int(values.length), ...values.map(int));
        expect(reader.vector(4, (each) => each.int())).toEqual(values);
      }),
    );
  });

  it('reads any vector of strings as string by string, whatever the bytes', () => {
    const element = fc.oneof(
      anyBytes.map(bytes),
      anyText.map((text) => bytes(text)),
      // Longer than a stretch that is decoded at once, and with a length that is no ASCII.
      fc.integer({ min: 100, max: 3_000 }).map((length) => bytes('x'.repeat(length))),
      fc.constant(int(-1)),
    );
    fc.assert(
      fc.property(fc.array(element, { maxLength: 200 }), (elements) => {
        const all = [int(elements.length), ...elements, int(7)];
        const byOne = readerOf(...all).vector(4, (each) => each.string());
        const reader = readerOf(...all);
        expect(reader.strings()).toEqual(byOne);
        expect(reader.int()).toBe(7);
      }),
    );
  });

  it('refuses a vector of strings that does not fit its frame', () => {
    expect(readerOf(int(-1)).strings()).toEqual([]);
    expect(() => readerOf(int(-2)).strings()).toThrow(ProtocolError);
    expect(() => readerOf(int(1_000_000), int(0)).strings()).toThrow(ProtocolError);
    expect(() => readerOf(int(2), bytes('a'), int(5)).strings()).toThrow(ProtocolError);
    expect(() => readerOf(int(1), int(-2)).strings()).toThrow(ProtocolError);
  });

  it('puts U+FFFD in place of bytes that are no UTF-8', () => {
    expect(readerOf(fromHex('00000003 61ff62')).ustring()).toBe('a\uFFFDb');
  });
});

describe('what does not fit is refused', () => {
  it.each<[string, Buffer, (reader: JuteReader) => unknown, string]>([
    ['an int', fromHex('000000'), (reader) => reader.int(), '4 bytes were expected where the frame has 3 left'],
    ['a long', int(0), (reader) => reader.long(), '8 bytes were expected where the frame has 4 left'],
    ['a time', int(0), (reader) => reader.time(), '8 bytes were expected where the frame has 4 left'],
    ['a boolean', Buffer.alloc(0), (reader) => reader.boolean(), '1 bytes were expected where the frame has 0 left'],
    ['a buffer', int(5), (reader) => reader.buffer(), '5 bytes were expected where the frame has 0 left'],
    ['a string', int(5), (reader) => reader.ustring(), '5 bytes were expected where the frame has 0 left'],
    ['a negative buffer', int(-2), (reader) => reader.buffer(), 'a buffer has the length -2'],
    ['a negative string', int(-(2 ** 31)), (reader) => reader.ustring(), 'a string has the length -2147483648'],
    [
      'a vector',
      fromHex('00000002 00000000'),
      (reader) => reader.vector(4, (each) => each.int()),
      'a vector of 2 elements does not fit the 4 bytes left of the frame',
    ],
    [
      'a negative vector',
      int(-2),
      (reader) => reader.vector(4, (each) => each.int()),
      'a vector of -2 elements does not fit the 0 bytes left of the frame',
    ],
  ])('%s', (_, content, read, message) => {
    expect(() => read(new JuteReader(content))).toThrow(new ProtocolError(message));
  });

  it('reads nothing of the next frame in the same chunk', () => {
    const reader = new JuteReader(Buffer.concat([int(1), int(2)]), 0, 4);
    expect(reader.int()).toBe(1);
    expect(() => reader.int()).toThrow(ProtocolError);
  });

  it('allocates nothing for a buffer of 2 GiB that is not there', () => {
    const reader = readerOf(int(2 ** 31 - 1), Buffer.alloc(64));
    const allocate = jest.spyOn(Buffer, 'allocUnsafe');
    expect(() => reader.buffer()).toThrow(ProtocolError);
    expect(allocate).not.toHaveBeenCalled();
    allocate.mockRestore();
  });

  it('reads no element of a vector of 2^31-1 elements that are not there', () => {
    const readElement = jest.fn();
    expect(() => readerOf(int(2 ** 31 - 1), Buffer.alloc(64)).vector(1, readElement)).toThrow(ProtocolError);
    expect(readElement).not.toHaveBeenCalled();
  });

  it('throws nothing but ProtocolError, and stays within the frame, whatever is read from whatever bytes', () => {
    const reads: Record<string, (reader: JuteReader) => unknown> = {
      int: (reader) => reader.int(),
      long: (reader) => reader.long(),
      time: (reader) => reader.time(),
      boolean: (reader) => reader.boolean(),
      buffer: (reader) => reader.buffer(),
      ustring: (reader) => reader.ustring(),
      vector: (reader) => reader.vector(4, (each) => each.string()),
    };
    const names = fc.array(fc.constantFrom(...Object.keys(reads)), { maxLength: 20 });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), names, (content, fields) => {
        const reader = new JuteReader(Buffer.from(content));
        resultOrProtocolError(() => fields.map((name) => reads[name]?.(reader)));
        expect(reader.remaining).toBeGreaterThanOrEqual(0);
        expect(reader.remaining).toBeLessThanOrEqual(content.length);
      }),
    );
  });
});

describe('the bytes that are handed out', () => {
  it('do not keep a chunk alive of which they are a small part', () => {
    const chunk = Buffer.concat([bytes('data'), Buffer.alloc(100)]);
    const data = new JuteReader(chunk).buffer();
    chunk.fill(0);
    expect(data?.toString()).toBe('data');
  });

  it('are not copied where they are most of the chunk', () => {
    const chunk = bytes('x'.repeat(1_000));
    expect(new JuteReader(chunk).buffer()?.buffer).toBe(chunk.buffer);
  });

  it('are read at the right place of a chunk that is a slice of a larger one', () => {
    const whole = Buffer.concat([int(99), int(7), bool(true), long(8)]);
    const reader = new JuteReader(whole.subarray(4));
    expect([reader.int(), reader.boolean(), reader.long().toNumber()]).toEqual([7, true, 8]);
  });

  it('come from the frame that the reader was moved on to', () => {
    const reader = new JuteReader(Buffer.concat([int(1), int(2), int(3)]), 0, 4);
    reader.window(8, 12);
    expect(reader.int()).toBe(3);
    expect(reader.remaining).toBe(0);
  });
});
