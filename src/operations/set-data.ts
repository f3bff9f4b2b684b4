import { OpCode } from '../protocol/codes.js';
import type { JuteWriter } from '../protocol/jute-writer.js';
import { type Data, readStat, writeData } from '../protocol/records.js';
import type { Stat } from '../stat.js';
import type { VersionedRequest } from './delete.js';
import { defineOperation } from './operation.js';

export interface SetDataRequest extends VersionedRequest {
  readonly data: Data;
}

// SetDataRequest { ustring path; buffer data; int version; }
export function writeSetData(out: JuteWriter, request: SetDataRequest): void {
  out.ustring(request.path);
  writeData(out, request.data);
  out.int(request.version);
}

/** Replaces the data of a znode. Throws NoNodeError, BadVersionError, NoAuthError. */
export const setData = defineOperation<SetDataRequest, Stat>({
  name: 'setData',
  opCode: OpCode.setData,
  since: '3.0.0',
  effect: 'write',
  write: writeSetData,
  // SetDataResponse { Stat stat; }
  read: readStat,
});
