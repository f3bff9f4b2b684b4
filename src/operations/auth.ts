import { OpCode } from '../protocol/codes.js';
import { defineOperation, type PathRequest, readNothing } from './operation.js';

/** An identity that the connection claims. */
export interface AuthRequest {
  readonly scheme: string;
  readonly auth: Uint8Array;
}

/** Claims an identity for the rest of the connection. */
export const auth = defineOperation<AuthRequest, void>({
  name: 'addAuth',
  opCode: OpCode.auth,
  since: '3.0.0',
  effect: 'connection',
  signOfLife: false,
  // AuthPacket { int type; ustring scheme; buffer auth; }
  write(out, request) {
    out.int(0);
    out.ustring(request.scheme);
    out.buffer(request.auth);
  },
  read: readNothing,
});

/** A token of a SASL exchange; null where a side has nothing to say. */
export interface SaslToken {
  readonly token: Uint8Array | null;
}

/** One step of the SASL exchange by which a connection proves who it is. */
export const sasl = defineOperation<SaslToken, SaslToken>({
  name: 'sasl',
  opCode: OpCode.sasl,
  since: '3.4.0',
  effect: 'connection',
  signOfLife: false,
  // GetSASLRequest { buffer token; }
  write(out, request) {
    out.buffer(request.token);
  },
  // SetSASLResponse { buffer token; }
  read(reply) {
    return { token: reply.buffer() };
  },
});

/** An identity that the server has accepted. */
export interface Identity {
  readonly scheme: string;
  readonly id: string;
}

/** The identities of this connection. */
export const whoAmI = defineOperation<PathRequest, Identity[]>({
  name: 'whoAmI',
  opCode: OpCode.whoAmI,
  since: '3.7.0',
  effect: 'read',
  write: readNothing,
  // WhoAmIResponse { vector<ClientInfo { ustring authScheme; ustring user; }> clientInfo; }
  read(reply) {
    return reply.vector(8, (reader) => ({ scheme: reader.string(), id: reader.string() }));
  },
});
