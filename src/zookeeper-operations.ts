import Long from 'long';
import type { Acl } from './acl.js';
import {
  ANY_VERSION,
  checkAcl,
  checkBoolean,
  checkData,
  type CheckedFields,
  checkFields,
  checkMode,
  checkOneOf,
  checkOptions,
  checkTtl,
  optionNames,
} from './arguments.js';
import { type Created, type CreateOptions, describeCreated } from './created.js';
import { type EnsembleConfig, parseEnsembleConfig } from './ensemble-config.js';
import { ConnectionLossError, InvalidArgumentError, isFailure, NoWatcherError, StaleReadError } from './errors.js';
import type { OneShotEvent, WatchEvent } from './events.js';
import type { Identity } from './operations/auth.js';
import {
  type CreateMode,
  type CreateRequest,
  createFlags,
  isEphemeral,
  isSequential,
  plannedZNode,
} from './operations/create.js';
import { deleteIfThere } from './operations/delete.js';
import type { AclWithStat } from './operations/get-acl.js';
import { CONFIG_PATH, getConfig } from './operations/config.js';
import type { ChildrenWithStat } from './operations/get-children.js';
import type { ZNode } from './operations/get-data.js';
import * as operations from './operations/index.js';
import { multiOf } from './operations/multi.js';
import type { Operation, PathRequest, WatchableRequest } from './operations/operation.js';
import type { AddWatchRequest, RemovableWatches, RemoveWatchesRequest } from './operations/watching.js';
import type { PathSchema } from './path-schema.js';
import { Chroot, checkPath } from './paths.js';
import { type Data, dataBytes } from './protocol/records.js';
import { ReadBatch } from './read-batch.js';
import { rejecting } from './rejecting.js';
import type { RetryPolicy } from './retry-policy.js';
import type { Arming, RequestLimits } from './session/pending-request.js';
import type { Stat } from './stat.js';
import type { Succession } from './succession.js';
import { type CommitTransaction, Transaction } from './transaction.js';
import { oneShotArming, Watcher } from './watcher.js';

/** A read that can leave a one-shot watch. */
export interface ReadOptions extends RequestLimits {
  /**
   * Is called once, at the first change of what was read: then the watch is gone. It survives a reconnect of the same
   * session; when the session ends, it is called with `ended`. The same function on the same path is called once.
   */
  readonly watch?: ((event: OneShotEvent) => void) | undefined;
  /**
   * Whether the server first catches up with the leader: the read then shows every write that was done before the call,
   * whoever did it. Both leave together, for one round trip. Default `false`.
   */
  readonly sync?: boolean | undefined;
  /**
   * A zxid that the read must not be behind, such as the `zxid` or `lastZxid` of another client: the server catches up
   * only where it is behind. Rejects with StaleReadError where even the leader is.
   */
  readonly atLeast?: Long | undefined;
}

/** How a write of one znode is done. */
export interface WriteOptions extends RequestLimits {
  /**
   * Whether the write is tried again when its outcome is not known, by the client's policy (`retry`) or by one of its
   * own. Then the limits are those of all tries together. Default `false`.
   */
  readonly retry?: boolean | RetryPolicy | undefined;
}

/** How a delete is done. */
export interface DeleteOptions extends WriteOptions {
  /**
   * Whether the delete is tried again in the background until the znode is gone or the session is over, also when the
   * caller waits no longer. Default `false`.
   */
  readonly guaranteed?: boolean | undefined;
  /** What it means that there is no such znode: `'error'` (the default) or nothing, `'ignore'`. */
  readonly missing?: 'error' | 'ignore' | undefined;
}

/** No limits: shared, so that a call without options costs no object. */
const NO_LIMITS: RequestLimits = Object.freeze({});

/** Changes of an ensemble's membership: to some of it, or as a whole. */
export interface ReconfigOptions extends RequestLimits {
  /** Servers to add or change: `server.5=host:2888:3888:participant;2181`. */
  readonly joining?: readonly string[] | undefined;
  /** Ids of servers to remove. */
  readonly leaving?: readonly number[] | undefined;
  /** All servers of the new configuration, in place of `joining` and `leaving`. */
  readonly members?: readonly string[] | undefined;
  /** Rejects with `BadVersionError` unless the configuration has this version. Default: any. */
  readonly fromVersion?: Long | undefined;
}

