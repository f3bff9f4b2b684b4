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
  // AuthPacket { int type; ustring scheme; buffer auth; }
  write(out, request) {
    out.int(0);
    out.ustring(request.scheme);
    out.buffer(request.auth);
  },
  read: readNothing,
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
