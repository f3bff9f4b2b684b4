import { OpCode } from '../protocol/codes.js';
import type { JuteWriter } from '../protocol/jute-writer.js';
import { defineOperation, type PathRequest, readNothing } from './operation.js';

/** A request that the server carries out only at a certain version. */
export interface VersionedRequest extends PathRequest {
  /** -1: at any version. */
  readonly version: number;
}

// DeleteRequest { ustring path; int version; }   CheckVersionRequest is the same.
export function writeVersioned(out: JuteWriter, request: VersionedRequest): void {
  out.ustring(request.path);
  out.int(request.version);
}

/** Deletes a znode. Throws NoNodeError, BadVersionError, NotEmptyError, NoAuthError. */
export const deleteNode = defineOperation<VersionedRequest, void>({
  name: 'delete',
  opCode: OpCode.delete,
  since: '3.0.0',
  effect: 'write',
  write: writeVersioned,
  read: readNothing,
});

/** Deletes a znode where there is one. Throws as {@link deleteNode} does, but for NoNodeError. */
export const deleteIfThere = defineOperation<VersionedRequest, null>({
  ...deleteNode,
  missing: null,
  read: () => null,
});
