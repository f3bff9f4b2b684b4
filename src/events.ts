import type { EventEmitter } from 'node:events';
import type Long from 'long';

/** Whether operations reach a server. `expired` is passed through on the way to a new session, unless that was opted out of. */
export type SessionState = 'connecting' | 'connected' | 'readonly' | 'suspended' | 'expired' | 'closed' | 'authFailed';

/** A session is attached to a server: a new one, or the old one again. */
export interface ConnectedEvent {
  readonly type: 'connected';
  readonly sessionId: Long;
  /** `host:port` of the server, with `tcp://` or `tcp+tls://` before it where it was given so. */
  readonly server: string;
  /** Negotiated session timeout, milliseconds. */
  readonly sessionTimeout: number;
  /** Whether this session was connected before: its ephemeral znodes and watches are still there. */
  readonly resumed: boolean;
  /** Id of the session that this one replaces, when that one has expired. */
  readonly previousSessionId: Long | undefined;
}

/**
 * Attached to a server that is cut off from its quorum: it answers reads with what it knows, and takes no writes. It
 * cannot keep the session alive, so what is held runs out; a server that takes writes is searched for meanwhile.
 */
export interface ReadOnlyEvent {
  readonly type: 'readonly';
  /** Where there was no session before, the server has made one up, which no other server knows. */
  readonly sessionId: Long;
  /** `host:port` of the server. */
  readonly server: string;
}

/** The connection is gone. The session may live on. */
export interface SuspendedEvent {
  readonly type: 'suspended';
  readonly sessionId: Long;
  readonly cause: Error;
}

/**
 * By our own clock the session may have ended: no server has confirmed it for as long as the session timeout. It may
 * still be found alive; what was held under it counts as lost for good.
 */
export interface LostEvent {
  readonly type: 'lost';
  readonly sessionId: Long;
}

/** A server said that the session is over. Its ephemeral znodes are gone. */
export interface ExpiredEvent {
  readonly type: 'expired';
  readonly sessionId: Long;
}

/** Every server that answers is behind what this client has seen: the ensemble has lost data. */
export interface AheadOfServersEvent {
  readonly type: 'aheadOfServers';
  readonly sessionId: Long;
  /** The highest zxid that this client has seen. */
  readonly lastZxid: Long;
}

/** A server refused the credentials. The client is of no further use. */
export interface AuthFailedEvent {
  readonly type: 'authFailed';
  readonly sessionId: Long;
  readonly cause: Error;
}

/**
 * This process was busy, or stopped, for so long that it could not do in time what keeps the session alive. Work that
 * holds up the event loop, such as parsing large files, is the common cause.
 */
export interface StalledEvent {
  readonly type: 'stalled';
  readonly sessionId: Long;
  /** How late a timer of the session was, milliseconds. */
  readonly lag: number;
  /** What was left of the session by our own clock when it woke, milliseconds; 0 or less: it may have ended. */
  readonly remaining: number;
  /** Negotiated session timeout, milliseconds. */
  readonly sessionTimeout: number;
}

/** The client was closed. */
export interface ClosedEvent {
  readonly type: 'closed';
  readonly sessionId: Long;
}

/** What a client tells of its session. */
export type SessionEvent =
  | ConnectedEvent
  | ReadOnlyEvent
  | SuspendedEvent
  | StalledEvent
  | LostEvent
  | ExpiredEvent
  | AheadOfServersEvent
  | AuthFailedEvent
  | ClosedEvent;

/** The events by name; `session` is told of all of them. */
export type SessionEventMap = { [E in SessionEvent as E['type']]: [E] } & { session: [SessionEvent] };

/** Why a watch has ended. */
export type WatchEndReason = 'expired' | 'closed' | 'authFailed' | 'removed';

/** Something changed that was watched. */
export interface WatchedChange {
  readonly type: 'created' | 'deleted' | 'dataChanged' | 'childrenChanged';
  /** The znode that changed; for `childrenChanged` the parent. */
  readonly path: string;
  /** zxid of the change; only servers from 3.9 on tell it. */
  readonly zxid: Long | undefined;
}

/** Changes may have been missed: read again what you mirror. Only persistent watches get it. */
export interface WatchResync {
  readonly type: 'resync';
}

/** The last event of every watch whose session has ended, or that was removed. */
export interface WatchEnded {
  readonly type: 'ended';
  readonly reason: WatchEndReason;
}

/** What a one-shot watch tells, once. */
export type OneShotEvent = WatchedChange | WatchEnded;

/** What a persistent watch tells. */
export type WatchEvent = WatchedChange | WatchResync | WatchEnded;

/** Calls user code. What it throws is reported as an uncaught exception on a turn of its own, and disturbs nobody here. */
export function callUser(run: () => void): void {
  try {
    run();
  } catch (error) {
    process.nextTick(() => {
      throw error;
    });
  }
}

/** Tells all listeners, also when one of them throws. */
export function emitIsolated(emitter: EventEmitter, event: SessionEvent): void {
  for (const name of [event.type, 'session'] as const) {
    // The raw listeners, so that those of `once` take themselves off.
    const listeners = emitter.rawListeners(name) as ((event: SessionEvent) => void)[];
    for (const listener of listeners) callUser(() => listener.call(emitter, event));
  }
}
