import { OpCode } from '../protocol/codes.js';
import type { JuteReader } from '../protocol/jute-reader.js';
import { readStat } from '../protocol/records.js';
import { ProtocolError } from '../errors.js';
import { ZNode } from './get-data.js';
import { readMultiResults, writeMultiHeader } from './multi.js';
import { defineOperation, type PathRequest } from './operation.js';

/** One read of several, in the server's form. */
export interface ReadOperation extends PathRequest {
  readonly kind: 'getData' | 'getChildren';
}

export interface MultiReadRequest extends PathRequest {
  readonly operations: readonly ReadOperation[];
}

/** The result of one read. */
export type ReadResult =
  | { readonly kind: 'data'; readonly node: ZNode }
  | { readonly kind: 'children'; readonly children: string[] }
  | { readonly kind: 'error'; readonly code: number };

function readResult(type: number, reply: JuteReader): ReadResult {
  switch (type) {
    case OpCode.getData:
      return { kind: 'data', node: new ZNode(reply.buffer(), readStat(reply)) };
    case OpCode.getChildren:
      return { kind: 'children', children: reply.strings() };
    case OpCode.error:
      return { kind: 'error', code: reply.int() };
    default:
      throw new ProtocolError(`a result of a multiRead has the unknown type ${type}`);
  }
}

/** Several reads of one state of the tree; each succeeds or fails by itself. */
export const multiRead = defineOperation<MultiReadRequest, ReadResult[]>({
  name: 'multiRead',
  opCode: OpCode.multiRead,
  since: '3.6.0',
  effect: 'read',
  // Per read: MultiHeader, then { ustring path; boolean watch; }, where the server ignores the watch.
  write(out, request) {
    for (const operation of request.operations) {
      writeMultiHeader(out, operation.kind === 'getData' ? OpCode.getData : OpCode.getChildren, false);
      out.ustring(operation.path);
      out.boolean(false);
    }
    writeMultiHeader(out, OpCode.error, true);
  },
  read(reply) {
    return readMultiResults(reply, readResult);
  },
});
