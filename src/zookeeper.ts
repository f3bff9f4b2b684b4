import { inspect, type InspectOptions } from 'node:util';
import type Long from 'long';
import { ANY_VERSION, checkBoolean, checkOneOf, checkOptions, checkParents, optionNames } from './arguments.js';
import { formatServer, type ServerAddress } from './connection/connect-string.js';
import type { HostProvider } from './connection/host-provider.js';
import type { Created, CreateOptions, ParentsOption } from './created.js';
import { InvalidArgumentError, NoNodeError, SessionExpiredError } from './errors.js';
import type { SessionEventMap, SessionState } from './events.js';
import { limited } from './limited.js';
import type { CreateMode } from './operations/create.js';
import type { Metrics } from './metrics/snapshot.js';
import type { ZNode } from './operations/get-data.js';
import { checkAuth, type ClientOptions, resolveOptions } from './options.js';
import { createWithParents, ensurePath, upsert, type UpsertOptions } from './parents.js';
import { Chroot } from './paths.js';
import { createProtected } from './protected-create.js';
import type { Data } from './protocol/records.js';
import { ReconfigFollower } from './reconfig-follower.js';
import { rejecting } from './rejecting.js';
import { isPassing, persist } from './retry.js';
import type { RetryPolicy } from './retry-policy.js';
import { createSafely, deleteForSure, deleteSafely, setDataSafely } from './safe-writes.js';
import { readSource, readUpdate } from './server-source.js';
import type { LeaseOptions, SessionLease } from './session/deadline.js';
import type { RequestLimits } from './session/pending-request.js';
import type { Session } from './session/session.js';
import { isFinal } from './session/states.js';
import type { WatchedPath } from './session/watch-registry.js';
import { SessionInfo } from './session-info.js';
import type { Stat } from './stat.js';
import { childrenWithData, deleteTree, type WalkedZNode, walk } from './subtree.js';
import { type Sessions, Succession } from './succession.js';
import { type DeleteOptions, type WriteOptions, ZooKeeperOperations } from './zookeeper-operations.js';

/** How long `close()` waits for the server at most, unless told otherwise, milliseconds. */
const CLOSE_TIMEOUT = 1_500;

/** One try of a step that {@link ZooKeeper.retry} runs, with what is left of its limits: hand them to operations. */
export interface RetryAttempt extends RequestLimits {
  /** 1 at the first try. */
  readonly attempt: number;
}

/** How a step is tried again. */
export interface RetryOptions extends RequestLimits {
  /** Default: the option `retry` of the client. */
  readonly policy?: RetryPolicy | undefined;
  /** Which errors are worth another try. Default: those that pass by themselves. */
  readonly isRetryable?: ((error: unknown) => boolean) | undefined;
}

/** The live state of a client: what is shown of it where it is printed. */
export interface ClientSummary {
  readonly state: SessionState;
  /** Id of the session in hexadecimal; `0x0` before the first connection. */
  readonly session: string;
  /** Negotiated session timeout, milliseconds; 0 before the first connection. */
  readonly timeout: number;
  /** For how long the session is certainly alive, milliseconds; 0: it may have ended. */
  readonly remaining: number;
  /** `host:port` of the server in use, while connected. */
  readonly server: string | undefined;
  /** Operations that were sent and are not answered. */
  readonly inFlight: number;
  /** Operations that wait for a connection. */
  readonly queued: number;
  /** Paths that are watched, by kind. */
  readonly watches: number;
  readonly root: string;
}

