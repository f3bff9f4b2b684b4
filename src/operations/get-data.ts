import { OpCode } from '../protocol/codes.js';
import { readStat } from '../protocol/records.js';
import type { Stat } from '../stat.js';
import { defineOperation, type WatchableRequest } from './operation.js';

const NO_BYTES = Buffer.alloc(0);

/** The data of a znode, with its stat. */
export class ZNode {
  /** The data; empty where the znode holds null. */
  readonly data: Buffer;
  /** Whether the znode holds null, which differs from no bytes. */
  readonly isNull: boolean;

  constructor(
    data: Buffer | null,
    readonly stat: Stat,
  ) {
    this.data = data ?? NO_BYTES;
    this.isNull = data === null;
  }

  /** The data as UTF-8. */
  text(): string {
    return this.data.toString('utf8');
  }

  /** The data parsed as JSON. Throws `SyntaxError`. */
  json<T = unknown>(): T {
    return JSON.parse(this.text()) as T;
  }
}

/** Data and stat of a znode; can leave a data watch. Throws NoNodeError. */
export const getData = defineOperation<WatchableRequest, ZNode>({
  name: 'getData',
  opCode: OpCode.getData,
  since: '3.0.0',
  effect: 'read',
  watch: 'data',
  // GetDataRequest { ustring path; boolean watch; }
  write(out, request) {
    out.ustring(request.path);
    out.boolean(request.watch);
  },
  // GetDataResponse { buffer data; Stat stat; }
  read(reply) {
    return new ZNode(reply.buffer(), readStat(reply));
  },
});
