import type Long from 'long';
import { AddWatchMode, OpCode, WatcherType } from '../protocol/codes.js';
import type { JuteWriter } from '../protocol/jute-writer.js';
import { defineOperation, type PathRequest, readNothing } from './operation.js';

export interface AddWatchRequest extends PathRequest {
  /** Written by the session, which knows what else is watched at the path. */
  recursive: boolean;
}

/** Leaves a watch that stays until it is removed; the znode need not exist. */
export const addWatch = defineOperation<AddWatchRequest, void>({
  name: 'addWatch',
  opCode: OpCode.addWatch,
  since: '3.6.0',
  effect: 'read',
  // AddWatchRequest { ustring path; int mode; }
  write(out, request) {
    out.ustring(request.path);
    out.int(request.recursive ? AddWatchMode.persistentRecursive : AddWatchMode.persistent);
  },
  // ErrorResponse { int err; }, always 0
  read: readNothing,
});

/** Which watches of a path removeWatches takes away. */
export type RemovableWatches = keyof typeof WatcherType;

export interface RemoveWatchesRequest extends PathRequest {
  readonly watches: RemovableWatches;
}

/** Takes away the watches of this session on a path. Throws NoWatcherError. */
export const removeWatches = defineOperation<RemoveWatchesRequest, void>({
  name: 'removeWatches',
  opCode: OpCode.removeWatches,
  since: '3.5.0',
  effect: 'connection',
  // RemoveWatchesRequest { ustring path; int type; }
  write(out, request) {
    out.ustring(request.path);
    out.int(WatcherType[request.watches]);
  },
  read: readNothing,
});

/** Paths to watch again after a reconnect, by kind of watch. */
export interface SetWatchesRequest {
  /** The server reports at once what has changed since this zxid. */
  readonly relativeZxid: Long;
  readonly data: readonly string[];
  readonly exists: readonly string[];
  readonly children: readonly string[];
  readonly persistent: readonly string[];
  readonly recursive: readonly string[];
}

const writePath = (out: JuteWriter, path: string): void => out.ustring(path);

// SetWatches { long relativeZxid; vector<ustring> dataWatches; vector<ustring> existWatches; vector<ustring> childWatches; }
function writeSetWatches(out: JuteWriter, request: SetWatchesRequest): void {
  out.long(request.relativeZxid);
  out.vector(request.data, writePath);
  out.vector(request.exists, writePath);
  out.vector(request.children, writePath);
}

/** Watches again what one-shot watches were on. */
export const setWatches = defineOperation<SetWatchesRequest, void>({
  name: 'setWatches',
  opCode: OpCode.setWatches,
  since: '3.0.0',
  effect: 'connection',
  write: writeSetWatches,
  read: readNothing,
});

/** As setWatches, for persistent watches, too. */
export const setWatches2 = defineOperation<SetWatchesRequest, void>({
  name: 'setWatches',
  opCode: OpCode.setWatches2,
  since: '3.6.0',
  effect: 'connection',
  // SetWatches2 is SetWatches, then { vector<ustring> persistentWatches; vector<ustring> persistentRecursiveWatches; }
  write(out, request) {
    writeSetWatches(out, request);
    out.vector(request.persistent, writePath);
    out.vector(request.recursive, writePath);
  },
  read: readNothing,
});
