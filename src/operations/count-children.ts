import { OpCode } from '../protocol/codes.js';
import { defineOperation, type PathRequest } from './operation.js';

/** The number of all descendants of a znode. Throws NoNodeError. */
export const getAllChildrenNumber = defineOperation<PathRequest, number>({
  name: 'getAllChildrenNumber',
  opCode: OpCode.getAllChildrenNumber,
  since: '3.6.0',
  effect: 'read',
  // GetAllChildrenNumberRequest { ustring path; }
  write(out, request) {
    out.ustring(request.path);
  },
  // GetAllChildrenNumberResponse { int totalNumber; }
  read(reply) {
    return reply.int();
  },
});
