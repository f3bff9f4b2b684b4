import { OpCode } from '../protocol/codes.js';
import { readStat } from '../protocol/records.js';
import type { Stat } from '../stat.js';
import { defineOperation, type WatchableRequest } from './operation.js';

/** The stat of a znode, or null; can leave a watch either way. */
export const exists = defineOperation<WatchableRequest, Stat | null>({
  name: 'exists',
  opCode: OpCode.exists,
  since: '3.0.0',
  effect: 'read',
  watch: 'exists',
  missing: null,
  // ExistsRequest { ustring path; boolean watch; }
  write(out, request) {
    out.ustring(request.path);
    out.boolean(request.watch);
  },
  // ExistsResponse { Stat stat; }
  read(reply) {
    return readStat(reply);
  },
});
