import { channel } from 'node:diagnostics_channel';
import type Long from 'long';

/**
 * What the channel `zookit:operation:start` tells: an operation was called for, on the caller's own stack. The same
 * object comes again as {@link OperationMessage} when its outcome is known.
 */
export interface OperationStart {
  /** `getData`, `create`, ... */
  readonly operation: string;
  /** The path at the server, with the chroot; of a transaction, the client's root. Undefined where there is none. */
  readonly path: string | undefined;
  /** Id of the session in hexadecimal; `0x0` before the first connection. */
  readonly session: string;
}

/** What the channel `zookit:operation` tells: the outcome of an operation is known. */
export interface OperationMessage extends OperationStart {
  /** `host:port` of the server; undefined if there was never one. */
  readonly server: string | undefined;
  /** `ok`, or the `code` of the error. */
  readonly outcome: string;
  /** From the call, milliseconds; undefined where it failed before anything was sent or queued. */
  readonly duration: number | undefined;
  /** Length of the request's frame; 0 if it was never sent. */
  readonly bytesSent: number;
  /** Length of the reply's frame; 0 if there was none. */
  readonly bytesReceived: number;
  /** How often it was sent: a read more than once, if connections were lost. */
  readonly timesSent: number;
  /** zxid in the reply: the newest that the server had seen; of a write, its own. */
  readonly zxid: Long | undefined;
}

/** What the channel `zookit:connection` tells. `session` is the id in hexadecimal. */
export type ConnectionMessage =
  | {
      readonly type: 'attempt';
      readonly session: string;
      readonly server: string;
      /** Counts from 1 since the last connection. */
      readonly attempt: number;
    }
  | {
      readonly type: 'attemptFailed';
      readonly session: string;
      readonly server: string;
      readonly attempt: number;
      readonly cause: Error;
    }
  | {
      readonly type: 'connected';
      readonly session: string;
      readonly server: string;
      /** Negotiated, milliseconds. */
      readonly sessionTimeout: number;
      /** Whether the session was connected before. */
      readonly resumed: boolean;
    }
  /** A server without a quorum has to do until another one is found, which `connected` tells of. */
  | { readonly type: 'readonly'; readonly session: string; readonly server: string }
  | { readonly type: 'disconnected'; readonly session: string; readonly server: string; readonly cause: Error };

/** The channels of `node:diagnostics_channel` that all clients of the process share. */
export const channels = {
  operationStart: channel('zookit:operation:start'),
  operation: channel('zookit:operation'),
  connection: channel('zookit:connection'),
  session: channel('zookit:session'),
} as const;
