import { it } from '@jest/globals';
import fc from 'fast-check';
import { setData } from '../../../src/operations/set-data.js';
import { bytes, int } from '../../support/frames.js';
import { anyData, anyInt, anyPath, anyStat } from '../support/arbitraries.js';
import { expectReads, expectWithstands, expectWrites } from '../support/codec.js';
import { statBytes } from '../support/reference.js';

it('writes any request', () => {
  const requests = fc.record({ path: anyPath, data: anyData, version: anyInt });
  expectWrites(setData, requests, ({ path, data, version }) => Buffer.concat([bytes(path), bytes(data), int(version)]));
});

it('reads the stat', () => {
  expectReads(setData, anyStat, statBytes, (stat) => stat);
  expectWithstands(setData, anyStat.map(statBytes));
});
