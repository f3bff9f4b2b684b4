import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import Long from 'long';
import { permissionBits } from '../../../src/acl.js';
import {
  create,
  create2,
  createContainer,
  createFlags,
  type CreateMode,
  type CreateRequest,
  createTtl,
  isSequential,
} from '../../../src/operations/create.js';
import type { Stat } from '../../../src/stat.js';
import { bytes, int } from '../../support/frames.js';
import { anyAcl, anyData, anyInt, anyLong, anyPath, anyStat } from '../support/arbitraries.js';
import { expectReads, expectWithstands, expectWrites, REPLY_ZXID } from '../support/codec.js';
import { longOf, statBytes, vector } from '../support/reference.js';

const fields = { path: anyPath, data: anyData, acl: fc.array(anyAcl, { maxLength: 4 }), flags: anyInt };

function requestBytes({ path, data, acl, flags }: CreateRequest): Buffer {
  const entries = acl.map((each) =>
    Buffer.concat([int(permissionBits(each.permissions)), bytes(each.scheme), bytes(each.id)]),
  );
  return Buffer.concat([bytes(path), bytes(data), vector(entries), int(flags)]);
}

const zxid = Long.fromNumber(REPLY_ZXID);

function pathAndStatBytes([path, stat]: readonly [string, Stat]): Buffer {
  return Buffer.concat([bytes(path), statBytes(stat)]);
}

it('writes any request', () => {
  for (const operation of [create, create2, createContainer]) {
    expectWrites(operation, fc.record(fields), requestBytes);
  }
});

it('writes any request with a ttl', () => {
  expectWrites(createTtl, fc.record({ ...fields, ttl: anyLong }), (request) =>
    Buffer.concat([requestBytes(request), longOf(request.ttl)]),
  );
});

it('reads the path, and takes the zxid of the reply', () => {
  expectReads(create, anyPath, bytes, (path) => ({ path, zxid, stat: undefined }));
  expectWithstands(create, anyPath.map(bytes));
});

it.each([create2, createContainer, createTtl])('reads path and stat: op code $opCode', (operation) => {
  const replies = fc.tuple(anyPath, anyStat);
  expectReads(operation, replies, pathAndStatBytes, ([path, stat]) => ({ path, zxid, stat }));
  expectWithstands(operation, replies.map(pathAndStatBytes));
});

describe('the modes', () => {
  it.each<[CreateMode, number, boolean]>([
    ['persistent', 0, false],
    ['ephemeral', 1, false],
    ['persistentSequential', 2, true],
    ['ephemeralSequential', 3, true],
    ['container', 4, false],
    ['ttl', 5, false],
    ['ttlSequential', 6, true],
  ])('%s has the flags %d', (mode, flags, sequential) => {
    expect(createFlags[mode]).toBe(flags);
    expect(isSequential(mode)).toBe(sequential);
  });
});