/** How to wait for something. */
export interface WaitOptions {
  /** Milliseconds; without it the wait has no end of its own. */
  readonly timeout?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** How to connect, and how the client behaves. */
export interface ConnectOptions extends ClientOptions {
  /** Ends the attempt. */
  readonly signal?: AbortSignal | undefined;
  /** Whether to give up as soon as every server was tried once, in place of going on until `connectTimeout`. Default `false`. */
  readonly failFast?: boolean | undefined;
}

/**
 * A client of a ZooKeeper ensemble: one session at a time, over any number of connections.
 *
 * **Order.** Requests are sent, and their promises settle, in the order of the calls, but for two cases: a read that was
 * lost with its connection is sent again, and may settle after a later write that failed; what is ended by its own
 * limits, or refused before it is sent, settles at once. A watch tells of a change before any read shows it.
 *
 * **When the connection is lost**, operations wait for the next one (see `offlineQueue`); reads that were on the wire
 * are sent again, writes reject with `ConnectionLossError`, whose `mayHaveBeenApplied` says whether the server may have
 * carried them out. Watches and ephemeral znodes stay.
 *
 * **When the session expires**, everything asked for under it rejects with `SessionExpiredError`, watches end, and a
 * new session is opened (see `renewSession`). Nothing passes over to it by itself.
 *
 * Every operation rejects with `InvalidPathError` or `InvalidArgumentError` before anything is sent, with
 * `RequestTooLargeError` above `maxRequestBytes`, with `NoAuthError` where the ACL forbids it, and with
 * `AuthFailedError` and `ClosedError` once the client has come to that.
 */
export class ZooKeeper extends ZooKeeperOperations implements AsyncDisposable {
  #info: { readonly session: Session; readonly info: SessionInfo } | undefined;

  private constructor(
    protected override readonly sessions: Sessions,
    base: Chroot,
    private readonly isView: boolean,
  ) {
    super(sessions, base);
  }

  /**
   * Connects, and resolves once there is a session. Names that do not resolve and servers that are not there yet are
   * tried again until `connectTimeout` is over or `signal` fires, with `failFast` until every server was tried once;
   * then the client is closed.
   *
   * @param servers a connection string, such as `zk1:2181,zk2:2181/chroot` or `dns-srv://name/chroot`, or who is to be
   * asked for the servers.
   * @throws InvalidConnectStringError, InvalidArgumentError at once. ConnectError with what each server said,
   * AuthFailedError, AbortedError, SessionExpiredError (with the options `session` and `renewSession: false`).
   */
  static async connect(servers: string | HostProvider, options: ConnectOptions = {}): Promise<ZooKeeper> {
    const { signal, failFast = false, ...clientOptions } = options;
    if (typeof failFast !== 'boolean')
      throw new InvalidArgumentError(`failFast is ${String(failFast)}; it must be true or false`);
    const zk = ZooKeeper.open(servers, clientOptions);
    try {
      await zk.sessions.ready(zk.sessions.options.connectTimeout, signal, failFast);
      return zk;
    } catch (error) {
      // There is nothing of ours to end, and a session to be attached to may be in use elsewhere.
      await zk.close({ keepSession: true });
      throw error;
    }
  }

  /**
   * As {@link connect}, but returns at once and goes on trying in the background for ever. Operations wait as they do
   * while disconnected. Throws InvalidConnectStringError and InvalidArgumentError.
   */
  static open(servers: string | HostProvider, options: ClientOptions = {}): ZooKeeper {
    const resolved = resolveOptions(options);
    const { hosts, chroot } = readSource(servers, resolved);
    const zk = new ZooKeeper(new Succession(hosts, resolved), chroot, false);
    if (resolved.followReconfig && !('servers' in hosts)) {
      // The follower knows the client's addresses for TLS by their being marked.
      const marked = hosts.map((server) => ({ ...server, tls: server.tls ?? resolved.tls !== undefined }));
      const given = resolved.tls === undefined ? hosts : marked;
      new ReconfigFollower(zk, given, (found) => zk.sessions.updateServers(found, hosts));
    }
    return zk;
  }

  /** A view of a client that reaches its sessions through something else. @internal */
  static through<Wrapped extends Sessions>(
    zk: ZooKeeper,
    wrap: (sessions: Sessions) => Wrapped,
  ): { readonly view: ZooKeeper; readonly sessions: Wrapped } {
    const sessions = wrap(zk.sessions);
    return { view: new ZooKeeper(sessions, zk.base, true), sessions };
  }

  // --- The session ---------------------------------------------------------------------------------------------------

  /** The state of the current session. */
  get state(): SessionState {
    return this.sessions.session.state;
  }

