import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { exists } from '../../../src/operations/exists.js';
import { bytes } from '../../support/frames.js';
import { anyPath, anyStat } from '../support/arbitraries.js';
import { expectReads, expectWithstands, expectWrites } from '../support/codec.js';
import { bool, statBytes } from '../support/reference.js';

it('writes any request', () => {
  expectWrites(exists, fc.record({ path: anyPath, watch: fc.boolean() }), ({ path, watch }) =>
    Buffer.concat([bytes(path), bool(watch)]),
  );
});

it('reads the stat', () => {
  expectReads(exists, anyStat, statBytes, (stat) => stat);
  expectWithstands(exists, anyStat.map(statBytes));
});

it('has null for an answer where there is no znode', () => {
  expect(exists.missing).toBeNull();
});
