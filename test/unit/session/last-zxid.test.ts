import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import Long from 'long';
import { LastZxid } from '../../../src/session/last-zxid.js';
import { anyLong } from '../support/arbitraries.js';

function seen(...zxids: Long[]): Long {
  const last = new LastZxid();
  for (const { high, low } of zxids) last.see(high, low);
  return last.value;
}

it('is 0 at first', () => {
  expect(seen()).toEqual(Long.ZERO);
});

it('is the highest that was seen; those below 1 stand for none', () => {
  fc.assert(
    fc.property(fc.array(anyLong), (zxids) => {
      const highest = zxids.reduce((max, each) => (each.greaterThan(max) ? each : max), Long.ZERO);
      expect(seen(...zxids)).toEqual(highest);
    }),
  );
});

it('compares the lower half without a sign', () => {
  const below = Long.fromBits(0x7fffffff, 1);
  const above = Long.fromBits(0x80000000 | 0, 1);
  expect(seen(below, above)).toEqual(above);
  expect(seen(above, below)).toEqual(above);
});

it('can be forgotten', () => {
  const last = new LastZxid();
  last.see(1, 1);
  last.forget();
  expect(last.value).toEqual(Long.ZERO);
  last.see(0, 5);
  expect(last.value).toEqual(Long.fromNumber(5));
});
