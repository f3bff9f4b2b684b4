import type { JuteReader } from '../protocol/jute-reader.js';
import type { JuteWriter } from '../protocol/jute-writer.js';
import type { ReplyHeader } from '../protocol/records.js';

/** Which one-shot watch the success of a read leaves at the server. */
export type OneShotKind = 'data' | 'exists' | 'children';

/**
 * A read may be sent again on the next connection, a write never is. What only concerns the connection, as a watch
 * that is taken away, is settled by the loss itself.
 */
export type Effect = 'read' | 'write' | 'connection';

/** Everything that is to be known of one thing that can be asked of a server. It has no state. */
export interface Operation<Request, Result> {
  /** The name of the method that users call. */
  readonly name: string;
  readonly opCode: number;
  /** The first release of ZooKeeper that knows it; words the error of older ones. */
  readonly since: string;
  /** What of the operation is known since then, where that is not all of it. */
  readonly feature?: string;
  /** How a server before `since` answers, where it knows the op code. */
  readonly refusedAs?: number;
  /** What a lost connection means for it: see {@link Effect}. */
  readonly effect: Effect;
  /** False for what servers answer without counting it as a sign of life of the session. */
  readonly signOfLife?: false;
  /** The watch that it can leave. */
  readonly watch?: OneShotKind;
  /** The result when the server says "no such znode", where that is an answer and no error. */
  readonly missing?: Result;
  /** Writes the request record, without its header. */
  write(out: JuteWriter, request: Request): void;
  /** Reads the response record; the header was read and has no error. One that it finds in the record it puts there. */
  read(reply: JuteReader, header: ReplyHeader): Result;
}

/** States the types of a definition; returns it as it is. */
export function defineOperation<Request, Result>(operation: Operation<Request, Result>): Operation<Request, Result> {
  return operation;
}

/** A request about one znode. */
export interface PathRequest {
  /** The server's path: the client has put its chroot on. */
  path: string;
}

/** A read that can leave a watch. */
export interface WatchableRequest extends PathRequest {
  /** Written by the session, which knows whether a watch of the server's is needed. */
  watch: boolean;
}

/** The response of operations that answer with nothing. */
export function readNothing(): void {
  // The header was all.
}
