import { it } from '@jest/globals';
import fc from 'fast-check';
import { getAllChildrenNumber } from '../../../src/operations/count-children.js';
import { bytes, int } from '../../support/frames.js';
import { anyInt, anyPath } from '../support/arbitraries.js';
import { expectReads, expectWithstands, expectWrites } from '../support/codec.js';

it('writes any request', () => {
  expectWrites(getAllChildrenNumber, fc.record({ path: anyPath }), ({ path }) => bytes(path));
});

it('reads the number', () => {
  expectReads(getAllChildrenNumber, anyInt, int, (count) => count);
  expectWithstands(getAllChildrenNumber, anyInt.map(int));
});
