import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CorruptItemError, framedFormat, rawFormat } from '../../../recipes/queues/item-format.js';

const bytes = (...texts: string[]): Buffer[] => texts.map((text) => Buffer.from(text));
const fresh = { attempts: 0, id: undefined };

/** As Curator's ItemSerializer reads: it stops at the end mark. */
function readAsCurator(data: Buffer): Buffer[] {
  const values: Buffer[] = [];
  expect(data.readInt32BE(0)).toBe(0x00010001);
  for (let at = 4; ;) {
    const opCode = data.readUInt8(at++);
    if (opCode === 2) return values;
    expect(opCode).toBe(1);
    const length = data.readInt32BE(at);
    at += 4;
    values.push(data.subarray(at, at + length));
    at += length;
  }
}

describe('the format of Curator', () => {
  it.each([
    ['one value', bytes('hello'), '00010001010000000568656c6c6f02'],
    ['two values', bytes('m1', 'm2'), '0001000101000000026d3101000000026d3202'],
    ['an empty value', bytes(''), '00010001010000000002'],
    ['no value', [], '0001000102'],
  ])('has %s byte for byte', (_, values, hex) => {
    expect(framedFormat.encode({ values, ...fresh }).toString('hex')).toBe(hex);
    expect(framedFormat.decode(Buffer.from(hex, 'hex'))).toEqual({ values, ...fresh });
  });

  it('has what zookit adds behind its end', () => {
    const data = framedFormat.encode({ values: bytes('a'), attempts: 3, id: 'eb-1' });
    expect(data.toString('hex')).toBe(
      '0001000101000000016102' + Buffer.from('zkit').toString('hex') + '00000003' + '00000004' + '65622d31',
    );
  });

  it('gives back what was written, and Curator reads the same values', () => {
    const record = fc.record({
      values: fc.array(fc.uint8Array().map((each) => Buffer.from(each))),
      attempts: fc.nat(2 ** 31 - 1),
      id: fc.string({ unit: 'binary' }),
    });
    fc.assert(
      fc.property(record, (written) => {
        const data = framedFormat.encode(written);
        expect(framedFormat.decode(data)).toEqual(written);
        expect(readAsCurator(data)).toEqual(written.values);
      }),
    );
  });

  it('is read whatever stands behind its end', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (rest) => {
        const data = Buffer.concat([Buffer.from('0001000101000000016102', 'hex'), rest]);
        expect(framedFormat.decode(data)).toEqual({ values: bytes('a'), ...fresh });
      }),
    );
    for (const rest of ['7a6b6974', '7a6b6974ffffffff', '7a6b69740000000100000009', '7a6b697400000001ffffffff'])
      expect(framedFormat.decode(Buffer.from(`0001000102${rest}`, 'hex'))).toEqual({ values: [], ...fresh });
  });

  it.each([
    ['is empty', ''],
    ['ends in its version', '000100'],
    ['has another version', '0001000202'],
    ['has no end', '00010001010000000161'],
    ['has an unknown mark', '0001000103'],
    ['ends in a length', '00010001010000'],
    ['ends in a value', '000100010100000005686502'],
    ['has a value of a negative length', '0001000101ffffffff02'],
    ['has a value that is longer than memory', '00010001017fffffff02'],
  ])('is refused where it %s', (_, hex) => {
    expect(() => framedFormat.decode(Buffer.from(hex, 'hex'))).toThrow(CorruptItemError);
  });

  it('is read or refused, whatever it is', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.boolean(), (data, isFramed) => {
        const framed = Buffer.concat([Buffer.from(isFramed ? '00010001' : '', 'hex'), data]);
        try {
          framedFormat.decode(framed);
        } catch (error) {
          expect(error).toBeInstanceOf(CorruptItemError);
        }
      }),
    );
  });
});

describe('the bare format', () => {
  it('is the bytes of the value', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (data) => {
        const value = Buffer.from(data);
        expect(rawFormat.encode({ values: [value], attempts: 5, id: 'x' })).toEqual(value);
        expect(rawFormat.decode(value)).toEqual({ values: [value], ...fresh });
      }),
    );
  });
});