/** How a persistent watch is to be made. */
export interface AddWatchOptions extends RequestLimits {
  /** Whether everything below is watched, too. Default `false`. */
  readonly recursive?: boolean | undefined;
  /** Is called with each event, in place of iterating the watcher. */
  readonly onEvent?: ((event: WatchEvent) => void) | undefined;
}

/** What can be asked of a server, one method an operation. */
export class ZooKeeperOperations {
  /** @internal */
  constructor(
    /** Where operations go: to the session that is current at the call. */
    protected readonly sessions: Pick<Succession, 'session'>,
    protected readonly base: Chroot,
  ) {}

  /** Id of the current session. @internal */
  get sessionId(): Long {
    return this.sessions.session.id;
  }

  /** The path that is this client's root; `/` for the whole tree. */
  get root(): string {
    return this.base.prefix === '' ? '/' : this.base.prefix;
  }

  /** The same client, with the root of the whole tree as its root. */
  unrooted(): ZooKeeperOperations {
    return this.base.prefix === '' ? this : new ZooKeeperOperations(this.sessions, Chroot.of(''));
  }

  /**
   * The same, for the current session only: what is asked for in several steps fails with SessionExpiredError when the
   * session ends between two of them, and does not pass over to the next one (Curator: SessionFailRetryLoop).
   */
  ofThisSession(): ZooKeeperOperations {
    return new ZooKeeperOperations({ session: this.sessions.session }, this.base);
  }

  /** Whether the server is of 3.5 or later; undefined if that cannot be told. @internal */
  hasNewServer(limits: RequestLimits): Promise<boolean | undefined> {
    return this.sessions.session.hasNewServer(limits);
  }

  /** The identities that the server has accepted. Needs ZooKeeper 3.7. */
  whoAmI(limits: RequestLimits = NO_LIMITS): Promise<Identity[]> {
    return this.#ask(operations.whoAmI, '/', { path: '' }, limits);
  }

  // --- Znodes --------------------------------------------------------------------------------------------------------

  /** Creates a znode, without the help that `parents` and `protected` ask for. @internal */
  async createPlain<Mode extends CreateMode, WithStat extends boolean>(
    path: string,
    data: Data,
    options: CreateOptions<Mode, WithStat>,
  ): Promise<Created<Mode, WithStat>> {
    const name = 'create';
    const mode: CreateMode = options.mode ?? 'persistent';
    checkOptions(options, optionNames.create, name, path);
    checkMode(mode, name, path);
    checkPath(path, name, isSequential(mode));
    checkData(data, name, path);
    const serverPath = this.base.toServer(path, isSequential(mode));
    const acl = options.acl ?? this.sessions.session.options.defaultAcl(serverPath);
    checkAcl(acl, name, path);
    this.sessions.session.options.schema?.checkCreate(serverPath, plannedZNode(mode, data), { operation: name, path });
    const request: CreateRequest = { path: serverPath, data, acl, flags: createFlags[mode] };
    const { session } = this.sessions;
    if (isEphemeral(request.flags)) session.mayOwnEphemerals = true;
    const bytes = path.length + dataBytes(data);
    const outcome = await (mode === 'ttl' || mode === 'ttlSequential'
      ? session.submit(operations.createTtl, { ...request, ttl: checkTtl(options.ttl, name, path) }, bytes, options)
      : session.submit(
          mode === 'container'
            ? operations.createContainer
            : options.stat === true
              ? operations.create2
              : operations.create,
          request,
          bytes,
          options,
        ));
    if (isFailure(outcome)) throw outcome.toError({ operation: name, path });
    return describeCreated<Mode, WithStat>(outcome, this.base.toClient(outcome.path), path);
  }

  /** Deletes a znode, if it has the version (default: any). @throws NoNodeError, BadVersionError, NotEmptyError, ConnectionLossError. */
  delete(path: string, version: number = ANY_VERSION, limits: RequestLimits = NO_LIMITS): Promise<void> {
    return this.#ask(operations.deleteNode, path, { path: '', version }, limits);
  }

  /** Deletes a znode where there is one. @internal */
  deleteIfThere(path: string, version: number, limits: RequestLimits): Promise<void> {
    return this.#ask(deleteIfThere, path, { path: '', version }, limits, () => undefined);
  }

