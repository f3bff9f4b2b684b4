import { it } from '@jest/globals';
import fc from 'fast-check';
import { sync } from '../../../src/operations/sync.js';
import { bytes } from '../../support/frames.js';
import { anyPath } from '../support/arbitraries.js';
import { expectReads, expectWithstands, expectWrites } from '../support/codec.js';

it('writes any request', () => {
  expectWrites(sync, fc.record({ path: anyPath }), ({ path }) => bytes(path));
});

it('reads the path that comes back', () => {
  expectReads(sync, anyPath, bytes, (path) => path);
  expectWithstands(sync, anyPath.map(bytes));
});
