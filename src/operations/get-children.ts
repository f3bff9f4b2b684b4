import { OpCode } from '../protocol/codes.js';
import { readStat } from '../protocol/records.js';
import type { Stat } from '../stat.js';
import { defineOperation, type WatchableRequest } from './operation.js';

/** The names of the children, with the stat of the parent. */
export interface ChildrenWithStat {
  readonly children: string[];
  readonly stat: Stat;
}

/** The names of the children, in no order; can leave a child watch. Throws NoNodeError. */
export const getChildren = defineOperation<WatchableRequest, string[]>({
  name: 'getChildren',
  opCode: OpCode.getChildren,
  since: '3.0.0',
  effect: 'read',
  watch: 'children',
  // GetChildrenRequest { ustring path; boolean watch; }
  write(out, request) {
    out.ustring(request.path);
    out.boolean(request.watch);
  },
  // GetChildrenResponse { vector<ustring> children; }
  read(reply) {
    return reply.strings();
  },
});

/** As getChildren, with the stat of the parent. */
export const getChildren2 = defineOperation<WatchableRequest, ChildrenWithStat>({
  name: 'getChildren',
  opCode: OpCode.getChildren2,
  since: '3.3.0',
  effect: 'read',
  watch: 'children',
  // GetChildren2Request { ustring path; boolean watch; }
  write(out, request) {
    out.ustring(request.path);
    out.boolean(request.watch);
  },
  // GetChildren2Response { vector<ustring> children; Stat stat; }
  read(reply) {
    return { children: reply.strings(), stat: readStat(reply) };
  },
});
