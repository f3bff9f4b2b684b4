import { expect } from '@jest/globals';
import fc from 'fast-check';
import { ProtocolError } from '../../../src/errors.js';
import type { Operation } from '../../../src/operations/operation.js';
import { JuteReader } from '../../../src/protocol/jute-reader.js';
import { JuteWriter } from '../../../src/protocol/jute-writer.js';
import { ReplyHeader } from '../../../src/protocol/records.js';
import { cutOff, damaged } from './damage.js';
import { replyHeader } from './reference.js';

/** The zxid of the replies that {@link readReply} makes up. */
export const REPLY_ZXID = 77;

/** The request record as the operation writes it. */
export function written<Request>(operation: Operation<Request, unknown>, request: Request): Buffer {
  const out = new JuteWriter();
  operation.write(out, request);
  return out.take();
}

/** What the operation reads out of a response record, and how many bytes it leaves unread. */
export function readReply<Result>(
  operation: Operation<never, Result>,
  record: Buffer,
): { readonly result: Result; readonly unread: number } {
  const reader = new JuteReader(Buffer.concat([replyHeader(5, REPLY_ZXID, 0), record]));
  const header = new ReplyHeader();
  header.read(reader);
  const result = operation.read(reader, header);
  return { result, unread: reader.remaining };
}

/** An operation writes any request as the reference does. */
export function expectWrites<Request>(
  operation: Operation<Request, unknown>,
  requests: fc.Arbitrary<Request>,
  reference: (request: Request) => Buffer,
): void {
  fc.assert(
    fc.property(requests, (request) => {
      expect(written(operation, request).toString('hex')).toBe(reference(request).toString('hex'));
    }),
  );
}

/** An operation reads any response of the reference, to its last byte. */
export function expectReads<Response, Result>(
  operation: Operation<never, Result>,
  responses: fc.Arbitrary<Response>,
  reference: (response: Response) => Buffer,
  expected: (response: Response) => unknown,
): void {
  fc.assert(
    fc.property(responses, (response) => {
      const { result, unread } = readReply(operation, reference(response));
      expect(result).toEqual(expected(response));
      expect(unread).toBe(0);
    }),
  );
}

/** A response that was cut off or damaged gives a `ProtocolError`, or a record that is in proportion to its bytes. */
export function expectWithstands(operation: Operation<never, unknown>, records: fc.Arbitrary<Buffer>): void {
  fc.assert(
    fc.property(fc.oneof(cutOff(records), damaged(records)), (record) => {
      const outcome = resultOrProtocolError(() => readReply(operation, record).result);
      expect(weightOf(outcome)).toBeLessThanOrEqual(record.length * 16 + 1_000);
    }),
  );
}

/** The value, or nothing where a `ProtocolError` was thrown; any other error is passed on. */
export function resultOrProtocolError<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}

/** Bytes and characters that a value holds; every field and element counts for some more. */
function weightOf(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (value instanceof Uint8Array) return value.length;
  if (typeof value !== 'object' || value === null) return 8;
  return Object.values(value).reduce<number>((sum, each) => sum + 8 + weightOf(each), 0);
}
