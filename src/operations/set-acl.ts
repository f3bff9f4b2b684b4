import type { Acl } from '../acl.js';
import { OpCode } from '../protocol/codes.js';
import { readStat, writeAcl } from '../protocol/records.js';
import type { Stat } from '../stat.js';
import type { VersionedRequest } from './delete.js';
import { defineOperation } from './operation.js';

export interface SetAclRequest extends VersionedRequest {
  readonly acl: readonly Acl[];
}

/** Replaces the ACL of a znode; the version is that of the ACL. Throws NoNodeError, BadVersionError, InvalidAclError, NoAuthError. */
export const setAcl = defineOperation<SetAclRequest, Stat>({
  name: 'setAcl',
  opCode: OpCode.setAcl,
  since: '3.0.0',
  effect: 'write',
  // SetACLRequest { ustring path; vector<ACL> acl; int version; }
  write(out, request) {
    out.ustring(request.path);
    out.vector(request.acl, writeAcl);
    out.int(request.version);
  },
  // SetACLResponse { Stat stat; }
  read: readStat,
});
