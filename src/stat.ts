import type Long from 'long';

/** What the server knows of a znode beside its data and its ACL. 64-bit numbers are `Long`. */
export class Stat {
  constructor(
    /** zxid of the transaction that created the znode. */
    readonly czxid: Long,
    /** zxid of the last change of the data; the creation counts. */
    readonly mzxid: Long,
    /** Time of creation by the leader's clock, milliseconds since 1970. */
    readonly ctime: number,
    /** Time of the last change of the data by the leader's clock, milliseconds since 1970. */
    readonly mtime: number,
    /** How often the data was changed; signed 32 bits, wraps. */
    readonly version: number,
    /** How often children came or went. */
    readonly cversion: number,
    /** How often the ACL was changed. */
    readonly aversion: number,
    /** Id of the session that owns an ephemeral znode, else 0 (container and TTL znodes too). */
    readonly ephemeralOwner: Long,
    /** Length of the data in bytes. */
    readonly dataLength: number,
    /** Number of children. */
    readonly numChildren: number,
    /** zxid of the last creation or deletion of a child. */
    readonly pzxid: Long,
  ) {}

  /** The fields with every 64-bit number as a decimal string, because JSON numbers cannot hold them. */
  toJSON(): Record<string, number | string> {
    const { czxid, mzxid, ctime, mtime, version, cversion, aversion, ephemeralOwner, dataLength, numChildren, pzxid } =
      this;
    return {
      czxid: czxid.toString(),
      mzxid: mzxid.toString(),
      ctime,
      mtime,
      version,
      cversion,
      aversion,
      ephemeralOwner: ephemeralOwner.toString(),
      dataLength,
      numChildren,
      pzxid: pzxid.toString(),
    };
  }
}
