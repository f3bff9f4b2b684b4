import { EventEmitter } from 'node:events';
import Long from 'long';
import { after } from './clock.js';
import { formatServer, type ServerAddress } from './connection/connect-string.js';
import type { HostProvider } from './connection/host-provider.js';
import { Rounds } from './connection/rounds.js';
import { ServerList } from './connection/server-list.js';
import {
  AbortedError,
  AuthFailedError,
  ClosedError,
  ConnectError,
  InvalidArgumentError,
  LinkError,
  SessionExpiredError,
  type ZooKeeperError,
} from './errors.js';
import { emitIsolated, type SessionEvent } from './events.js';
import type { ResolvedOptions } from './options.js';
import { Delivery } from './session/delivery.js';
import type { SessionKey } from './session/handshake.js';
import { Identities } from './session/identities.js';
import { LastZxid } from './session/last-zxid.js';
import { ProcessHold } from './session/process-hold.js';
import { Session } from './session/session.js';
import type { SessionSurroundings } from './session/surroundings.js';
import { type FinalState, isAttached, isFinal } from './session/states.js';
import { Telemetry } from './telemetry.js';

/** What a client asks of its sessions. */
export type Sessions = Pick<
  Succession,
  'session' | 'servers' | 'updateServers' | 'events' | 'identities' | 'options' | 'telemetry' | 'ready' | 'close'
>;

/** The sessions of one client, one after the other: when one expires, the next one is opened. */
export class Succession {
  readonly events = new EventEmitter();
  readonly identities: Identities;
  readonly telemetry: Telemetry;
  readonly lastZxid = new LastZxid();
  readonly #surroundings: SessionSurroundings<Session>;
  /** The servers that were tried since the last connection, with what came of the last try that has ended. */
  readonly #attempts = new Map<string, Error | undefined>();
  readonly #hold: ProcessHold | undefined;
  /** Called when every server was tried in vain. */
  readonly #onRoundFailed = new Set<() => void>();
  readonly #hosts: Rounds;
  /** The servers, where they are a list; else a provider is asked for them. */
  readonly #list: ServerList | undefined;
  #session: Session;
  #closing: Promise<boolean> | undefined;

