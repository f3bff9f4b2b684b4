import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import Long from 'long';
import { type Acl, permissionBits } from '../../../src/acl.js';
import { ProtocolError } from '../../../src/errors.js';
import type { CreateRequest } from '../../../src/operations/create.js';
import { multi, multiOf, type MultiOperation, type MultiResult } from '../../../src/operations/multi.js';
import { bytes, int } from '../../support/frames.js';
import { anyAcl, anyData, anyInt, anyLong, anyPath, anyStat } from '../support/arbitraries.js';
import { expectReads, expectWithstands, expectWrites, readReply, REPLY_ZXID } from '../support/codec.js';
import { bool, longOf, statBytes, vector } from '../support/reference.js';

const created = { path: anyPath, data: anyData, acl: fc.array(anyAcl, { maxLength: 3 }), flags: anyInt };
const versioned = { path: anyPath, version: anyInt };

const anyOperation: fc.Arbitrary<MultiOperation> = fc.oneof(
  fc.record({ kind: fc.constant('create' as const), withStat: fc.boolean(), ...created }),
  fc.record({ kind: fc.constant('createContainer' as const), ...created }),
  fc.record({ kind: fc.constant('createTtl' as const), ttl: anyLong, ...created }),
  fc.record({ kind: fc.constant('delete' as const), ...versioned }),
  fc.record({ kind: fc.constant('check' as const), ...versioned }),
  fc.record({ kind: fc.constant('setData' as const), data: anyData, ...versioned }),
);

const anyResult: fc.Arbitrary<MultiResult> = fc.oneof(
  fc.record({ kind: fc.constant('created' as const), path: anyPath, stat: fc.option(anyStat, { nil: undefined }) }),
  fc.record({ kind: fc.constant('set' as const), stat: anyStat }),
  fc.record({ kind: fc.constant('done' as const) }),
  fc.record({ kind: fc.constant('error' as const), code: anyInt }),
);

function header(type: number, done = false, error = -1): Buffer {
  return Buffer.concat([int(type), bool(done), int(error)]);
}

function aclBytes(acl: readonly Acl[]): Buffer {
  return vector(
    acl.map(({ permissions, scheme, id }) =>
      Buffer.concat([int(permissionBits(permissions)), bytes(scheme), bytes(id)]),
    ),
  );
}

function createBytes({ path, data, acl, flags }: CreateRequest): Buffer {
  return Buffer.concat([bytes(path), bytes(data), aclBytes(acl), int(flags)]);
}

function operationBytes(operation: MultiOperation): Buffer {
  switch (operation.kind) {
    case 'create':
      return Buffer.concat([header(operation.withStat ? 15 : 1), createBytes(operation)]);
    case 'createContainer':
      return Buffer.concat([header(19), createBytes(operation)]);
    case 'createTtl':
      return Buffer.concat([header(21), createBytes(operation), longOf(operation.ttl)]);
    case 'delete':
      return Buffer.concat([header(2), bytes(operation.path), int(operation.version)]);
    case 'check':
      return Buffer.concat([header(13), bytes(operation.path), int(operation.version)]);
    case 'setData':
      return Buffer.concat([header(5), bytes(operation.path), bytes(operation.data), int(operation.version)]);
  }
}

function resultBytes(result: MultiResult): Buffer {
  switch (result.kind) {
    case 'created':
      return result.stat === undefined
        ? Buffer.concat([header(1, false, 0), bytes(result.path)])
        : Buffer.concat([header(15, false, 0), bytes(result.path), statBytes(result.stat)]);
    case 'set':
      return Buffer.concat([header(5, false, 0), statBytes(result.stat)]);
    case 'done':
      return header(2, false, 0);
    case 'error':
      return Buffer.concat([header(-1, false, result.code), int(result.code)]);
  }
}

function replyBytes(results: readonly MultiResult[]): Buffer {
  return Buffer.concat([...results.map(resultBytes), header(-1, true)]);
}

it('writes any list of operations', () => {
  const requests = fc.record({ path: fc.constant('/'), operations: fc.array(anyOperation, { maxLength: 5 }) });
  expectWrites(multi, requests, ({ operations }) =>
    Buffer.concat([...operations.map(operationBytes), header(-1, true)]),
  );
});

it('reads any list of results, and takes the zxid of the reply', () => {
  const replies = fc.array(anyResult, { maxLength: 6 });
  expectReads(multi, replies, replyBytes, (results) => ({ zxid: Long.fromNumber(REPLY_ZXID), results }));
  expectWithstands(multi, replies.map(replyBytes));
});

describe('a reply that is none', () => {
  it('has a result of an unknown type', () => {
    expect(() => readReply(multi, Buffer.concat([header(99), header(-1, true)]))).toThrow(
      new ProtocolError('a result of a transaction has the unknown type 99'),
    );
  });

  it('has no end', () => {
    expect(() => readReply(multi, header(2, false, 0))).toThrow(ProtocolError);
  });
});

it('says what an old server cannot read: the latest that a transaction holds', () => {
  const create = { path: '/a', data: null, acl: [], flags: 0 };
  const plain: MultiOperation = { kind: 'create', withStat: false, ...create };
  const withStat: MultiOperation = { kind: 'create', withStat: true, ...create };
  const container: MultiOperation = { kind: 'createContainer', ...create };
  const ttl: MultiOperation = { kind: 'createTtl', ...create, ttl: Long.ONE };
  const marshallingError = -5;
  expect(multiOf([plain])).toBe(multi);
  const of = (...steps: MultiOperation[]): unknown[] => {
    const { feature, since, refusedAs } = multiOf(steps);
    return [feature, since, refusedAs];
  };
  expect(of(plain, withStat)).toEqual(['a create with its stat', '3.5.0', marshallingError]);
  expect(of(withStat, container)).toEqual(['a create of a container', '3.5.1', marshallingError]);
  expect(of(ttl, container, plain)).toEqual(['a create with a ttl', '3.5.3', marshallingError]);
});

it('reads the result of a check as done', () => {
  const { result } = readReply(multi, Buffer.concat([header(13, false, 0), header(-1, true)]));
  expect(result.results).toEqual([{ kind: 'done' }]);
});
