import { OpCode } from '../protocol/codes.js';
import { defineOperation, type PathRequest } from './operation.js';

/** The ephemeral znodes of this session whose paths start with a text, in the server's form. */
export const getEphemerals = defineOperation<PathRequest, string[]>({
  name: 'getEphemerals',
  opCode: OpCode.getEphemerals,
  since: '3.6.0',
  effect: 'read',
  // GetEphemeralsRequest { ustring prefixPath; }
  write(out, request) {
    out.ustring(request.path);
  },
  // GetEphemeralsResponse { vector<ustring> ephemerals; }
  read(reply) {
    return reply.strings();
  },
});