  /** The stat of a znode, or null where there is none. */
  exists(path: string, options: ReadOptions = NO_LIMITS): Promise<Stat | null> {
    return this.#read(operations.exists, path, options);
  }

  /** Whether there is a znode. */
  has(path: string, limits: RequestLimits = NO_LIMITS): Promise<boolean> {
    return this.#ask(operations.exists, path, { path: '', watch: false }, limits, (stat) => stat !== null);
  }

  /** The data and the stat of a znode. @throws NoNodeError. */
  getData(path: string, options: ReadOptions = NO_LIMITS): Promise<ZNode> {
    return this.#read(operations.getData, path, options);
  }

  /** Replaces the data of a znode, if it has the version (default: any). @throws NoNodeError, BadVersionError, ConnectionLossError. */
  setData(path: string, data: Data, version: number = ANY_VERSION, limits: RequestLimits = NO_LIMITS): Promise<Stat> {
    return this.#ask(operations.setData, path, { path: '', data, version }, limits);
  }

  /** The names of the children of a znode, in no order; with `stat: true` also its stat. @throws NoNodeError. */
  getChildren(path: string, options: ReadOptions & { readonly stat: true }): Promise<ChildrenWithStat>;
  getChildren(path: string, options?: ReadOptions & { readonly stat?: false | undefined }): Promise<string[]>;
  getChildren(
    path: string,
    options: ReadOptions & { readonly stat?: boolean | undefined } = NO_LIMITS,
  ): Promise<string[] | ChildrenWithStat> {
    if (options.stat === true) return this.#read(operations.getChildren2, path, options);
    return this.#read(operations.getChildren, path, options);
  }

  /** The number of all descendants of a znode. Needs ZooKeeper 3.6. @throws NoNodeError. */
  getAllChildrenNumber(path: string, limits: RequestLimits = NO_LIMITS): Promise<number> {
    return this.#ask(operations.getAllChildrenNumber, path, { path: '' }, limits);
  }

