import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { inOrder, placeIn } from '../../../recipes/common/line-order.js';

const markers = ['lock-', '__lock__'];
const uuid = '3f1d1e2c-5b7a-4c6e-9d0f-112233445566';

describe('inOrder', () => {
  it('L1: orders by distance where the counter has wrapped, whatever stands before the number', () => {
    const wrapped = [
      `_c_${uuid}-lock-2147483646`,
      'f00dlock-2147483647',
      'lock--2147483648',
      '00ff__lock__-2147483647',
      `_c_${uuid}-lock--2147483646`,
    ];
    fc.assert(
      fc.property(fc.shuffledSubarray(wrapped), (names) => {
        expect(inOrder(names, markers)).toEqual(wrapped.filter((name) => names.includes(name)));
      }),
    );
  });

  it('orders by number, not by text, where the counter goes from negative to positive', () => {
    const names = ['lock-0000000001', 'lock--000000001', 'lock-0000000000', 'lock--000000002'];
    expect(inOrder(names, markers)).toEqual([
      'lock--000000002',
      'lock--000000001',
      'lock-0000000000',
      'lock-0000000001',
    ]);
  });

  it('L4: passes over foreign children', () => {
    const foreign = ['foo', 'lock-', 'x--1', 'lock-00000000010', 'lock-123', 'clock', '', 'lock-99999999999'];
    const others = ['__READ__0000000001', 'latch-0000000001', 'lock-0000000001-x', 'lock-4294967296'];
    expect(inOrder([...foreign, ...others], markers)).toEqual([]);
    expect(inOrder([...foreign, 'lock-0000000002', ...others, 'lock-0000000001'], markers)).toEqual([
      'lock-0000000001',
      'lock-0000000002',
    ]);
  });

  it('never throws, and gives nothing but what it was given', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (names) => {
        for (const name of inOrder(names, markers)) expect(names).toContain(name);
      }),
    );
  });

  it('agrees with everybody else where two numbers are equal', () => {
    const equal = ['b-lock-0000000007', 'a-lock-0000000007', 'c__lock__0000000007'];
    expect(inOrder(equal, markers)).toEqual([...equal].sort());
    expect(inOrder([...equal].reverse(), markers)).toEqual([...equal].sort());
  });
});

describe('placeIn', () => {
  it('agrees with the order, wherever the counter stands', () => {
    const names = fc.uniqueArray(fc.integer({ min: 0, max: 30 }), { minLength: 1 });
    fc.assert(
      fc.property(names, fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), fc.nat(), (offsets, start, pick) => {
        const line = offsets.map((offset) => {
          const sequence = (start + (offset >> 1)) | 0;
          const digits = `${sequence < 0 ? '-' : ''}${String(Math.abs(sequence)).padStart(sequence < 0 ? 9 : 10, '0')}`;
          return `${offset % 2 === 0 ? `_c_${uuid}-lock-` : '00ff__lock__'}${digits}`;
        });
        const own = line[pick % line.length] ?? '';
        const order = inOrder([...line, 'foo'], markers);
        const before = order.indexOf(own);
        expect(placeIn([...line, 'foo'], markers, own)).toEqual({ before, predecessor: order[before - 1] });
      }),
    );
  });

  it('knows no place of who is not there, or does not count', () => {
    expect(placeIn(['lock-0000000001'], markers, 'lock-0000000002')).toBeUndefined();
    expect(placeIn(['foo'], markers, 'foo')).toBeUndefined();
  });
});
