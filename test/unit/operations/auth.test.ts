import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { auth, type Identity, whoAmI } from '../../../src/operations/auth.js';
import { bytes, int } from '../../support/frames.js';
import { anyBytes, anyText } from '../support/arbitraries.js';
import { expectReads, expectWithstands, expectWrites, written } from '../support/codec.js';
import { vector } from '../support/reference.js';

function identitiesBytes(identities: readonly Identity[]): Buffer {
  return vector(identities.map(({ scheme, id }) => Buffer.concat([bytes(scheme), bytes(id)])));
}

it('writes any credentials', () => {
  expectWrites(auth, fc.record({ scheme: anyText, auth: anyBytes }), (request) =>
    Buffer.concat([int(0), bytes(request.scheme), bytes(request.auth)]),
  );
});

it('asks for the identities with the bare header', () => {
  expect(written(whoAmI, { path: '/' })).toEqual(Buffer.alloc(0));
});

it('reads the identities', () => {
  const replies = fc.array(fc.record({ scheme: anyText, id: anyText }), { maxLength: 5 });
  expectReads(whoAmI, replies, identitiesBytes, (identities) => identities);
  expectWithstands(whoAmI, replies.map(identitiesBytes));
});
