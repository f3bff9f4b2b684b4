import { describe, expect, it } from '@jest/globals';
import Long from 'long';
import { ProtocolError } from '../../../src/errors.js';
import { JuteReader } from '../../../src/protocol/jute-reader.js';
import { JuteWriter } from '../../../src/protocol/jute-writer.js';
import type { ConnectRequest } from '../../../src/protocol/records.js';
import { type HandshakeAnswer, readHandshake, writeHandshake } from '../../../src/session/handshake.js';
import { bytes, int, long } from '../../support/frames.js';
import { golden } from '../protocol/golden.js';
import { bool } from '../support/reference.js';

const PASSWORD = Buffer.alloc(16, 7);

function request(sessionId: number): ConnectRequest {
  return {
    lastZxidSeen: Long.ZERO,
    timeout: 10_000,
    sessionId: Long.fromNumber(sessionId),
    password: Buffer.alloc(16),
    readOnly: false,
  };
}

function response(timeout: number, sessionId: number, readOnly = false): Buffer {
  return Buffer.concat([int(0), int(timeout), long(sessionId), bytes(PASSWORD), bool(readOnly)]);
}

/** What the response means for a client that asked for the session; 0 for a new one. */
function answerTo(asked: number, content: Buffer): HandshakeAnswer {
  return readHandshake(new JuteReader(content), request(asked));
}

it('begins with the connect request as the first frame', () => {
  const out = new JuteWriter();
  writeHandshake(out, request(0));
  expect(out.take()).toEqual(golden('connectRequest'));
});

describe('a server', () => {
  it('grants a new session', () => {
    expect(answerTo(0, response(4_000, 77))).toEqual({
      kind: 'attached',
      key: { id: Long.fromNumber(77), password: PASSWORD },
      timeout: 4_000,
      readOnly: false,
    });
  });

  it('attaches to the session that was asked for, with the timeout that it grants this time', () => {
    expect(answerTo(77, response(6_000, 77))).toMatchObject({ kind: 'attached', timeout: 6_000 });
  });

  it.each([0, -1])('says by a timeout of %d that the session has expired', (timeout) => {
    expect(answerTo(77, response(timeout, 0))).toEqual({ kind: 'expired', readOnly: false });
    expect(answerTo(77, response(timeout, 77))).toEqual({ kind: 'expired', readOnly: false });
  });

  it('that hands out another session than the one asked for has lost that one', () => {
    expect(answerTo(77, response(10_000, 78))).toEqual({ kind: 'expired', readOnly: false });
  });

  it('before 3.4 leaves the byte for read-only out', () => {
    expect(answerTo(0, response(4_000, 77).subarray(0, 36))).toMatchObject({ kind: 'attached' });
  });

  it('that is cut off from its quorum says so, whatever it answers', () => {
    expect(answerTo(77, response(4_000, 77, true))).toMatchObject({ kind: 'attached', readOnly: true });
    expect(answerTo(77, response(0, 0, true))).toEqual({ kind: 'expired', readOnly: true });
    expect(answerTo(77, response(4_000, 78, true))).toEqual({ kind: 'expired', readOnly: true });
  });

  it('that is read-only refuses by a reply that is shorter than any answer', () => {
    const refusal = Buffer.concat([int(0), long(0), int(-119)]);
    expect(() => answerTo(0, refusal)).toThrow(
      new ProtocolError('the answer to the connect request has 16 bytes, at least 36 were expected'),
    );
  });

  it.each([0, 35])('that answers with %d bytes makes no sense', (length) => {
    expect(() => answerTo(0, response(4_000, 77).subarray(0, length))).toThrow(ProtocolError);
  });

  it('whose password is longer than its answer makes no sense', () => {
    const broken = response(4_000, 77);
    broken.writeInt32BE(2 ** 31 - 1, 16);
    expect(() => answerTo(0, broken)).toThrow(ProtocolError);
  });
});
