import type Long from 'long';
import { OpCode } from '../protocol/codes.js';
import { readStat } from '../protocol/records.js';
import { ZNode } from './get-data.js';
import { defineOperation, type PathRequest } from './operation.js';

export interface ReconfigRequest extends PathRequest {
  /** Server lines to add or change, joined by commas. */
  readonly joining: string | null;
  /** Ids to remove, joined by commas. */
  readonly leaving: string | null;
  /** All server lines of the new configuration. */
  readonly members: string | null;
  /** The version that the change is based on; -1 for any. */
  readonly fromVersion: Long;
}

/**
 * Changes the membership of the ensemble; answers with the new configuration. Throws ReconfigDisabledError,
 * NoAuthError, BadVersionError, BadArgumentsError, NewConfigNoQuorumError, ReconfigInProgressError.
 */
export const reconfig = defineOperation<ReconfigRequest, ZNode>({
  name: 'reconfig',
  opCode: OpCode.reconfig,
  since: '3.5.0',
  effect: 'write',
  // ReconfigRequest { ustring joiningServers; ustring leavingServers; ustring newMembers; long curConfigId; }
  write(out, request) {
    out.ustring(request.joining);
    out.ustring(request.leaving);
    out.ustring(request.members);
    out.long(request.fromVersion);
  },
  // GetDataResponse { buffer data; Stat stat; }
  read(reply) {
    return new ZNode(reply.buffer(), readStat(reply));
  },
});
