import { inspect } from 'node:util';
import Long from 'long';
import { now } from '../clock.js';
import { formatServer, type ServerAddress } from '../connection/connect-string.js';
import { type Failure, isFailure, LinkError, UnansweredFailure } from '../errors.js';
import type { SessionEvent, SessionState } from '../events.js';
import { hexOf } from '../log.js';
import { OperationMeter } from '../metrics/operation-meter.js';
import type { AuthRequest } from '../operations/auth.js';
import { CONFIG_PATH } from '../operations/config.js';
import { closeSession, exists, removeWatches } from '../operations/index.js';
import type { OneShotKind, Operation } from '../operations/operation.js';
import type { RemovableWatches } from '../operations/watching.js';
import type { ResolvedOptions } from '../options.js';
import type { ConnectRequest } from '../protocol/records.js';
import { type Attached, Attacher } from './attacher.js';
import { Channel } from './channel.js';
import { Deadline, defaultMargin } from './deadline.js';
import { Farewell } from './farewell.js';
import type { SessionKey } from './handshake.js';
import { type Arming, type PendingRequest, type RequestLimits, TypedRequest } from './pending-request.js';
import { RequestFlow } from './request-flow.js';
import { SaslDialogue } from './sasl.js';
import { ServerRelease } from './server-release.js';
import { SessionWatches } from './session-watches.js';
import { canMove, type FinalState, isAttached, isFinal } from './states.js';
import type { SessionSurroundings } from './surroundings.js';
import type { OneShotListener, WatchRegistry } from './watch-registry.js';

/** A server that is left has this part of the session timeout to answer what was sent to it. */
const LEAVE_WITHIN = 1 / 3;

/** While the session lives, pauses between rounds stay below a part of its timeout, but not below this, milliseconds. */
const LEAST_PAUSE = 100;

const unset = (): void => undefined;

const NO_SESSION: SessionKey = { id: Long.ZERO, password: Buffer.alloc(16) };

/**
 * One ZooKeeper session across any number of connections. It ends once: expired, closed, or with its credentials
 * refused.
 */
export class Session {
  /** Whether an ephemeral znode may belong to it: one was asked for. */
  mayOwnEphemerals = false;
  readonly deadline: Deadline;
  readonly #flow: RequestFlow;
  readonly #watching: SessionWatches;
  readonly #attacher: Attacher;
  readonly #release = new ServerRelease();
  readonly #meter: OperationMeter;

  #state: SessionState = 'connecting';
  #key: SessionKey;
  #timeout = 0;
  #wasConnected: boolean;
  /** Whether the ensemble knows the session: one that a read-only server has made up is known to nobody else. */
  #isReal: boolean;
  #toldAhead = false;
  #attachments = 0;
  #channel: Channel | undefined;
  /** Whether the server at its other end is cut off from its quorum. */
  #isReadOnly = false;
  /** Callers who wait until credentials were accepted on the next connection. */
  #claimants: ((failure?: Failure) => void)[] = [];
  #farewell: Farewell | undefined;
  /** Under way on the channel, before anything else. */
  #sasl: SaslDialogue | undefined;
  /** Why credentials were refused, if that is how the session has ended. */
  #refusal: Error | undefined;

