import fc from 'fast-check';
import Long from 'long';
import { type Acl, allPermissions } from '../../../src/acl.js';
import { Stat } from '../../../src/stat.js';

/** Values of every field that the protocol knows. */

export const anyInt = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });

export const anyLong = fc
  .bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
  .map((value) => Long.fromString(value.toString()));

/** Text that UTF-8 can hold: no lone surrogate. */
export const anyText = fc.string({ unit: 'binary', maxLength: 40 });

export const anyPath = fc
  .array(fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 12 }), { maxLength: 4 })
  .map((parts) => `/${parts.join('/')}`);

export const anyBytes = fc.uint8Array({ maxLength: 200 }).map((content) => Buffer.from(content));

export const anyData = fc.oneof(anyText, anyBytes, fc.constant(null));

export const anyAcl: fc.Arbitrary<Acl> = fc.record({
  scheme: anyText,
  id: anyText,
  permissions: fc.subarray([...allPermissions]),
});

const anyTime = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });

export const anyStat = fc
  .tuple(anyLong, anyLong, anyTime, anyTime, anyInt, anyInt, anyInt, anyLong, anyInt, anyInt, anyLong)
  .map((fields) => new Stat(...fields));
