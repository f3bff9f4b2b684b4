import { now } from './clock.js';
import { formatServer, type ServerAddress } from './connection/connect-string.js';
import type { SessionEvent, SessionState } from './events.js';
import { ClientLog, hexOf, type LogArea, type LogFields, type LogLevel } from './log.js';
import { channels, type ConnectionMessage } from './metrics/channels.js';
import { ClientMetrics } from './metrics/client-metrics.js';
import type { Metrics } from './metrics/snapshot.js';
import type { ResolvedOptions } from './options.js';
import type { Purpose } from './session/attacher.js';
import type { LastZxid } from './session/last-zxid.js';
import type { Session } from './session/session.js';
import { isAttached } from './session/states.js';

/** How much a new state matters. */
const levels: Readonly<Record<SessionState, LogLevel>> = {
  connecting: 'debug',
  connected: 'info',
  readonly: 'warn',
  suspended: 'warn',
  expired: 'warn',
  closed: 'info',
  authFailed: 'error',
};

/** What telemetry looks at in a client. */
export interface ObservedClient {
  readonly session: Session;
  readonly options: ResolvedOptions;
  readonly lastZxid: LastZxid;
}

/** Tells of one client what goes on: counts it, writes the log, and publishes it on the channels of Node. */
export class Telemetry {
  readonly metrics = new ClientMetrics(now());
  readonly #log: ClientLog;
  /** The server that was used or tried last. */
  #server: string | undefined;
  /** The server of the last connection. */
  #connectedTo: string | undefined;
  /** Attempts since the last connection. */
  #attempts = 0;
  /** The server in use is about to be left, on purpose. */
  #isLeaving = false;
  /** Servers whose failure was reported since the last connection: in an outage, more of it would be noise. */
  readonly #reported = new Set<string>();

  constructor(private readonly client: ObservedClient) {
    this.#log = new ClientLog(client.options.logger);
  }

  /** A server is tried. */
  attempted(address: ServerAddress, purpose: Purpose): void {
    const server = (this.#server = formatServer(address));
    const attempt = ++this.#attempts;
    this.metrics.connections.attempts++;
    const what = purpose === 'attach' ? 'is tried' : `is tried (${purpose})`;
    this.#write('debug', 'connection', what, { attempt });
    this.#publishLater({ type: 'attempt', session: this.#sessionId, server, attempt });
  }

  /** It did not work. */
  attemptFailed(address: ServerAddress, cause: Error): void {
    const server = (this.#server = formatServer(address));
    const attempt = this.#attempts;
    this.metrics.connections.failedAttempts++;
    this.#write(this.#reported.has(server) ? 'debug' : 'warn', 'connection', 'the attempt failed', { attempt, cause });
    this.#reported.add(server);
    this.#publishLater({ type: 'attemptFailed', session: this.#sessionId, server, attempt, cause });
  }

  /** The state of a session has changed. */
  moved(session: Session, from: SessionState, why: string): void {
    const { state, server, timeout } = session;
    if (server !== undefined) {
      this.#server = this.#connectedTo = formatServer(server);
      this.#attempts = 0;
      this.#reported.clear();
    }
    const level = this.#isLeaving && state === 'suspended' ? 'info' : levels[state];
    this.#write(level, 'session', `${from} -> ${state}: ${why}`, {
      session: session.hexId,
      server: isAttached(from) ? this.#connectedTo : this.#server,
      ...(timeout > 0 ? { sessionTimeout: timeout } : {}),
    });
  }

  /** The server in use is left for another one, on purpose. */
  leaving(): void {
    this.#isLeaving = true;
  }

  /** Before users are told of an event. */
  told(event: SessionEvent): void {
    this.#count(event);
    this.#report(event);
    this.#publish(event);
  }

  /** The metrics as they are now. */
  snapshot(): Metrics {
    const { session } = this.client;
    const { counts } = session.watches;
    const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
    return this.metrics.snapshot(now(), {
      state: session.state,
      session: {
        id: session.hexId,
        timeout: session.timeout,
        remaining: Math.max(0, session.deadline.remaining),
        server: session.server === undefined ? null : formatServer(session.server),
      },
      watches: { ...counts, total },
      load: session.load,
    });
  }

  get #sessionId(): string {
    return this.client.session.hexId;
  }

  #count(event: SessionEvent): void {
    const { connections, sessions, availability } = this.metrics;
    switch (event.type) {
      case 'connected':
        connections.connected++;
        if (event.resumed) connections.reconnected++;
        else sessions.opened++;
        availability.up(now());
        this.#isLeaving = false;
        break;
      case 'suspended':
        if (this.#isLeaving) connections.moved++;
        else connections.lost++;
        this.#isLeaving = false;
        availability.down(now());
        break;
      case 'lost':
        sessions.lost++;
        break;
      case 'expired':
        sessions.expired++;
        availability.down(now());
        if (!this.client.options.renewSession) availability.end(now());
        break;
      case 'authFailed':
      case 'closed':
        availability.end(now());
        break;
      case 'readonly':
        connections.readOnly++;
        break;
      case 'stalled':
        sessions.stalled++;
        break;
      case 'aheadOfServers':
        break;
    }
  }

  /** What is no change of state, or more than one. */
  #report(event: SessionEvent): void {
    const session = hexOf(event.sessionId);
    if (event.type === 'lost')
      this.#write('warn', 'session', 'the session counts as lost: no server has confirmed it in time', { session });
    if (event.type === 'stalled')
      this.#write('warn', 'session', `this process was held up for ${Math.round(event.lag)} ms`, { session });
    if (event.type === 'aheadOfServers')
      this.#write('error', 'session', 'the servers are behind what this client has seen: the ensemble has lost data', {
        session,
      });
  }

  #write(level: LogLevel, area: LogArea, what: string, fields: Partial<LogFields>): void {
    const { session, lastZxid } = this.client;
    this.#log.write(level, area, what, {
      session: session.hexId,
      server: this.#server,
      lastZxid: hexOf(lastZxid.value),
      queued: session.load.queued,
      ...fields,
    });
  }

  #publish(event: SessionEvent): void {
    if (channels.session.hasSubscribers) channels.session.publish(event);
    if (!channels.connection.hasSubscribers) return;
    const session = hexOf(event.sessionId);
    const { type } = event;
    if (type === 'connected') {
      const { server, sessionTimeout, resumed } = event;
      channels.connection.publish({ type, session, server, sessionTimeout, resumed } satisfies ConnectionMessage);
    } else if (type === 'readonly') {
      channels.connection.publish({ type, session, server: event.server } satisfies ConnectionMessage);
    } else if (type === 'suspended') {
      const { cause } = event;
      const server = this.#connectedTo ?? '';
      channels.connection.publish({ type: 'disconnected', session, server, cause } satisfies ConnectionMessage);
    }
  }

  /** On a turn of its own: subscribers may call anything, and here an attempt is half made. */
  #publishLater(message: ConnectionMessage): void {
    if (channels.connection.hasSubscribers) process.nextTick(() => channels.connection.publish(message));
  }
}
