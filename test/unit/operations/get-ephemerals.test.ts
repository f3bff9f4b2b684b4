import { it } from '@jest/globals';
import fc from 'fast-check';
import { getEphemerals } from '../../../src/operations/get-ephemerals.js';
import { bytes } from '../../support/frames.js';
import { anyPath } from '../support/arbitraries.js';
import { expectReads, expectWithstands, expectWrites } from '../support/codec.js';
import { vector } from '../support/reference.js';

const anyPaths = fc.array(anyPath, { maxLength: 10 });

function pathsBytes(paths: readonly string[]): Buffer {
  return vector(paths.map(bytes));
}

it('writes any request', () => {
  expectWrites(getEphemerals, fc.record({ path: anyPath }), ({ path }) => bytes(path));
});

it('reads the paths', () => {
  expectReads(getEphemerals, anyPaths, pathsBytes, (paths) => paths);
  expectWithstands(getEphemerals, anyPaths.map(pathsBytes));
});
