import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { deleteNode } from '../../../src/operations/delete.js';
import { bytes, int } from '../../support/frames.js';
import { anyInt, anyPath } from '../support/arbitraries.js';
import { expectWrites, readReply } from '../support/codec.js';

it('writes any request', () => {
  expectWrites(deleteNode, fc.record({ path: anyPath, version: anyInt }), ({ path, version }) =>
    Buffer.concat([bytes(path), int(version)]),
  );
});

it('answers with nothing', () => {
  expect(readReply(deleteNode, Buffer.alloc(0)).result).toBeUndefined();
});
