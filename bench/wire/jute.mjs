// The few records that the stand-in and the raw socket need: enough of the protocol, and nothing of zookit's own.

/** Op codes of requests, as the servers have them. */
export const OpCode = {
  create: 1,
  delete: 2,
  exists: 3,
  getData: 4,
  setData: 5,
  getChildren: 8,
  ping: 11,
  getChildren2: 12,
  multi: 14,
  create2: 15,
  closeSession: -11,
  error: -1,
};

/** Bytes of a reply's frame before its record: length, xid, zxid, error. */
export const REPLY_HEADER = 20;

export const int = (value) => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};

export const long = (value) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt(value));
  return bytes;
};

export const boolean = (value) => Buffer.from([value ? 1 : 0]);

/** A ustring or a buffer: its length, then its bytes. */
export const buffer = (value) => {
  const bytes = Buffer.from(value);
  return Buffer.concat([int(bytes.length), bytes]);
};

/** A frame: the length of what follows, then the parts. */
export const frame = (...parts) => {
  const body = Buffer.concat(parts);
  return Buffer.concat([int(body.length), body]);
};

const stamp = 1_700_000_000_000;

/** A Stat of a znode that was written now and then. */
export const stat = ({ dataLength = 0, numChildren = 0 } = {}) =>
  Buffer.concat([
    ...[long(0x1_0000_0001), long(0x1_0000_1001), long(stamp), long(stamp + 1_000)],
    ...[int(4096), int(numChildren), int(0), long(0), int(dataLength), int(numChildren), long(0x1_0000_0001)],
  ]);