  /** The current session; after an expiry another one. */
  get session(): SessionInfo {
    const { session } = this.sessions;
    if (this.#info?.session !== session) this.#info = { session, info: new SessionInfo(session) };
    return this.#info.info;
  }

  /**
   * The highest zxid that this client has seen. Hand it to another client, beside what was written, and let that one read
   * with `atLeast`: it then sees what this one has seen.
   */
  get lastZxid(): Long {
    return this.sessions.session.lastZxid;
  }

  /**
   * The servers that the client knows, `host:port`, in the order in which they come next when the one in use is lost.
   * Empty while `dns-srv://` or a host provider has not named any.
   */
  get servers(): string[] {
    return this.sessions.servers.map(formatServer);
  }

  /** Resolves once there is a connection. @throws ConnectError when the time is over, AbortedError, ClosedError, AuthFailedError, SessionExpiredError. */
  async ready({ timeout, signal }: WaitOptions = {}): Promise<void> {
    await this.sessions.ready(timeout, signal);
  }

  /**
   * Gives the client other servers: a connection string, or a list. It goes on with its session. Where the server in
   * use is not among them, it moves to another one; where there are more servers than before, it moves with the
   * probability that spreads clients evenly. Returns whether it moves.
   *
   * Moving is a reconnect (`suspended`, then `connected`), but loses no operation: what was sent is answered first, for
   * at most a third of the session timeout, and what is called meanwhile waits (with `offlineQueue: false` it fails).
   * Watches and ephemeral znodes stay. A client without a connection tries the new servers at once.
   *
   * @throws InvalidConnectStringError; InvalidArgumentError, also if a host provider or `dns-srv://` names the servers.
   */
  updateServers(servers: string | readonly ServerAddress[]): boolean {
    return this.sessions.updateServers(readUpdate(servers, this.root));
  }

  /**
   * A claim to something that the current session holds: `held` and `signal` say when it may be lost, before the
   * server can have given it to somebody else. Give it back by `release()`.
   */
  lease(options: LeaseOptions = {}): SessionLease {
    return this.sessions.session.deadline.lease(options);
  }

  /** Calls `listener` at every event of the kind; `session` stands for all kinds. A listener that throws disturbs no other. */
  on<E extends keyof SessionEventMap>(event: E, listener: (...args: SessionEventMap[E]) => void): this {
    this.sessions.events.on(event, listener);
    return this;
  }

  /** As {@link on}, for the next event only. */
  once<E extends keyof SessionEventMap>(event: E, listener: (...args: SessionEventMap[E]) => void): this {
    this.sessions.events.once(event, listener);
    return this;
  }

  /** Takes a listener off. */
  off<E extends keyof SessionEventMap>(event: E, listener: (...args: SessionEventMap[E]) => void): this {
    this.sessions.events.off(event, listener);
    return this;
  }

  override unrooted(): ZooKeeper {
    return this.base.prefix === '' ? this : new ZooKeeper(this.sessions, Chroot.of(''), true);
  }

  /** The same client, with `path` as its root. It shares session, connection and events, and cannot be closed by itself. */
  chroot(path: string): ZooKeeper {
    return new ZooKeeper(this.sessions, this.base.within(path), true);
  }

  /**
   * Adds credentials: for `digest`, `user:password`. They are sent again on every connection, before anything else.
   * Resolves when the server has accepted them; while disconnected, that is after the next reconnect.
   *
   * @throws AuthFailedError: the client is then of no further use.
   */
  async addAuth(scheme: string, auth: string | Uint8Array): Promise<void> {
    const request = this.sessions.identities.add(checkAuth({ scheme, auth }));
    const failure = await this.sessions.session.claim(request);
    if (failure !== undefined) throw failure.toError({ operation: 'addAuth' });
  }

  /**
   * Ends the session: operations called before are answered, ephemeral znodes are gone when the promise resolves. It
   * resolves after `timeout` milliseconds (default 1,500) at the latest; a session that no server could be told of
   * ends by itself after its timeout. `keepSession` (default: the option of that name) leaves it to its timeout, or to
   * another process (see `session.export()`). Never rejects; calling it again does nothing more. A view made by {@link chroot} refuses with InvalidArgumentError.
   */
  async close({
    timeout = CLOSE_TIMEOUT,
    keepSession = this.sessions.options.keepSession,
  }: { readonly timeout?: number; readonly keepSession?: boolean } = {}): Promise<void> {
    if (this.isView)
      throw new InvalidArgumentError('a view shares its session; close the client that it was made from', {
        operation: 'close',
      });
    await this.sessions.close(timeout, keepSession);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.isView) await this.close();
  }

  // --- What goes on -------------------------------------------------------------------------------------------------