  constructor(
    private readonly around: SessionSurroundings<Session>,
    /** A session of another process to attach to. */
    key: SessionKey = NO_SESSION,
    /** The session that this one replaces. */
    private readonly previousId?: Long,
  ) {
    this.#key = key;
    this.#wasConnected = !key.id.isZero();
    this.#isReal = this.#wasConnected;
    this.deadline = new Deadline(() => this.#tell({ type: 'lost', sessionId: this.id }), around.options.unref);
    this.#meter = new OperationMeter(around.metrics);
    this.#flow = new RequestFlow(this, around.options);
    this.#watching = new SessionWatches(this, around, this.#meter);
    this.#attacher = new Attacher(around.hosts, around.options, {
      traffic: around.metrics.traffic,
      connectRequest: () => this.#connectRequest(),
      timeout: () => this.#timeout || Math.min(around.options.sessionTimeout, around.options.connectTimeout),
      longestPause: () => (this.deadline.remaining > 0 ? Math.max(LEAST_PAUSE, this.#timeout / 6) : undefined),
      attached: (attached) => this.#attached(attached),
      expired: () => this.#expired('the server knows no such session'),
      ahead: () => this.#ahead(),
      attempted: around.onAttempt,
      attemptFailed: around.onAttemptFailed,
      hostsFailed: around.onHostsFailed,
      roundFailed: around.onRoundFailed,
    });
  }

  /** Begins to look for a server. */
  start(): void {
    this.#attacher.start();
  }

  get state(): SessionState {
    return this.#state;
  }

  /** 0 until the first connection. */
  get id(): Long {
    return this.#key.id;
  }

  /** The id in hexadecimal, as servers log it. */
  get hexId(): string {
    return hexOf(this.id);
  }

  get password(): Buffer {
    return this.#key.password;
  }

  /** Negotiated session timeout, milliseconds; 0 until the first connection. */
  get timeout(): number {
    return this.#timeout;
  }

  /** The server in use. */
  get server(): ServerAddress | undefined {
    return this.isAttached ? this.#channel?.connection.server : undefined;
  }

  get options(): ResolvedOptions {
    return this.around.options;
  }

  /** The highest zxid that the client has seen. */
  get lastZxid(): Long {
    return this.around.lastZxid.value;
  }

  /** How often it was attached to a server. */
  get attachments(): number {
    return this.#attachments;
  }

  /** Whether there is a connection that operations are sent on. */
  get isAttached(): boolean {
    return isAttached(this.#state);
  }

  /** What was asked for and is not answered. */
  get load(): { readonly inFlight: number; readonly queued: number; readonly queuedBytes: number } {
    return { inFlight: this.#channel?.inFlight ?? 0, ...this.#flow.load };
  }

  /** The server that the session is at and stays at, by all its names. */
  get place(): readonly ServerAddress[] {
    return this.sendable?.connection.serverNames ?? [];
  }

  /** The channel on which requests are sent, if there is one now. */
  get sendable(): Channel | undefined {
    return this.isAttached && this.#channel?.isLeaving === false ? this.#channel : undefined;
  }

  /** Asks the server for something. The promise never rejects: a failure is an outcome, too. */
  submit<Request, Result>(
    operation: Operation<Request, Result>,
    request: Request,
    bytes: number,
    limits?: RequestLimits,
    arming?: Arming,
  ): Promise<Result | Failure> {
    const { hold, delivery } = this.around;
    // Outside of the closure: what a closure uses is kept in an object of its own, at each call.
    let settle: (outcome: Result | Failure) => void = unset;
    const outcome = new Promise<Result | Failure>((resolve) => (settle = resolve));
    const resolve = hold === undefined ? settle : hold.during(settle);
    const pending = new TypedRequest(operation, request, bytes, delivery, resolve, arming, this.#meter);
    this.#meter.asked(pending);
    if (limits !== undefined) pending.limit(limits);
    if (!pending.settled) this.#flow.add(pending);
    return outcome;
  }

  /** Sends a request, lets it wait for its turn, or fails it. */
  add(request: PendingRequest): void {
    this.#flow.add(request);
  }

  /** Makes the server forget all watches of a path. */
  askToRemove(path: string): Promise<void | Failure> {
    return this.submit(removeWatches, { path, watches: 'any' }, path.length);
  }

  /** Claims an identity, which is among `identities` already, on this connection or the next one. */
  claim(request: AuthRequest): Promise<Failure | undefined> {
    const { hold } = this.around;
    return new Promise<Failure | undefined>((settle) => {
      const resolve = hold === undefined ? settle : hold.during(settle);
      const channel = this.sendable;
      if (channel === undefined) this.#awaitClaims(resolve);
      else channel.claim(request, (accepted) => (accepted ? resolve(undefined) : this.#awaitClaims(resolve)));
    });
  }

  #awaitClaims(settle: (failure?: Failure) => void): void {
    if (isFinal(this.#state)) settle(this.#flow.failureIn(this.#state, false));
    else this.#claimants.push(settle);
  }

  // --- Attaching -----------------------------------------------------------------------------------------------------

  #connectRequest(): ConnectRequest {
    const { lastZxid, options } = this.around;
    const { id, password } = this.#isReal ? this.#key : NO_SESSION;
    return {
      lastZxidSeen: lastZxid.value,
      timeout: options.sessionTimeout,
      sessionId: id,
      password,
      // One that takes no writes is not asked again beside it, nor can it end a session.
      readOnly: options.readOnly && this.#state !== 'readonly' && this.#farewell === undefined,
    };
  }

  #attached(attached: Attached): void {
    const { connection, key, timeout, sentAt, readOnly } = attached;
    const { around, deadline } = this;
    deadline.look(now());
    this.#attachments++;
    if (readOnly) this.#attachedReadOnly(attached);
    else {
      this.#key = key;
      this.#timeout = timeout;
      this.#isReal = true;
      deadline.grant(timeout, sentAt);
    }
    this.#meter.session = this.hexId;
    this.#meter.server = formatServer(connection.server);
    const channel: Channel = new Channel(
      connection,
      timeout,
      {
        lastZxid: around.lastZxid,
        deadline: readOnly ? powerless(deadline) : deadline,
        options: around.options,
        release: this.#release,
        meter: this.#meter,
      },
      {
        confirmed: () => {
          // Where a server without a quorum is used, another one is looked for; where this one is being left, too.
          if (!readOnly && !channel.isLeaving) around.hosts.confirmed(connection.server);
        },
        changed: (change) => this.#watching.changed(change),
        roomy: () => this.#flow.sendWaiting(channel),
        late: (lag) => this.#late(lag),
        expired: () => {
          // A server without a quorum cannot tell.
          if (readOnly) connection.end(new LinkError('a server without a quorum does not know the session'));
          else this.#expired('the server answered that the session has expired');
        },
        authFailed: (why) => this.#refused(this.#sasl?.refusal(why) ?? new LinkError(why)),
        ended: (reason, unanswered) => this.#disconnected(channel, reason, unanswered),
      },
    );
    const before = this.#channel;
    this.#channel = channel;
    this.#isReadOnly = readOnly;
    this.#release.reconnected();
    if (before !== undefined) {
      around.onLeaving();
      before.connection.end(new LinkError('a server was found that takes writes'));
    }
    this.#prove(channel, readOnly);
  }

  /** Nothing else is sent before both sides have proved who they are. */
  #prove(channel: Channel, readOnly: boolean): void {
    const { options, delivery } = this.around;
    if (options.sasl === undefined) {
      this.#proved(channel, readOnly);
      return;
    }
    channel.hush();
    this.#sasl = new SaslDialogue(
      channel,
      options.sasl,
      { delivery, meter: this.#meter, unref: options.unref },
      (this.#timeout * 2) / 3,
      {
        proved: () => {
          this.#sasl = undefined;
          channel.wake();
          this.#proved(channel, readOnly);
        },
        failed: (error) => this.#refused(error),
      },
    );
  }

  #proved(channel: Channel, readOnly: boolean): void {
    if (this.#farewell === undefined) this.#authenticate(channel, readOnly);
    else if (readOnly) channel.connection.end(new LinkError('a server without a quorum cannot end the session'));
    else this.#sayFarewell(channel, this.#farewell);
  }

  #refused(why: Error): void {
    if (this.#farewell?.isOpen === true) this.#farewell.done(false);
    if (isFinal(this.#state)) return;
    this.#refusal = why;
    this.#finish('authFailed', why.message);
  }

  /** A server without a quorum takes any session for alive, and makes one up where there is none. */
  #attachedReadOnly({ key, timeout }: Attached): void {
    // Of a session that another process has opened, this is the first that is heard of its timeout.
    if (!this.#isReal || this.#timeout === 0) this.#timeout = timeout;
    if (!this.#isReal) this.#key = key;
  }

  /** No operation is sent before the server has accepted all credentials, those included that are added meanwhile. */
  #authenticate(channel: Channel, readOnly: boolean, begin = 0): void {
    const requests = this.around.identities.all.slice(begin);
    let open = requests.length;
    if (open === 0) this.#established(channel, readOnly);
    for (const request of requests) {
      channel.claim(request, (accepted) => {
        if (accepted && --open === 0 && this.#farewell === undefined)
          this.#authenticate(channel, readOnly, begin + requests.length);
      });
    }
  }

  #established(channel: Channel, readOnly: boolean): void {
    const server = formatServer(channel.connection.server);
    this.#toldAhead = false;
    this.#move(readOnly ? 'readonly' : 'connected', `at ${server}, session timeout ${this.#timeout} ms`);
    for (const settle of this.#claimants.splice(0)) settle();
    this.#watching.resume(channel);
    if (readOnly) this.#beginReadOnly(channel, server);
    else this.#beginConnected(channel, server);
  }

  #beginReadOnly(channel: Channel, server: string): void {
    this.deadline.suspended();
    this.#flow.readOnlyFrom(channel);
    this.#tell({ type: 'readonly', sessionId: this.id, server });
    // Meanwhile one that takes writes is looked for.
    if (this.#channel === channel) this.#attacher.start();
  }

  #beginConnected(channel: Channel, server: string): void {
    const resumed = this.#wasConnected;
    this.#wasConnected = true;
    // Not before: a server that takes sessions and then drops them is to be tried after pauses.
    this.deadline.resumed();
    this.#flow.sendWaiting(channel);
    this.#tell({
      type: 'connected',
      sessionId: this.id,
      server,
      sessionTimeout: this.#timeout,
      resumed,
      previousSessionId: this.previousId,
    });
  }

  /** Every server that answers lacks what this client has seen. */
  #ahead(): void {
    const { lastZxid, options } = this.around;
    if (!this.#toldAhead) this.#tell({ type: 'aheadOfServers', sessionId: this.id, lastZxid: lastZxid.value });
    this.#toldAhead = true;
    if (options.whenAhead === 'wait') return;
    lastZxid.forget();
    if (this.#isReal) this.#expired('the servers have lost what this session has seen');
  }

  // --- Watches -------------------------------------------------------------------------------------------------------

  get watches(): WatchRegistry {
    return this.#watching.registry;
  }

  /** See {@link SessionWatches.again}. */
  watchAgain(path: string): void {
    this.#watching.again(path);
  }

  /** See {@link SessionWatches.addOneShot}. */
  addOneShot(kind: OneShotKind, path: string, listener: OneShotListener): void {
    this.#watching.addOneShot(kind, path, listener);
  }

  /** See {@link SessionWatches.unwatch}. */
  unwatch(path: string, key: unknown): void {
    this.#watching.unwatch(path, key);
  }

  /** See {@link SessionWatches.remove}. */
  removeWatches(path: string): Promise<void> {
    return this.#watching.remove(path);
  }

  /** See {@link SessionWatches.end}. */
  endWatches(path: string, watches: RemovableWatches): boolean {
    return this.#watching.end(path, watches);
  }

  /**
   * Whether the server is of 3.5 or later, or undefined if that cannot be told. An older one closes the connection at an
   * operation that it does not know, with all that others have on their way: so what nobody has asked for is only sent
   * where it is known.
   */
  async hasNewServer(limits?: RequestLimits): Promise<boolean | undefined> {
    if (this.#release.isNew === undefined) {
      const found = await this.submit(exists, { path: CONFIG_PATH, watch: false }, CONFIG_PATH.length, limits);
      if (!isFailure(found)) this.#release.hasConfig(found !== null);
    }
    return this.#release.isNew;
  }

  /** As far as that is known without asking; see {@link hasNewServer}. */
  get isNewServer(): boolean | undefined {
    return this.#release.isNew;
  }

  // --- The servers change ------------------------------------------------------------------------------------------

  /**
   * The servers are others than before. With `leave`, the one in use is left for another one, once it has answered what
   * was sent to it; what is asked for meanwhile waits.
   */
  serversChanged(leave: boolean): void {
    this.#attacher.restart();
    const channel = this.#channel;
    if (channel === undefined || isFinal(this.#state) || !leave) return;
    const why = 'the servers have changed, and this one is left for another';
    this.around.onLeaving();
    if (this.isAttached) channel.leave(why, this.#timeout * LEAVE_WITHIN);
    else channel.connection.end(new LinkError(why));
  }

  // --- The connection ends -------------------------------------------------------------------------------------------

  #disconnected(channel: Channel, reason: Error, unanswered: readonly PendingRequest[]): void {
    const isReplaced = this.#channel !== channel;
    if (!isReplaced) {
      this.#channel = undefined;
      this.#sasl?.stop();
      this.#sasl = undefined;
    }
    // A server that takes a session and drops it at once has failed as one that does not take it.
    if (!isReplaced && !this.isAttached && !isFinal(this.#state))
      this.around.onAttemptFailed(channel.connection.server, reason);
    this.#flow.lost(unanswered, reason);
    if (this.isAttached) {
      this.#move('suspended', reason.message);
      this.deadline.suspended();
      this.#tell({ type: 'suspended', sessionId: this.id, cause: reason });
    }
    if (!isReplaced && (!isFinal(this.#state) || this.#farewell?.isOpen === true)) this.#attacher.start();
  }

  /** A stop that is shorter than the margin of leases has cost nothing. */
  #late(lag: number): void {
    if (!this.#isReal || lag < defaultMargin(this.#timeout)) return;
    const { remaining } = this.deadline;
    this.#tell({ type: 'stalled', sessionId: this.id, lag, remaining, sessionTimeout: this.#timeout });
  }

  // --- The session ends ----------------------------------------------------------------------------------------------

  #expired(why: string): void {
    // What was to be closed is gone: as good as closed.
    if (this.#farewell !== undefined) this.#farewell.done(true);
    else this.#finish('expired', why);
  }

  #finish(state: FinalState, why: string): void {
    if (isFinal(this.#state)) return;
    this.#move(state, why);
    this.#attacher.stop();
    this.#settleAll(state, why);
    const cause = this.#refusal ?? new LinkError(why);
    this.#channel?.connection.end(cause);
    this.around.onEnded(this, state);
    if (state === 'authFailed') this.#tell({ type: state, sessionId: this.id, cause });
    else this.#tell({ type: state, sessionId: this.id });
  }

  /** What belongs to the session ends with it. */
  #settleAll(state: FinalState, why: string): void {
    this.deadline.end(why);
    this.#flow.end(state);
    for (const settle of this.#claimants.splice(0)) settle(this.#flow.failureIn(state, false));
    this.#watching.endAll(state);
  }

  /**
   * Ends the session: what was sent before is answered first, then the server deletes its ephemeral znodes. Resolves
   * after `timeout` milliseconds at the latest, with whether the server has confirmed it.
   */
  close(timeout: number, keepSession: boolean): Promise<boolean> {
    if (isFinal(this.#state)) return Promise.resolve(false);
    const { hold } = this.around;
    return new Promise<boolean>((settle) => {
      const resolve = hold === undefined ? settle : hold.during(settle);
      const farewell = new Farewell(timeout, keepSession, (confirmed) => {
        this.#attacher.stop();
        this.#channel?.connection.end(new LinkError('the client was closed'));
        resolve(confirmed);
      });
      this.#farewell = farewell;
      this.#stayForFarewell();
      this.#move('closed', 'by the user');
      this.#settleAll('closed', 'the client was closed');
      this.#tell({ type: 'closed', sessionId: this.id });
      this.#beginFarewell(farewell);
    });
  }

  #beginFarewell(farewell: Farewell): void {
    const channel = this.#sasl === undefined ? this.#channel : undefined;
    const stays = farewell.keepSession || !this.#isReal;
    if (channel !== undefined && (stays || !this.#isReadOnly)) this.#sayFarewell(channel, farewell);
    else if (stays) farewell.done(false);
    // A session that can be reached is ended, not left to time out: proofs or attempts go on, or begin.
    else if (channel !== undefined) this.#attacher.start();
  }

  /** What was called before the end is answered, also where it waited for room, or the server was about to be left. */
  #stayForFarewell(): void {
    const channel = this.#channel;
    if (channel === undefined || !this.isAttached) return;
    channel.stay();
    this.#flow.flush(channel);
  }

  #sayFarewell(channel: Channel, farewell: Farewell): void {
    const ask = <Request, Result>(
      operation: Operation<Request, Result>,
      request: Request,
      settle: (outcome: Result | Failure) => void,
    ): void =>
      channel.send(new TypedRequest(operation, request, 0, this.around.delivery, settle, undefined, this.#meter));
    // Where the session is to live on, any answer will do: it comes after all others.
    if (farewell.keepSession || !this.#isReal)
      ask(exists, { path: '/', watch: false }, () => farewell.done(farewell.keepSession));
    else ask(closeSession, undefined, (outcome) => this.#farewellAnswered(farewell, outcome));
  }

  #farewellAnswered(farewell: Farewell, outcome: void | Failure): void {
    // Without an answer the next connection tells: the session is gone there, or is closed again.
    if (outcome instanceof UnansweredFailure) return;
    farewell.done(!isFailure(outcome));
  }

  // --- State ---------------------------------------------------------------------------------------------------------

  #move(to: SessionState, why: string): void {
    const from = this.#state;
    if (!canMove(from, to)) throw new Error(`a session cannot go from ${from} to ${to}`);
    this.#state = to;
    this.around.onMoved(this, from, why);
  }

  #tell(event: SessionEvent): void {
    this.around.delivery.event(() => this.around.onEvent(event));
  }

  /** Watchers hold a session, and users print watchers: neither password nor credentials are to be seen. */
  [inspect.custom](): string {
    return `Session ${this.hexId} (${this.#state})`;
  }

  toJSON(): string {
    return this.hexId;
  }

  /** Why credentials were refused, if that is how the session has ended. */
  get refusal(): Error | undefined {
    return this.#refusal;
  }
}

/** A deadline that is not moved: a server without a quorum cannot keep a session alive. */
function powerless(deadline: Deadline): Pick<Deadline, 'look' | 'confirm'> {
  return { look: (time) => deadline.look(time), confirm: () => undefined };
}
