import Long from 'long';
import type { Acl } from '../acl.js';
import type { PlannedZNode } from '../path-schema.js';
import { OpCode } from '../protocol/codes.js';
import type { JuteReader } from '../protocol/jute-reader.js';
import type { JuteWriter } from '../protocol/jute-writer.js';
import { type Data, readStat, type ReplyHeader, writeAcl, writeData } from '../protocol/records.js';
import type { Stat } from '../stat.js';
import { defineOperation, type PathRequest } from './operation.js';

/** The kinds of znode that can be created. */
export type CreateMode =
  'persistent' | 'ephemeral' | 'persistentSequential' | 'ephemeralSequential' | 'container' | 'ttl' | 'ttlSequential';

/** The flags of each mode on the wire. */
export const createFlags: Readonly<Record<CreateMode, number>> = {
  persistent: 0,
  ephemeral: 1,
  persistentSequential: 2,
  ephemeralSequential: 3,
  container: 4,
  ttl: 5,
  ttlSequential: 6,
};

/** Whether flags of a create are those of an ephemeral znode. */
export function isEphemeral(flags: number): boolean {
  return flags === createFlags.ephemeral || flags === createFlags.ephemeralSequential;
}

/** Whether the server appends a number to the name. */
export function isSequential(mode: CreateMode): boolean {
  return mode.endsWith('Sequential');
}

/** What the rules for a path look at. */
export function plannedZNode(mode: CreateMode, data: Data): PlannedZNode {
  return { isEphemeral: isEphemeral(createFlags[mode]), isSequential: isSequential(mode), data };
}

export interface CreateRequest extends PathRequest {
  readonly data: Data;
  readonly acl: readonly Acl[];
  readonly flags: number;
}

export interface CreateTtlRequest extends CreateRequest {
  /** Milliseconds. */
  readonly ttl: Long;
}

/** What a server says of a znode that it created. The path is the server's. */
export interface CreateResponse {
  readonly path: string;
  /** The zxid of the creation: the czxid of the znode. */
  readonly zxid: Long;
  readonly stat: Stat | undefined;
}

// CreateRequest { ustring path; buffer data; vector<ACL> acl; int flags; }
export function writeCreate(out: JuteWriter, request: CreateRequest): void {
  out.ustring(request.path);
  writeData(out, request.data);
  out.vector(request.acl, writeAcl);
  out.int(request.flags);
}

// CreateTTLRequest { ustring path; buffer data; vector<ACL> acl; int flags; long ttl; }
export function writeCreateTtl(out: JuteWriter, request: CreateTtlRequest): void {
  writeCreate(out, request);
  out.long(request.ttl);
}

// CreateResponse { ustring path; }
function readPath(reply: JuteReader, header: ReplyHeader): CreateResponse {
  return { path: reply.string(), zxid: new Long(header.zxidLow, header.zxidHigh), stat: undefined };
}

// Create2Response { ustring path; Stat stat; }
function readPathAndStat(reply: JuteReader, header: ReplyHeader): CreateResponse {
  return { path: reply.string(), zxid: new Long(header.zxidLow, header.zxidHigh), stat: readStat(reply) };
}

/** Creates a persistent or ephemeral znode. Throws NodeExistsError, NoNodeError, NoAuthError, NoChildrenForEphemeralsError. */
export const create = defineOperation<CreateRequest, CreateResponse>({
  name: 'create',
  opCode: OpCode.create,
  since: '3.0.0',
  effect: 'write',
  write: writeCreate,
  read: readPath,
});

/** As create, and answers with the stat. */
export const create2 = defineOperation<CreateRequest, CreateResponse>({
  name: 'create',
  opCode: OpCode.create2,
  since: '3.5.0',
  effect: 'write',
  write: writeCreate,
  read: readPathAndStat,
});

/** Creates a znode that the server deletes some time after its last child was deleted. */
export const createContainer = defineOperation<CreateRequest, CreateResponse>({
  name: 'create',
  opCode: OpCode.createContainer,
  since: '3.5.1',
  effect: 'write',
  write: writeCreate,
  read: readPathAndStat,
});

/** Creates a znode that the server deletes when it was not changed for a time and has no children. */
export const createTtl = defineOperation<CreateTtlRequest, CreateResponse>({
  name: 'create',
  opCode: OpCode.createTtl,
  since: '3.5.3',
  effect: 'write',
  write: writeCreateTtl,
  read: readPathAndStat,
});