  /**
   * What this client has done since it was opened, and how it is now: operations by name and outcome, latencies,
   * traffic, connections, availability. Plain data, made at the call; a view made by {@link chroot} has that of its
   * client. Never throws, and asks no server: also while disconnected and after `close()`.
   */
  metrics(): Metrics {
    return this.sessions.telemetry.snapshot();
  }

  /**
   * The watches of the current session at and below the root of this client: the path, the kind, and how many listeners
   * or watchers are told. They stay while disconnected, and are gone when the session ends.
   */
  watches(): WatchedPath[] {
    return this.sessions.session.watches
      .list()
      .filter(({ path }) => this.base.contains(path))
      .map((watch) => ({ ...watch, path: this.base.toClient(watch.path) }));
  }

  /** The live state in one line, without secrets. */
  override toString(): string {
    const { state, session, timeout, remaining, server, inFlight, queued, watches, root } = this.toJSON();
    return (
      `ZooKeeper(${state}, session ${session} of ${timeout} ms, ${remaining} ms remaining, server ${server ?? 'none'}, ` +
      `${inFlight} in flight, ${queued} queued, ${watches} watches, root ${root})`
    );
  }

  /** The live state, without secrets: what `JSON.stringify` and `console.log` show of a client. */
  toJSON(): ClientSummary {
    const { session } = this.sessions;
    const { inFlight, queued } = session.load;
    return {
      state: session.state,
      session: session.hexId,
      timeout: session.timeout,
      remaining: Math.max(0, Math.round(session.deadline.remaining)),
      server: this.session.server,
      inFlight,
      queued,
      watches: Object.values(session.watches.counts).reduce((sum, count) => sum + count, 0),
      root: this.root,
    };
  }

  [inspect.custom](_depth: number, options: InspectOptions): string {
    return `ZooKeeper ${inspect(this.toJSON(), options)}`;
  }

  // --- Znodes, with more than one request ------------------------------------------------------------------------------

  /**
   * Creates a znode. Without data it holds null.
   *
   * @throws NodeExistsError; NoNodeError if the parent is missing; NoChildrenForEphemeralsError; InvalidAclError;
   * UnimplementedError for containers and TTLs that the server does not know; QuotaExceededError; ConnectionLossError,
   * unless `protected` is set: then the znode is looked for after the reconnect.
   */
  create<const Mode extends CreateMode = 'persistent', const WithStat extends boolean = false>(
    path: string,
    data: Data = null,
    options: CreateOptions<Mode, WithStat> = {} as CreateOptions<Mode, WithStat>,
  ): Promise<Created<Mode, WithStat>> {
    return rejecting(() => {
      const { protected: isProtected = false, retry = false, parents = false } = options;
      checkBoolean('protected', isProtected, 'create', path);
      checkParents(parents, 'create', path);
      const policy = this.#policyOf(retry, 'create', path);
      if (isProtected) return createProtected(this.ofThisSession(), path, data, options);
      if (policy !== undefined) return createSafely(this.ofThisSession(), path, data, policy, options);
      if (parents !== false) return createWithParents(this.ofThisSession(), path, data, options);
      return this.createPlain(path, data, options);
    });
  }

  /**
   * Deletes a znode, if it has the version (default: any). With `retry` or `guaranteed` it is tried again, in this
   * session; a znode that is gone then was deleted.
   *
   * @throws NoNodeError unless `missing` is `'ignore'`; BadVersionError; NotEmptyError; ConnectionLossError without
   * `retry`.
   */
  override delete(path: string, version: number = ANY_VERSION, options?: DeleteOptions): Promise<void> {
    if (options === undefined) return super.delete(path, version);
    return rejecting(() => {
      const { missing = 'error', guaranteed = false, retry = false, signal, timeout } = options;
      checkOptions(options, optionNames.delete, 'delete', path);
      checkOneOf('missing', missing, ['error', 'ignore'], 'delete', path);
      checkBoolean('guaranteed', guaranteed, 'delete', path);
      const policy = this.#policyOf(retry, 'delete', path);
      const limits = { signal, timeout };
      const zk = this.ofThisSession();
      if (guaranteed) return ignoring(missing, deleteForSure(zk, path, version, limits));
      if (policy !== undefined) return ignoring(missing, deleteSafely(zk, path, version, policy, limits));
      return missing === 'ignore' ? this.deleteIfThere(path, version, limits) : super.delete(path, version, limits);
    });
  }

