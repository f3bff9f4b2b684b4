import type Long from 'long';
import { formatServer } from './connection/connect-string.js';
import { hexOf } from './log.js';
import type { SessionCredentials } from './options.js';
import type { Session } from './session/session.js';
import type { Stat } from './stat.js';

/** One session of a client, as users see it. It stays the same object as long as the session lasts. */
export class SessionInfo {
  readonly #session: Session;

  /** Made by the client. */
  constructor(session: Session) {
    this.#session = session;
  }

  /** The id; 0 until the first connection. An ephemeral znode of this session has it as `ephemeralOwner`. */
  get id(): Long {
    return this.#session.id;
  }

  /** Whether a znode with this stat is an ephemeral one of this session. */
  owns({ ephemeralOwner }: Pick<Stat, 'ephemeralOwner'>): boolean {
    return !ephemeralOwner.isZero() && ephemeralOwner.equals(this.id);
  }

  /** The negotiated session timeout, milliseconds; 0 until the first connection. */
  get timeout(): number {
    return this.#session.timeout;
  }

  /**
   * How often it was attached to a server: 1 from the first connection on, one more with each reconnect. As long as it
   * stays the same, watch events come in the order of the changes; those that a reconnect brings come in any order.
   */
  get attachments(): number {
    return this.#session.attachments;
  }

  /**
   * Milliseconds for which the session is certainly alive, worked out now: 0 or less means that it may have ended. It
   * counts from the sending of the last request that was answered, and needs no timer: also a process that was stopped
   * for a while sees the truth at its first look.
   */
  get remaining(): number {
    return this.#session.deadline.remaining;
  }

  /** The server in use, `host:port`, while connected; with `tcp://` or `tcp+tls://` where it was given so. */
  get server(): string | undefined {
    const { server } = this.#session;
    return server === undefined ? undefined : formatServer(server);
  }

  /**
   * What another process needs to attach to this session by the option `session`. Whoever has it can act in the name
   * of this session; keep it as you keep a password.
   */
  export(): SessionCredentials {
    return { id: this.toString(), password: this.#session.password.toString('base64') };
  }

  /** The id in hexadecimal, as servers log it. */
  toString(): string {
    return hexOf(this.id);
  }
}
