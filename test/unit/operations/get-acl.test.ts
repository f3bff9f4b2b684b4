import { it } from '@jest/globals';
import fc from 'fast-check';
import { type Acl, permissionBits } from '../../../src/acl.js';
import { getAcl } from '../../../src/operations/get-acl.js';
import type { Stat } from '../../../src/stat.js';
import { bytes, int } from '../../support/frames.js';
import { anyAcl, anyPath, anyStat } from '../support/arbitraries.js';
import { expectReads, expectWithstands, expectWrites } from '../support/codec.js';
import { statBytes, vector } from '../support/reference.js';

const anyReply = fc.record({ acl: fc.array(anyAcl, { maxLength: 5 }), stat: anyStat });

function replyBytes({ acl, stat }: { readonly acl: readonly Acl[]; readonly stat: Stat }): Buffer {
  const entries = acl.map(({ permissions, scheme, id }) =>
    Buffer.concat([int(permissionBits(permissions)), bytes(scheme), bytes(id)]),
  );
  return Buffer.concat([vector(entries), statBytes(stat)]);
}

it('writes any request', () => {
  expectWrites(getAcl, fc.record({ path: anyPath }), ({ path }) => bytes(path));
});

it('reads the entries and the stat', () => {
  expectReads(getAcl, anyReply, replyBytes, (reply) => reply);
  expectWithstands(getAcl, anyReply.map(replyBytes));
});