  /**
   * Replaces the data of a znode, if it has the version (default: any). With `retry` it is tried again, in this
   * session, until the outcome is known; without a version that may overwrite what others wrote in between.
   *
   * @throws NoNodeError; BadVersionError; ConnectionLossError without `retry`.
   */
  override setData(path: string, data: Data, version: number = ANY_VERSION, options?: WriteOptions): Promise<Stat> {
    if (options === undefined) return super.setData(path, data, version);
    return rejecting(() => {
      const { retry = false, signal, timeout } = options;
      checkOptions(options, optionNames.write, 'setData', path);
      const limits = { signal, timeout };
      const policy = this.#policyOf(retry, 'setData', path);
      if (policy === undefined) return super.setData(path, data, version, limits);
      return setDataSafely(this.ofThisSession(), path, data, version, policy, limits);
    });
  }

  /**
   * Runs a step of your own, and again after failures that pass, as long as the policy (default: the option `retry`)
   * allows: a lost connection, a full queue, an overloaded or read-only server, and an expired session where a new one
   * is opened. The step must be fit to be done twice, also where the first time was done and nobody knows.
   *
   * @throws what the step threw last; OperationTimeoutError and AbortedError at the end of the limits, which are those
   * of all tries together.
   */
  retry<T>(step: (attempt: RetryAttempt) => Promise<T>, options: RetryOptions = {}): Promise<T> {
    return rejecting(() => {
      const { policy = this.sessions.options.retry, isRetryable = this.#isRetryable, signal, timeout } = options;
      checkOptions(options, optionNames.retry, 'retry');
      for (const [name, value] of Object.entries({ step, policy, isRetryable }))
        if (typeof value !== 'function')
          throw new InvalidArgumentError(`${name} is no function`, { operation: 'retry' });
      const persistence = { policy, isRetryable, signal, timeout, operation: 'retry' };
      const done = persist(persistence, (attempt, limits) => step({ attempt, ...limits }));
      // A step may not heed its limits.
      return limited(done, { signal, timeout }, { operation: 'retry' });
    });
  }

  readonly #isRetryable = (error: unknown): boolean =>
    isPassing(error) || (error instanceof SessionExpiredError && !isFinal(this.state));

  /** Undefined: it is not tried again. */
  #policyOf(retry: boolean | RetryPolicy, operation: string, path: string): RetryPolicy | undefined {
    if (retry === false) return undefined;
    if (retry === true) return this.sessions.options.retry;
    if (typeof retry === 'function') return retry;
    throw new InvalidArgumentError('retry must be true, false or a function, such as retries.times(3)', {
      operation,
      path,
    });
  }

  /** Sees to it that a znode and its parents exist, without touching those that do. */
  ensurePath(path: string, parents: ParentsOption = 'persistent', limits: RequestLimits = {}): Promise<void> {
    return ensurePath(this, path, parents, limits);
  }

  /** Writes the data of a znode, and creates it, with missing parents, where there is none. Not atomic; the last one wins. */
  upsert(path: string, data: Data, options: UpsertOptions = {}): Promise<void> {
    return upsert(this.ofThisSession(), path, data, options);
  }

  /** Deletes a znode and all below it, in batches, leaves first; no matter if somebody else deletes, too. Not atomic. The limits are those of each request. @throws NotEmptyError if others create faster. */
  deleteTree(path: string, limits: RequestLimits = {}): Promise<void> {
    return deleteTree(this, path, limits);
  }

  /** All znodes from `path` on, parents before their children. Not a snapshot: what changes meanwhile may be seen or not. The limits are those of each request. */
  walk(path: string, limits: RequestLimits = {}): AsyncGenerator<WalkedZNode, void, undefined> {
    return walk(this, path, limits);
  }

  /** The children of a znode with their data, by name. Those that vanish meanwhile are left out. @throws NoNodeError. */
  getChildrenData(path: string, limits: RequestLimits = {}): Promise<Map<string, ZNode>> {
    return childrenWithData(this, path, limits);
  }
}

async function ignoring(missing: 'error' | 'ignore', deleted: Promise<void>): Promise<void> {
  try {
    await deleted;
  } catch (error) {
    if (missing === 'error' || !(error instanceof NoNodeError)) throw error;
  }
}