  /** The paths of the ephemeral znodes of this session at and below `path`. Needs ZooKeeper 3.6. */
  getEphemerals(path = '/', limits: RequestLimits = NO_LIMITS): Promise<string[]> {
    return this.#ask(operations.getEphemerals, path, { path: '' }, limits, (paths) => {
      // The server compares texts: /a would bring /ab, too.
      const below = this.base.within(path);
      return paths.filter((each) => below.contains(each)).map((each) => this.base.toClient(each));
    });
  }

  /** The ACL of a znode, and its stat, whose `aversion` is the version of the ACL. @throws NoNodeError. */
  getAcl(path: string, limits: RequestLimits = NO_LIMITS): Promise<AclWithStat> {
    return this.#ask(operations.getAcl, path, { path: '' }, limits);
  }

  /** Replaces the ACL of a znode, if the ACL has the version (default: any). @throws NoNodeError, BadVersionError, InvalidAclError. */
  setAcl(
    path: string,
    acl: readonly Acl[],
    version: number = ANY_VERSION,
    limits: RequestLimits = NO_LIMITS,
  ): Promise<Stat> {
    return this.#ask(operations.setAcl, path, { path: '', acl, version }, limits);
  }

  /** Resolves when the server has caught up with the leader: reads that follow see all that was written before. */
  sync(path = '/', limits: RequestLimits = NO_LIMITS): Promise<void> {
    return this.#ask(operations.sync, path, { path: '' }, limits, () => undefined);
  }

  /** Begins a transaction: checks and writes that are carried out all together or not at all. */
  transaction(): Transaction {
    const { session } = this.sessions;
    const commit: CommitTransaction = (steps, limits, read) => {
      if (steps.some((step) => step.kind === 'create' && isEphemeral(step.flags))) session.mayOwnEphemerals = true;
      return this.#ask(multiOf(steps), '/', { path: '', operations: steps }, limits, read);
    };
    return new Transaction(this.base, commit, session.options);
  }

  /** Begins several reads of one state of the tree, in one round trip. Needs ZooKeeper 3.6. */
  multiRead(): ReadBatch {
    return new ReadBatch(this.base, (steps, limits, read) =>
      this.#ask(operations.multiRead, '/', { path: '', operations: steps }, limits, read),
    );
  }

  // --- Watches -------------------------------------------------------------------------------------------------------

  /**
   * Watches a znode, which need not exist, until the watcher is closed or the session ends; with `recursive`, all that
   * is below it, too. Iterate the watcher, or give `onEvent`. Needs ZooKeeper 3.6.
   */
  async addWatch(path: string, { recursive = false, onEvent, ...limits }: AddWatchOptions = {}): Promise<Watcher> {
    checkPath(path, 'addWatch');
    checkOptions(limits, optionNames.limits, 'addWatch', path);
    const { session } = this.sessions;
    session.options.schema?.checkWatch(this.base.toServer(path), { operation: 'addWatch', path });
    const watcher = new Watcher(session, this.base, path, recursive, onEvent);
    const request: AddWatchRequest = { path: this.base.toServer(path), recursive };
    const arming = watcher.armingOf(request);
    const outcome = await session.submit(operations.addWatch, request, path.length, limits, arming);
    if (isFailure(outcome)) throw outcome.toError({ operation: 'addWatch', path });
    return watcher;
  }

  /**
   * Takes away the watches of this client on a path: all of them, or only those for data or for children. Their
   * watchers are told `ended`. @throws NoWatcherError if there are none.
   */
  async removeWatches(
    path: string,
    watches: RemovableWatches = 'any',
    limits: RequestLimits = NO_LIMITS,
  ): Promise<void> {
    checkPath(path, 'removeWatches');
    checkOneOf('watches', watches, ['any', 'data', 'children'], 'removeWatches', path);
    checkOptions(limits, optionNames.limits, 'removeWatches', path);
    const { session } = this.sessions;
    const request: RemoveWatchesRequest = { path: this.base.toServer(path), watches };
    const hadSome = session.endWatches(request.path, watches);
    session.watches.disturb(request.path);
    const removed = session.submit(operations.removeWatches, request, path.length, limits);
    session.watchAgain(request.path);
    const outcome = await removed;
    if (!isFailure(outcome)) return;
    const error = outcome.toError({ operation: 'removeWatches', path });
    // The server knows none where there was no connection, or where another watch had served this one.
    if (!hadSome || !(error instanceof NoWatcherError || error instanceof ConnectionLossError)) throw error;
  }

  /** Forgets a listener that was given as `watch` to reads of a path, before it was called. */
  unwatch(path: string, listener: (event: OneShotEvent) => void): void {
    checkPath(path, 'unwatch');
    this.sessions.session.unwatch(this.base.toServer(path), listener);
  }

  // --- The ensemble --------------------------------------------------------------------------------------------------

  /**
   * The membership of the ensemble; a `watch` tells when it changes. No servers: a standalone one. Needs ZooKeeper 3.5.
   */
  getConfig(options: ReadOptions = NO_LIMITS): Promise<EnsembleConfig> {
    return this.unrooted().#read(getConfig, CONFIG_PATH, options, readConfig);
  }

  /**
   * Changes the membership of the ensemble, and resolves with the new one.
   *
   * @throws ReconfigDisabledError; NoAuthError unless the client may write the configuration, normally as super user;
   * BadVersionError; BadArgumentsError; NewConfigNoQuorumError; ReconfigInProgressError; UnimplementedError on a
   * standalone server; ConnectionLossError, also when the change removes the server in use.
   */
  reconfig({
    joining,
    leaving,
    members,
    fromVersion = Long.NEG_ONE,
    ...limits
  }: ReconfigOptions): Promise<EnsembleConfig> {
    const request = {
      path: '',
      joining: joining?.join(',') ?? null,
      leaving: leaving?.join(',') ?? null,
      members: members?.join(',') ?? null,
      fromVersion,
    };
    return this.unrooted().#ask(operations.reconfig, CONFIG_PATH, request, limits, readConfig);
  }

  // --- Asking --------------------------------------------------------------------------------------------------------

  #read<Result, T = Result>(
    operation: Operation<WatchableRequest, Result>,
    path: string,
    options: ReadOptions,
    map?: (result: Result) => T,
  ): Promise<T> {
    const request: WatchableRequest = { path: '', watch: false };
    if (options === NO_LIMITS) return this.#ask(operation, path, request, NO_LIMITS, map);
    const { watch, sync, atLeast } = options;
    if (sync !== undefined || atLeast !== undefined)
      return rejecting(() => this.#readFresh(operation, path, options, map));
    const arming =
      watch === undefined || operation.watch === undefined
        ? undefined
        : oneShotArming(this.sessions.session, this.base, operation.watch, request, watch);
    return this.#ask(operation, path, request, options, map, arming, optionNames.read);
  }

  /**
   * The sync and the read leave together, and the server answers them in order: so the one promise of the read is enough,
   * which settles among the others in the order of the calls.
   */
  #readFresh<Result, T = Result>(
    operation: Operation<WatchableRequest, Result>,
    path: string,
    { sync, atLeast, ...options }: ReadOptions,
    map?: (result: Result) => T,
  ): Promise<T> {
    const { session } = this.sessions;
    const context = { operation: operation.name, path };
    checkPath(path, operation.name);
    checkOptions(options, optionNames.read, operation.name, path);
    checkBoolean('sync', sync, operation.name, path);
    if (atLeast !== undefined && !Long.isLong(atLeast))
      throw new InvalidArgumentError('atLeast must be a zxid, which is a Long', context);
    // No server is accepted that is behind what was seen before.
    const isBehind = atLeast !== undefined && session.lastZxid.lessThan(atLeast);
    if (sync !== true && !isBehind) return this.#read(operation, path, options, map);
    const limits = { signal: options.signal, timeout: options.timeout };
    let synced: unknown;
    const request = { path: this.base.toServer(path) };
    void session.submit(operations.sync, request, path.length, limits).then((outcome) => (synced = outcome));
    return this.#read(operation, path, options, (result) => {
      if (isFailure(synced)) throw this.#unread(path, options, synced.toError(context));
      if (isBehind && session.lastZxid.lessThan(atLeast)) {
        const seen = `0x${session.lastZxid.toString(16)}`;
        const problem = `the servers are at zxid ${seen}, and at least 0x${atLeast.toString(16)} was asked for`;
        throw this.#unread(path, options, new StaleReadError(problem, context));
      }
      return map === undefined ? (result as T & Result) : map(result);
    });
  }

  /** What was read is not handed out, so its watch is taken back. */
  #unread<E extends Error>(path: string, { watch }: ReadOptions, error: E): E {
    if (watch !== undefined) this.unwatch(path, watch);
    return error;
  }

  /**
   * Checks, sends, and turns a failure into an error. The one `await` on the way of an operation: so promises settle in
   * the order of the replies, and the stack of an error leads to the caller.
   */
  async #ask<Request extends PathRequest & CheckedFields, Result, T = Result>(
    operation: Operation<Request, Result>,
    path: string,
    request: Request,
    limits: RequestLimits,
    map?: (result: Result) => T,
    arming?: Arming,
    known: ReadonlySet<string> = optionNames.limits,
  ): Promise<T> {
    checkPath(path, operation.name);
    if (limits !== NO_LIMITS) checkOptions(limits, known, operation.name, path);
    if (operation.effect === 'write') checkFields(request, operation.name, path);
    request.path = this.base.toServer(path);
    const { schema } = this.sessions.session.options;
    if (schema !== undefined) checkBySchema(schema, operation.name, request, arming !== undefined, path);
    const bytes = path.length + dataBytes(request.data ?? null);
    const outcome = await this.sessions.session.submit(operation, request, bytes, limits, arming);
    if (isFailure(outcome)) throw outcome.toError({ operation: operation.name, path });
    return map === undefined ? (outcome as T & Result) : map(outcome);
  }
}

/** The configuration in the data of its znode. */
function readConfig(node: ZNode): EnsembleConfig {
  return parseEnsembleConfig(node.text());
}

/** Refuses what the rules of the client forbid; creates are checked where they are made. */
function checkBySchema(
  schema: PathSchema,
  operation: string,
  request: PathRequest & CheckedFields,
  isWatched: boolean,
  path: string,
): void {
  const context = { operation, path };
  if (isWatched) schema.checkWatch(request.path, context);
  if (operation === 'setData') schema.checkSetData(request.path, request.data ?? null, context);
  if (operation === 'delete') schema.checkDelete(request.path, context);
}
