import { it } from '@jest/globals';
import fc from 'fast-check';
import { permissionBits } from '../../../src/acl.js';
import { setAcl } from '../../../src/operations/set-acl.js';
import { bytes, int } from '../../support/frames.js';
import { anyAcl, anyInt, anyPath, anyStat } from '../support/arbitraries.js';
import { expectReads, expectWithstands, expectWrites } from '../support/codec.js';
import { statBytes, vector } from '../support/reference.js';

it('writes any request', () => {
  const requests = fc.record({ path: anyPath, acl: fc.array(anyAcl, { maxLength: 4 }), version: anyInt });
  expectWrites(setAcl, requests, ({ path, acl, version }) => {
    const entries = acl.map((each) =>
      Buffer.concat([int(permissionBits(each.permissions)), bytes(each.scheme), bytes(each.id)]),
    );
    return Buffer.concat([bytes(path), vector(entries), int(version)]);
  });
});

it('reads the stat', () => {
  expectReads(setAcl, anyStat, statBytes, (stat) => stat);
  expectWithstands(setAcl, anyStat.map(statBytes));
});
