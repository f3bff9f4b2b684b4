import { OpCode } from '../protocol/codes.js';
import { defineOperation, type PathRequest } from './operation.js';

/** Completes when the server has caught up with the leader. The path, in the server's form, comes back. */
export const sync = defineOperation<PathRequest, string>({
  name: 'sync',
  opCode: OpCode.sync,
  since: '3.0.0',
  effect: 'read',
  // SyncRequest { ustring path; }
  write(out, request) {
    out.ustring(request.path);
  },
  // SyncResponse { ustring path; }
  read(reply) {
    return reply.string();
  },
});