  constructor(
    hosts: readonly ServerAddress[] | HostProvider,
    readonly options: ResolvedOptions,
  ) {
    // Every recipe listens; many listeners are no leak here.
    this.events.setMaxListeners(0);
    const provider = 'servers' in hosts ? hosts : new ServerList(hosts);
    this.#list = provider instanceof ServerList ? provider : undefined;
    this.#hosts = new Rounds(provider, options.unref);
    this.identities = new Identities(options.auth);
    this.#hold = options.unref ? new ProcessHold() : undefined;
    this.telemetry = new Telemetry(this);
    this.#surroundings = {
      options,
      hosts: this.#hosts,
      identities: this.identities,
      lastZxid: this.lastZxid,
      delivery: new Delivery(),
      hold: this.#hold,
      metrics: this.telemetry.metrics,
      onMoved: (session, from, why) => this.telemetry.moved(session, from, why),
      onLeaving: () => this.telemetry.leaving(),
      onEvent: (event) => this.#tell(event),
      onEnded: (session, state) => this.#ended(session, state),
      onAttempt: (server, purpose) => {
        this.#attempts.set(formatServer(server), this.#attempts.get(formatServer(server)));
        this.telemetry.attempted(server, purpose);
      },
      onAttemptFailed: (server, reason) => {
        this.#attempts.set(formatServer(server), reason);
        this.telemetry.attemptFailed(server, reason);
      },
      onHostsFailed: (provider, reason) => this.#attempts.set(provider, reason),
      onRoundFailed: () => {
        for (const tell of [...this.#onRoundFailed]) tell();
      },
    };
    this.#session = new Session(this.#surroundings, keyOf(options));
    this.#session.start();
  }

  /** The session that operations go to now. */
  get session(): Session {
    return this.#session;
  }

  /** The servers, in the order in which they come next. */
  get servers(): readonly ServerAddress[] {
    return this.#list?.listed ?? this.#hosts.servers;
  }

  /**
   * Resolves once a session is connected. Rejects when that is out of the question, or the wait is ended; with
   * `failFast` also when every server was tried in vain.
   */
  ready(timeout: number | undefined, signal: AbortSignal | undefined, failFast = false): Promise<void> {
    this.#hold?.take();
    return new Promise((resolve, reject) => {
      const settle = (error?: ZooKeeperError): void => {
        this.#hold?.give();
        timer?.cancel();
        this.events.off('session', look);
        this.#onRoundFailed.delete(onRoundFailed);
        signal?.removeEventListener('abort', onAbort);
        if (error === undefined) resolve();
        else reject(error);
      };
      const look = (): void => {
        const { state } = this.#session;
        if (isAttached(state)) settle();
        else if (isFinal(state)) settle(finalError(state, this.#session.refusal));
      };
      const onAbort = (): void =>
        settle(new AbortedError('it was aborted', { operation: 'connect', cause: signal?.reason }, false));
      const onRoundFailed = (): void => settle(this.#connectError('no session at any server'));
      const onTimeout = (): void => settle(this.#connectError(`no session within ${timeout} ms`));
      const timer = timeout === undefined ? undefined : after(timeout, onTimeout);
      if (failFast) this.#onRoundFailed.add(onRoundFailed);
      this.events.on('session', look);
      signal?.addEventListener('abort', onAbort);
      if (signal?.aborted === true) onAbort();
      else look();
    });
  }

  /**
   * Puts other servers in the place of those known; those of `lastResort` are tried after them. Returns whether the
   * session moves to another server. Throws `InvalidArgumentError` where a provider is asked for the servers.
   */
  updateServers(servers: readonly ServerAddress[], lastResort: readonly ServerAddress[] = []): boolean {
    if (this.#list === undefined) {
      const problem = `the servers of this client come from ${this.#hosts.providerName}, which is asked again at each round`;
      throw new InvalidArgumentError(problem, { operation: 'updateServers' });
    }
    const moves = this.#list.update(servers, this.#session.place, lastResort);
    this.#session.serversChanged(moves);
    return moves;
  }

  /** Ends the current session and opens no other. Resolves with whether the server has confirmed it. */
  close(timeout: number, keepSession: boolean): Promise<boolean> {
    this.#closing ??= this.#session.close(timeout, keepSession);
    return this.#closing;
  }

  #connectError(message: string): ConnectError {
    const attempts = [...this.#attempts].map(([server, reason]) => ({
      server,
      reason: reason ?? new LinkError('it has not answered yet'),
    }));
    return new ConnectError(message, attempts, attempts[0]?.reason);
  }

  #ended(session: Session, state: FinalState): void {
    if (state !== 'expired' || !this.options.renewSession) return;
    this.#session = new Session(this.#surroundings, undefined, session.id);
    this.#session.start();
  }

  #tell(event: SessionEvent): void {
    if (event.type === 'connected' || event.type === 'readonly') this.#attempts.clear();
    this.telemetry.told(event);
    emitIsolated(this.events, event);
  }
}

function keyOf({ session }: ResolvedOptions): SessionKey | undefined {
  if (session === undefined) return undefined;
  return {
    id: Long.fromString(session.id.slice(2), true, 16).toSigned(),
    password: Buffer.from(session.password, 'base64'),
  };
}

/** What a call comes to under a session that is over; `refusal`: why a server refused the credentials. */
export function finalError(state: FinalState, refusal?: Error): ZooKeeperError {
  const context = { operation: 'connect', cause: refusal };
  if (state === 'closed') return new ClosedError('the client was closed', context, false);
  if (state === 'expired') return new SessionExpiredError('the session has expired', context, false);
  return new AuthFailedError(refusal?.message ?? 'the credentials were refused', context, false);
}
