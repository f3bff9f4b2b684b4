import type { Acl } from '../acl.js';
import { OpCode } from '../protocol/codes.js';
import { ACL_LEAST_BYTES, readAcl, readStat } from '../protocol/records.js';
import type { Stat } from '../stat.js';
import { defineOperation, type PathRequest } from './operation.js';

/** The ACL of a znode; `stat.aversion` is its version. */
export interface AclWithStat {
  readonly acl: readonly Acl[];
  readonly stat: Stat;
}

/** The ACL of a znode. Throws NoNodeError, NoAuthError. Without admin permission the server hides digests. */
export const getAcl = defineOperation<PathRequest, AclWithStat>({
  name: 'getAcl',
  opCode: OpCode.getAcl,
  since: '3.0.0',
  effect: 'read',
  // GetACLRequest { ustring path; }
  write(out, request) {
    out.ustring(request.path);
  },
  // GetACLResponse { vector<ACL> acl; Stat stat; }
  read(reply) {
    return { acl: reply.vector(ACL_LEAST_BYTES, readAcl), stat: readStat(reply) };
  },
});
