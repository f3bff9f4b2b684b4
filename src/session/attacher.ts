import Long from 'long';
import { after, type Timer } from '../clock.js';
import { Connection } from '../connection/connection.js';
import { formatServer, type ServerAddress } from '../connection/connect-string.js';
import type { HostQuery, Rounds } from '../connection/rounds.js';
import { tlsFor } from '../connection/secure-dial.js';
import { LinkError } from '../errors.js';
import type { Traffic } from '../metrics/traffic.js';
import type { ResolvedOptions } from '../options.js';
import type { ConnectRequest } from '../protocol/records.js';
import { type HandshakeAnswer, readHandshake, type SessionKey, writeHandshake } from './handshake.js';

/** How long one attempt may take at least and at most, milliseconds. */
const LEAST_ATTEMPT = 250;
const LONGEST_ATTEMPT = 10_000;
/**
 * So many attempts fit into a session timeout at least, however few servers there are: one that is just starting may
 * accept a connection and never answer on it.
 */
const LEAST_ATTEMPTS = 3;
/** After so many silent refusals by one server in a row it is asked whether the client is ahead of it. */
const REFUSALS_BEFORE_PROBE = 2;

/** A connection on which a session is attached. */
export interface Attached {
  readonly connection: Connection;
  readonly key: SessionKey;
  /** Negotiated session timeout, milliseconds. */
  readonly timeout: number;
  /** When the connect request was sent, at the latest. */
  readonly sentAt: number;
  /** The server is cut off from its quorum, and takes no writes. */
  readonly readOnly: boolean;
}

/** What an attacher needs to know, and whom it tells. */
export interface AttacherUser {
  /** Counts what goes over the wire. */
  readonly traffic?: Traffic | undefined;
  /** What the next connect request says. */
  connectRequest(): ConnectRequest;
  /** In what time it should come to a connection: the session timeout, before there is a session the wish; milliseconds. */
  timeout(): number;
  /** How long to pause between rounds at most, milliseconds; undefined where nothing is to be saved. */
  longestPause(): number | undefined;
  attached(attached: Attached): void;
  /** A server said that the session is over. */
  expired(): void;
  /** A server serves, but has not what this client has seen. */
  ahead(): void;
  attempted(server: ServerAddress, purpose: Purpose): void;
  attemptFailed(server: ServerAddress, reason: Error): void;
  /** It could not be found out which servers there are. `provider` is who was asked. */
  hostsFailed(provider: string, reason: Error): void;
  /** Every server was tried since a session was last confirmed. */
  roundFailed(): void;
}

/**
 * `readOnly`: without the session, for a server without a quorum, which refuses sessions that it shares with others
 * (from 3.6 on). `probe`: without the last zxid, to learn whether a server that refuses silently serves at all.
 * `confirm`: the true request again, right after a probe that was answered.
 */
export type Purpose = 'attach' | 'readOnly' | 'probe' | 'confirm';

/** Tries server after server until the session is attached to one, or is over. */
export class Attacher {
  #running = false;
  #pause: Timer | undefined;
  #query: HostQuery | undefined;
  #attempt: Attempt | undefined;
  readonly #refusals = new Map<string, number>();

