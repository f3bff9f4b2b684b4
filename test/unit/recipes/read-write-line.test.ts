import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  holds,
  joinable,
  readersAndWriters,
  readerWithNumberOf,
  readRule,
  writeRule,
} from '../../../recipes/locks/read-write-line.js';

const uuid = '3f1d1e2c-5b7a-4c6e-9d0f-112233445566';
const reader = (number: string, prefix = ''): string => `_c_${uuid}-${prefix}__READ__${number}`;
const writer = (number: string): string => `_c_${uuid}-__WRIT__${number}`;
const digits = (sequence: number): string =>
  `${sequence < 0 ? '-' : ''}${String(Math.abs(sequence)).padStart(sequence < 0 ? 9 : 10, '0')}`;

describe('readersAndWriters', () => {
  it('orders by distance over the wrap, and knows who is who', () => {
    const line = [reader('2147483647'), writer('-2147483648'), reader('-2147483647')];
    expect(readersAndWriters([...line].reverse())).toEqual([
      { name: line[0], kind: 'read', sequence: 2147483647 },
      { name: line[1], kind: 'write', sequence: -2147483648 },
      { name: line[2], kind: 'read', sequence: -2147483647 },
    ]);
  });

  it('puts the writer before those who have its number', () => {
    const names = [reader('0000000003'), writer('0000000003'), `a__READ__0000000003`];
    expect(readersAndWriters(names).map(({ name }) => name)).toEqual([names[1], names[0], names[2]]);
  });

  it('L4: passes over foreign children', () => {
    expect(readersAndWriters(['foo', '__READ__', '__WRIT__12', 'lock-0000000001', '__WRIT__99999999999'])).toEqual([]);
  });
});

describe('the rules', () => {
  const line = [reader('0000000001'), writer('0000000002'), reader('0000000003'), reader('0000000004')];

  it('a writer has everybody in its way who has a lower number', () => {
    expect(writeRule.placeOf(line, line[1]!)).toEqual({ before: 1, predecessor: line[0] });
    const last = writer('0000000005');
    expect(writeRule.placeOf([...line, last], last)).toEqual({ before: 4, predecessor: line[3] });
  });

  it('a reader has the writers in its way, and watches the nearest', () => {
    expect(readRule.placeOf(line, line[0]!)).toEqual({ before: 0, predecessor: undefined });
    expect(readRule.placeOf(line, line[3]!)).toEqual({ before: 1, predecessor: line[1] });
    const last = reader('0000000006');
    const second = writer('0000000005');
    expect(readRule.placeOf([second, ...line, last], last)).toEqual({ before: 2, predecessor: second });
  });

  it('who has the same number is in nobody’s way', () => {
    const names = [writer('0000000002'), reader('0000000002')];
    for (const name of names) expect(writeRule.placeOf(names, name)?.before).toBe(0);
  });

  it('nobody has a place who is not there, or is none of both', () => {
    expect(readRule.placeOf(line, reader('0000000009'))).toBeUndefined();
    expect(writeRule.placeOf(['foo'], 'foo')).toBeUndefined();
  });

  it('let one writer in or any number of readers, never both, wherever the counter stands', () => {
    const kinds = fc.array(fc.boolean(), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(kinds, fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), (writes, start) => {
        const names = writes.map((isWrite, index) => {
          const number = digits((start + index) | 0);
          return isWrite ? writer(number) : reader(number);
        });
        const rules = { read: readRule, write: writeRule };
        const all = readersAndWriters(names);
        const inside = all.filter(({ name, kind }) => rules[kind].placeOf(names, name)?.before === 0);
        expect(inside.length).toBeGreaterThan(0);
        expect(inside.some(({ kind }) => kind === 'write') && inside.length > 1).toBe(false);
        expect(all.filter((each) => holds(each, all))).toEqual(inside);
      }),
    );
  });
});

describe('joinable', () => {
  const waiting = writer('0000000005');

  it('is the last reader before the first writer', () => {
    const line = [reader('0000000001'), reader('0000000002'), waiting, reader('0000000006'), writer('0000000007')];
    expect(joinable(line)?.name).toBe(line[1]);
  });

  it('is nobody where no writer waits, where one writes, and behind it', () => {
    expect(joinable([])).toBeUndefined();
    expect(joinable([reader('0000000001')])).toBeUndefined();
    expect(joinable([waiting])).toBeUndefined();
    expect(joinable([waiting, reader('0000000006')])).toBeUndefined();
  });

  it('is no reader that has joined another one: so writers get in', () => {
    expect(joinable([reader('0000000001', 'joined-'), waiting])).toBeUndefined();
    const line = [reader('0000000001'), reader('0000000002', 'joined-'), waiting];
    expect(joinable(line)?.name).toBe(line[0]);
  });

  it('is no reader that has the number of a writer which still writes', () => {
    expect(joinable([reader('0000000005'), waiting, writer('0000000007')])).toBeUndefined();
    expect(joinable([reader('0000000005'), writer('0000000007')])?.name).toBe(reader('0000000005'));
  });
});

it('a reader takes the number of another one as it is written', () => {
  expect(readerWithNumberOf(writer('0000000007'), 'id', false)).toBe('_c_id-__READ__0000000007');
  expect(readerWithNumberOf(reader('-2147483648'), 'id', true)).toBe('_c_id-joined-__READ__-2147483648');
});
