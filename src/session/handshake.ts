import type Long from 'long';
import { ProtocolError } from '../errors.js';
import type { JuteReader } from '../protocol/jute-reader.js';
import type { JuteWriter } from '../protocol/jute-writer.js';
import { type ConnectRequest, readConnectResponse, writeConnectRequest } from '../protocol/records.js';

/** A ConnectResponse of the shortest form: without the byte for read-only. */
const LEAST_RESPONSE_BYTES = 36;

/** The id and password by which a session is attached to. */
export interface SessionKey {
  readonly id: Long;
  readonly password: Buffer;
}

/** What a server answered to a connect request. */
export type HandshakeAnswer =
  | {
      readonly kind: 'attached';
      readonly key: SessionKey;
      readonly timeout: number;
      /** The server is cut off from its quorum. */
      readonly readOnly: boolean;
    }
  /** The session that was asked for is over, or never was; a server that is cut off from its quorum may not know it yet. */
  | { readonly kind: 'expired'; readonly readOnly: boolean };

/** Writes the first frame of a connection. */
export function writeHandshake(out: JuteWriter, request: ConnectRequest): void {
  const frame = out.openFrame();
  writeConnectRequest(out, request);
  out.closeFrame(frame);
}

/** Reads the first frame that comes back. Throws `ProtocolError` if it is no answer to a connect request. */
export function readHandshake(frame: JuteReader, request: ConnectRequest): HandshakeAnswer {
  if (frame.remaining < LEAST_RESPONSE_BYTES) {
    throw new ProtocolError(
      `the answer to the connect request has ${frame.remaining} bytes, at least ${LEAST_RESPONSE_BYTES} were expected`,
    );
  }
  const { timeout, sessionId, password, readOnly } = readConnectResponse(frame);
  if (timeout <= 0) return { kind: 'expired', readOnly };
  // A server that hands out a new session in place of the one asked for has lost that one.
  if (!request.sessionId.isZero() && !sessionId.equals(request.sessionId)) return { kind: 'expired', readOnly };
  return { kind: 'attached', key: { id: sessionId, password }, timeout, readOnly };
}