  constructor(
    private readonly hosts: Rounds,
    private readonly options: ResolvedOptions,
    private readonly user: AttacherUser,
  ) {}

  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#next();
  }

  stop(): void {
    this.#running = false;
    this.#drop();
  }

  /** The servers are others now: where one is looked for, that begins anew. */
  restart(): void {
    this.hosts.restart();
    if (!this.#running) return;
    this.#drop();
    this.#next();
  }

  /** Gives up what is under way. */
  #drop(): void {
    this.#pause?.cancel();
    this.#query?.stop();
    const attempt = this.#attempt;
    this.#attempt = undefined;
    attempt?.abandon();
  }

  #next(): void {
    if (this.hosts.hasFailed) this.user.roundFailed();
    const pause = this.hosts.pause(this.user.longestPause());
    const next = (): void => (this.hosts.isOver ? this.#beginRound() : this.#tryNext());
    this.#pause = after(pause, next, this.options.unref);
  }

  #beginRound(): void {
    this.#query = this.hosts.begin(this.#budget(), (failure) => {
      if (failure !== undefined) this.user.hostsFailed(this.hosts.providerName, failure);
      if (this.hosts.isOver) this.#next();
      else this.#tryNext();
    });
    this.#query.start();
  }

  #tryNext(): void {
    this.#try(this.hosts.take(), this.user.connectRequest());
  }

  /** How long one attempt may take, milliseconds. */
  #budget(): number {
    const share = this.user.timeout() / Math.max(this.hosts.servers.length, LEAST_ATTEMPTS);
    return Math.min(Math.max(share, LEAST_ATTEMPT), LONGEST_ATTEMPT);
  }

  #try(server: ServerAddress, request: ConnectRequest, purpose: Purpose = 'attach'): void {
    const timeout = this.#budget();
    this.user.attempted(server, purpose);
    this.#attempt = new Attempt(server, request, timeout, this.options, {
      traffic: this.user.traffic,
      answered: (answer, connection, sentAt) =>
        purpose === 'probe'
          ? this.#probed(answer, connection, request)
          : this.#answered(answer, connection, request, sentAt, purpose),
      failed: (reason, refusedSilently) => {
        if (refusedSilently && purpose === 'attach' && request.readOnly && !request.sessionId.isZero()) {
          this.#tryWithoutSession(server, request);
          return;
        }
        if (refusedSilently && purpose === 'confirm') this.user.ahead();
        this.#failed(server, request, reason, refusedSilently && (purpose === 'attach' || purpose === 'readOnly'));
      },
    });
  }

  #tryWithoutSession(server: ServerAddress, request: ConnectRequest): void {
    this.#try(server, { ...request, sessionId: Long.ZERO, password: Buffer.alloc(16) }, 'readOnly');
  }

  #answered(
    answer: HandshakeAnswer,
    connection: Connection,
    request: ConnectRequest,
    sentAt: number,
    purpose: Purpose,
  ): void {
    // Without a quorum nobody can tell that a session is over: it may have begun behind the back of this server.
    if (answer.kind === 'expired' && answer.readOnly && !request.sessionId.isZero()) {
      connection.end(new LinkError('a server without a quorum does not know the session'));
      this.#tryWithoutSession(connection.server, request);
      return;
    }
    // There was no session that could have expired; and one that was opened in place of the old one is of no use.
    const problem =
      answer.kind === 'expired' && request.sessionId.isZero()
        ? 'the server opened no session'
        : answer.kind === 'attached' && !answer.readOnly && purpose === 'readOnly'
          ? 'the server has just begun to take writes'
          : undefined;
    if (problem !== undefined) {
      const reason = new LinkError(problem);
      connection.end(reason);
      this.#failed(connection.server, request, reason, false);
      return;
    }
    this.#attempt = undefined;
    this.#running = false;
    this.#refusals.clear();
    if (answer.kind === 'attached') {
      const { key, timeout, readOnly } = answer;
      this.user.attached({ connection, key, timeout, sentAt, readOnly });
    } else {
      connection.end(new LinkError('the session has expired'));
      this.user.expired();
    }
  }

  #probed(answer: HandshakeAnswer, connection: Connection, request: ConnectRequest): void {
    this.#attempt = undefined;
    connection.end(new LinkError('only asked whether the server is behind'));
    // A server that knows the session is merely late, as is one without a quorum; reading from it could show an older
    // state than was seen.
    const isLate = answer.readOnly || (answer.kind === 'attached' && !request.sessionId.isZero());
    if (isLate) this.#next();
    // It may have begun to serve only now: it is behind if it refuses the true request once more.
    else this.#try(connection.server, this.user.connectRequest(), 'confirm');
  }

  #failed(server: ServerAddress, request: ConnectRequest, reason: Error, refusedSilently: boolean): void {
    this.#attempt = undefined;
    this.user.attemptFailed(server, reason);
    if (!this.#running) return;
    const refusals = refusedSilently ? (this.#refusals.get(formatServer(server)) ?? 0) + 1 : 0;
    this.#refusals.set(formatServer(server), refusals);
    if (refusals >= REFUSALS_BEFORE_PROBE && !request.lastZxidSeen.isZero()) {
      // With the session, also after a try without it: a server that knows it is not behind.
      this.#try(server, { ...this.user.connectRequest(), lastZxidSeen: Long.ZERO }, 'probe');
    } else {
      this.#next();
    }
  }
}

interface AttemptUser {
  readonly traffic: Traffic | undefined;
  answered(answer: HandshakeAnswer, connection: Connection, sentAt: number): void;
  /** `refusedSilently`: the server took the connect request and closed without a byte. */
  failed(reason: Error, refusedSilently: boolean): void;
}

/** One attempt at one server: look-up, connection and handshake, within one limit of time. */
class Attempt {
  readonly #connection: Connection;
  readonly #timer: Timer;
  #sentAt: number | undefined;
  /** Nobody is told of the end of the connection: the attempt has succeeded or was given up. */
  #over = false;
  #timedOut = false;

  constructor(
    server: ServerAddress,
    private readonly request: ConnectRequest,
    timeout: number,
    options: ResolvedOptions,
    private readonly user: AttemptUser,
  ) {
    this.#connection = new Connection(
      server,
      {
        opened: () => this.#opened(),
        heard: () => undefined,
        frame: (frame) => this.#answered(readHandshake(frame, this.request)),
        ended: (reason) => this.#ended(reason),
      },
      {
        maxFrameBytes: options.maxReplyBytes,
        lookup: options.lookup,
        tls: tlsFor(server, options.tls),
        unref: options.unref,
        traffic: user.traffic,
      },
    );
    const giveUp = (): void => {
      this.#timedOut = true;
      this.#connection.giveUp(this.#sentAt === undefined ? 'connection' : 'answer to the connect request', timeout);
    };
    this.#timer = after(timeout, giveUp, options.unref);
  }

  /** Ends the attempt and tells nobody. */
  abandon(): void {
    this.#over = true;
    this.#timer.cancel();
    this.#connection.end(new LinkError('the attempt was given up'));
  }

  #opened(): void {
    writeHandshake(this.#connection.out, this.request);
    this.#sentAt = this.#connection.send();
  }

  #answered(answer: HandshakeAnswer): void {
    this.#timer.cancel();
    this.#over = true;
    this.user.answered(answer, this.#connection, this.#sentAt ?? -Infinity);
  }

  #ended(reason: Error): void {
    this.#timer.cancel();
    if (this.#over) return;
    const refusedSilently = this.#sentAt !== undefined && this.#connection.bytesRead === 0 && !this.#timedOut;
    this.user.failed(refusedSilently ? this.#guess(reason) : reason, refusedSilently);
  }

  /** A server that serves nobody yet gives no reason, nor does one that is spoken to in the wrong way. */
  #guess(reason: Error): Error {
    if (!(reason instanceof LinkError)) return reason;
    const other = this.#connection.secure
      ? 'it does not take client certificates (authProvider.x509)'
      : 'this is a TLS port, which takes the option tls';
    return new LinkError(`${reason.message} without an answer; it serves nobody yet, or ${other}`, { cause: reason });
  }
}
