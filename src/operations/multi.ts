import Long from 'long';
import { OpCode } from '../protocol/codes.js';
import type { JuteReader } from '../protocol/jute-reader.js';
import type { JuteWriter } from '../protocol/jute-writer.js';
import { type ReplyHeader, readStat } from '../protocol/records.js';
import { ProtocolError, ServerCode } from '../errors.js';
import type { Stat } from '../stat.js';
import { type CreateRequest, type CreateTtlRequest, writeCreate, writeCreateTtl } from './create.js';
import { type VersionedRequest, writeVersioned } from './delete.js';
import { defineOperation, type PathRequest } from './operation.js';
import { type SetDataRequest, writeSetData } from './set-data.js';

/** One operation of a transaction, in the server's form. */
export type MultiOperation =
  | ({ readonly kind: 'create'; readonly withStat: boolean } & CreateRequest)
  | ({ readonly kind: 'createContainer' } & CreateRequest)
  | ({ readonly kind: 'createTtl' } & CreateTtlRequest)
  | ({ readonly kind: 'delete' } & VersionedRequest)
  | ({ readonly kind: 'setData' } & SetDataRequest)
  | ({ readonly kind: 'check' } & VersionedRequest);

export interface MultiRequest extends PathRequest {
  readonly operations: readonly MultiOperation[];
}

/** The result of one operation of a transaction, by what the server says that it is. */
export type MultiResult =
  | { readonly kind: 'created'; readonly path: string; readonly stat: Stat | undefined }
  | { readonly kind: 'set'; readonly stat: Stat }
  | { readonly kind: 'done' }
  | { readonly kind: 'error'; readonly code: number };

export interface MultiResponse {
  /** The zxid that all changes of the transaction share. */
  readonly zxid: Long;
  readonly results: readonly MultiResult[];
}

// MultiHeader { int type; boolean done; int err; }
export function writeMultiHeader(out: JuteWriter, type: number, done: boolean): void {
  out.int(type);
  out.boolean(done);
  out.int(-1);
}

/** Reads MultiHeaders and what follows each, up to the one that says that it is the last. */
export function readMultiResults<T>(reply: JuteReader, readResult: (type: number, reply: JuteReader) => T): T[] {
  const results: T[] = [];
  for (;;) {
    const type = reply.int();
    const done = reply.boolean();
    reply.int();
    if (done) return results;
    results.push(readResult(type, reply));
  }
}

function writeOperation(out: JuteWriter, operation: MultiOperation): void {
  switch (operation.kind) {
    case 'create':
      writeMultiHeader(out, operation.withStat ? OpCode.create2 : OpCode.create, false);
      writeCreate(out, operation);
      break;
    case 'createContainer':
      writeMultiHeader(out, OpCode.createContainer, false);
      writeCreate(out, operation);
      break;
    case 'createTtl':
      writeMultiHeader(out, OpCode.createTtl, false);
      writeCreateTtl(out, operation);
      break;
    case 'delete':
      writeMultiHeader(out, OpCode.delete, false);
      writeVersioned(out, operation);
      break;
    case 'setData':
      writeMultiHeader(out, OpCode.setData, false);
      writeSetData(out, operation);
      break;
    case 'check':
      writeMultiHeader(out, OpCode.check, false);
      writeVersioned(out, operation);
      break;
  }
}

// By the type of the result, not of the request: some releases answer create2 as create.
function readResult(type: number, reply: JuteReader): MultiResult {
  switch (type) {
    case OpCode.create:
      return { kind: 'created', path: reply.string(), stat: undefined };
    case OpCode.create2:
      return { kind: 'created', path: reply.string(), stat: readStat(reply) };
    case OpCode.setData:
      return { kind: 'set', stat: readStat(reply) };
    case OpCode.delete:
    case OpCode.check:
      return { kind: 'done' };
    case OpCode.error:
      return { kind: 'error', code: reply.int() };
    default:
      throw new ProtocolError(`a result of a transaction has the unknown type ${type}`);
  }
}

/** The code of operations that were not tried, because another one of the transaction failed. */
const NOT_TRIED = -2;

/** Which operation made a transaction fail, and by what code; undefined where none did. */
export function failureIn(
  results: readonly MultiResult[],
): { readonly index: number; readonly code: number } | undefined {
  for (const [index, result] of results.entries()) {
    if (result.kind === 'error' && result.code !== ServerCode.ok && result.code !== NOT_TRIED)
      return { index, code: result.code };
  }
  return undefined;
}

/** What a transaction may hold that came after transactions; the latest first. */
const later: readonly { uses: (operation: MultiOperation) => boolean; feature: string; since: string }[] = [
  { uses: ({ kind }) => kind === 'createTtl', feature: 'a create with a ttl', since: '3.5.3' },
  { uses: ({ kind }) => kind === 'createContainer', feature: 'a create of a container', since: '3.5.1' },
  {
    uses: (operation) => operation.kind === 'create' && operation.withStat,
    feature: 'a create with its stat',
    since: '3.5.0',
  },
];

/** The operation that carries these out. An older server cannot read what it does not know. */
export function multiOf(steps: readonly MultiOperation[]): typeof multi {
  const latest = later.find(({ uses }) => steps.some(uses));
  if (latest === undefined) return multi;
  const { feature, since } = latest;
  return { ...multi, feature, since, refusedAs: ServerCode.marshallingError };
}

/** Carries out several checks and writes, or none. An error of one operation is in the results, not in the header. */
export const multi = defineOperation<MultiRequest, MultiResponse>({
  name: 'multi',
  opCode: OpCode.multi,
  since: '3.4.0',
  effect: 'write',
  write(out, request) {
    for (const operation of request.operations) writeOperation(out, operation);
    writeMultiHeader(out, OpCode.error, true);
  },
  read(reply, header: ReplyHeader) {
    const results = readMultiResults(reply, readResult);
    header.error = failureIn(results)?.code ?? ServerCode.ok;
    return { zxid: new Long(header.zxidLow, header.zxidHigh), results };
  },
});
