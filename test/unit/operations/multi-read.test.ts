import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ProtocolError } from '../../../src/errors.js';
import { ZNode } from '../../../src/operations/get-data.js';
import { multiRead, type ReadResult } from '../../../src/operations/multi-read.js';
import { bytes, int } from '../../support/frames.js';
import { anyBytes, anyInt, anyPath, anyStat, anyText } from '../support/arbitraries.js';
import { expectReads, expectWithstands, expectWrites, readReply } from '../support/codec.js';
import { bool, statBytes, vector } from '../support/reference.js';

const anyNode = fc.tuple(fc.option(anyBytes), anyStat).map(([data, stat]) => new ZNode(data, stat));

const anyResult: fc.Arbitrary<ReadResult> = fc.oneof(
  fc.record({ kind: fc.constant('data' as const), node: anyNode }),
  fc.record({ kind: fc.constant('children' as const), children: fc.array(anyText, { maxLength: 5 }) }),
  fc.record({ kind: fc.constant('error' as const), code: anyInt }),
);

function header(type: number, done = false, error = -1): Buffer {
  return Buffer.concat([int(type), bool(done), int(error)]);
}

function resultBytes(result: ReadResult): Buffer {
  switch (result.kind) {
    case 'data':
      return Buffer.concat([
        header(4, false, 0),
        bytes(result.node.isNull ? null : result.node.data),
        statBytes(result.node.stat),
      ]);
    case 'children':
      return Buffer.concat([header(8, false, 0), vector(result.children.map(bytes))]);
    case 'error':
      return Buffer.concat([header(-1, false, result.code), int(result.code)]);
  }
}

function replyBytes(results: readonly ReadResult[]): Buffer {
  return Buffer.concat([...results.map(resultBytes), header(-1, true)]);
}

it('writes any list of reads, none of which asks for a watch', () => {
  const read = fc.record({ kind: fc.constantFrom('getData' as const, 'getChildren' as const), path: anyPath });
  const requests = fc.record({ path: fc.constant('/'), operations: fc.array(read, { maxLength: 5 }) });
  expectWrites(multiRead, requests, ({ operations }) =>
    Buffer.concat([
      ...operations.map(({ kind, path }) =>
        Buffer.concat([header(kind === 'getData' ? 4 : 8), bytes(path), bool(false)]),
      ),
      header(-1, true),
    ]),
  );
});

it('reads any list of results', () => {
  const replies = fc.array(anyResult, { maxLength: 6 });
  expectReads(multiRead, replies, replyBytes, (results) => results);
  expectWithstands(multiRead, replies.map(replyBytes));
});

it('refuses a result of an unknown type', () => {
  expect(() => readReply(multiRead, Buffer.concat([header(3), header(-1, true)]))).toThrow(
    new ProtocolError('a result of a multiRead has the unknown type 3'),
  );
});
