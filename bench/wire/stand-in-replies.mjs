// What the stand-in answers: whole frames, made once. Only the xid is written into a copy of them.
import { boolean, buffer, frame, int, long, OpCode, stat } from './jute.mjs';
import { CACHED_COUNTS, cachedName, cachedRootPath, CHILDREN, childName, MULTI, SIZES, valueOf } from './works.mjs';

const ZXID = 0x1_0000_2001;

const reply = (...parts) => frame(int(0), long(ZXID), int(0), ...parts);

const data = SIZES.map((bytes) => reply(buffer(valueOf(bytes)), stat({ dataLength: bytes })));
const stats = reply(stat({ dataLength: 100 }));
const names = Array.from({ length: CHILDREN }, (_, index) => buffer(childName(index)));
const children = reply(int(CHILDREN), ...names);
const children2 = reply(int(CHILDREN), ...names, stat({ numChildren: CHILDREN }));
/** What a cache reads of a znode with so many children, by the last byte of its path. */
const parents = [];
for (const count of CACHED_COUNTS) {
  const cached = Array.from({ length: count }, (_, index) => buffer(cachedName(index)));
  const own = stat({ dataLength: 100, numChildren: count });
  const answers = { data: reply(buffer(valueOf(100)), own), list: reply(int(count), ...cached, own) };
  parents[cachedRootPath(count).charCodeAt(cachedRootPath(count).length - 1)] = answers;
}
const header = (type, done) => Buffer.concat([int(type), boolean(done), int(done ? -1 : 0)]);
const results = Array.from({ length: MULTI }, () => Buffer.concat([header(OpCode.setData, false), stat()]));
const multi = reply(...results, header(OpCode.error, true));
const empty = reply();

/** The answer to a connect request: a new session of 30 s. */
export const connected = frame(
  int(0),
  int(30_000),
  long(0x1_0000_0000_0001),
  buffer(Buffer.alloc(16, 7)),
  boolean(false),
);

/** Of notifications: their path follows as it stands in the request. */
export const NOTIFICATION_HEADER = Buffer.concat([int(-1), long(-1), int(0), int(3), int(3)]);

/** The xid of ready replies begins here. */
export const XID_OFFSET = 4;

/** The ready reply to a request, by its op code and by the last byte of its path. */
export function replyTo(opCode, lastByte) {
  switch (opCode) {
    case OpCode.getData:
      return parents[lastByte]?.data ?? data[lastByte - 48] ?? data[1];
    case OpCode.exists:
    case OpCode.setData:
      return stats;
    case OpCode.getChildren:
      return children;
    case OpCode.getChildren2:
      return parents[lastByte]?.list ?? children2;
    case OpCode.multi:
      return multi;
    default:
      return empty;
  }
}
