import type Long from 'long';
import { type Acl, permissionBits, permissionsOf } from '../acl.js';
import { Stat } from '../stat.js';
import type { JuteReader } from './jute-reader.js';
import type { JuteWriter } from './jute-writer.js';

/** The records that several operations share; each with its fields in jute notation. */

/** ConnectRequest: what a client says first on a connection. */
export interface ConnectRequest {
  readonly lastZxidSeen: Long;
  /** Wanted session timeout, milliseconds. */
  readonly timeout: number;
  /** 0 for a new session. */
  readonly sessionId: Long;
  readonly password: Uint8Array;
  readonly readOnly: boolean;
}

/** ConnectResponse. */
export interface ConnectResponse {
  /** Negotiated session timeout, milliseconds; 0 or less: there is no such session. */
  readonly timeout: number;
  readonly sessionId: Long;
  readonly password: Buffer;
  readonly readOnly: boolean;
}

// ConnectRequest { int protocolVersion; long lastZxidSeen; int timeOut; long sessionId; buffer passwd; boolean readOnly; }
export function writeConnectRequest(out: JuteWriter, request: ConnectRequest): void {
  out.int(0);
  out.long(request.lastZxidSeen);
  out.int(request.timeout);
  out.long(request.sessionId);
  out.buffer(request.password);
  out.boolean(request.readOnly);
}

export function readConnectRequest(reader: JuteReader): ConnectRequest {
  reader.int();
  return {
    lastZxidSeen: reader.long(),
    timeout: reader.int(),
    sessionId: reader.long(),
    password: reader.buffer() ?? Buffer.alloc(0),
    readOnly: reader.remaining > 0 && reader.boolean(),
  };
}

// ConnectResponse { int protocolVersion; int timeOut; long sessionId; buffer passwd; boolean readOnly; }
// Servers before 3.4 leave the last byte out.
export function readConnectResponse(reader: JuteReader): ConnectResponse {
  reader.int();
  return {
    timeout: reader.int(),
    sessionId: reader.long(),
    password: reader.buffer() ?? Buffer.alloc(0),
    readOnly: reader.remaining > 0 && reader.boolean(),
  };
}

/** ReplyHeader, one object for all replies of a connection. The zxid is kept in halves: most replies need no Long. */
export class ReplyHeader {
  xid = 0;
  zxidHigh = 0;
  zxidLow = 0;
  error = 0;

  // ReplyHeader { int xid; long zxid; int err; }
  read(reader: JuteReader): void {
    this.xid = reader.int();
    this.zxidHigh = reader.int();
    this.zxidLow = reader.int();
    this.error = reader.int();
  }
}

/** Stat { long czxid, mzxid, ctime, mtime; int version, cversion, aversion; long ephemeralOwner; int dataLength, numChildren; long pzxid; } */
export function readStat(reader: JuteReader): Stat {
  return new Stat(
    reader.long(),
    reader.long(),
    reader.time(),
    reader.time(),
    reader.int(),
    reader.int(),
    reader.int(),
    reader.long(),
    reader.int(),
    reader.int(),
    reader.long(),
  );
}

// ACL { int perms; Id { ustring scheme; ustring id; } }
export function writeAcl(out: JuteWriter, entry: Acl): void {
  out.int(permissionBits(entry.permissions));
  out.ustring(entry.scheme);
  out.ustring(entry.id);
}

export function readAcl(reader: JuteReader): Acl {
  const permissions = permissionsOf(reader.int());
  return { permissions, scheme: reader.string(), id: reader.string() };
}

/** The fewest bytes that an ACL takes. */
export const ACL_LEAST_BYTES = 12;

/** WatcherEvent { int type; int state; ustring path; } */
export interface WatcherEvent {
  readonly type: number;
  readonly path: string;
}

export function readWatcherEvent(reader: JuteReader): WatcherEvent {
  const type = reader.int();
  reader.int();
  return { type, path: reader.string() };
}

/** What can be written into a znode: text becomes UTF-8, null differs from no bytes. */
export type Data = string | Uint8Array | null;

/** Data as a jute buffer; that of a string is the same as a ustring. */
export function writeData(out: JuteWriter, data: Data): void {
  if (typeof data === 'string') out.ustring(data);
  else out.buffer(data);
}

/** The bytes that data takes, at most. */
export function dataBytes(data: Data): number {
  return typeof data === 'string' ? data.length * 3 : (data?.length ?? 0);
}
