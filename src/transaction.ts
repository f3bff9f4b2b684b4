import {
  ANY_VERSION,
  checkAcl,
  checkData,
  checkMode,
  checkOptions,
  checkTtl,
  checkVersion,
  optionNames,
} from './arguments.js';
import { type CreatedInTransaction, type CreateSpec, describeCreated } from './created.js';
import { InvalidArgumentError, ProtocolError, serverError, type TransactionOutcome } from './errors.js';
import { type CreateMode, createFlags, isSequential, plannedZNode } from './operations/create.js';
import { failureIn, type MultiOperation, type MultiResponse, type MultiResult } from './operations/multi.js';
import type { ResolvedOptions } from './options.js';
import { checkPath, Chroot } from './paths.js';
import type { Data } from './protocol/records.js';
import type { RequestLimits } from './session/pending-request.js';
import type { Stat } from './stat.js';

/** Sends the operations as one request and checks what comes back. Bound to a client. */
export type CommitTransaction = (
  operations: readonly MultiOperation[],
  limits: RequestLimits,
  read: (response: MultiResponse) => unknown[],
) => Promise<unknown[]>;

/** One operation, with what the caller wrote. */
interface Step {
  readonly operation: MultiOperation;
  readonly path: string;
}

/**
 * Collects checks and writes, which the server then carries out all together or not at all. The results come in the
 * order of the operations, typed: `const [created, stat] = await zk.transaction().create('/a').setData('/b', 'x').commit()`.
 *
 * If one operation fails, `commit()` rejects with the error of that operation: its class, its path, and in
 * `transaction` its index and what became of the others.
 */
export class Transaction<Results extends readonly unknown[] = []> {
  readonly #steps: Step[] = [];
  #committed = false;

  /** Made by `zk.transaction()`. */
  constructor(
    private readonly chroot: Chroot,
    private readonly commitAll: CommitTransaction,
    private readonly options: Pick<ResolvedOptions, 'defaultAcl' | 'schema'>,
  ) {}

  /** Creates a znode. Sequential names are known from the result only. */
  create<const Mode extends CreateMode = 'persistent', const WithStat extends boolean = false>(
    path: string,
    data: Data = null,
    options: CreateSpec<Mode, WithStat> = {} as CreateSpec<Mode, WithStat>,
  ): Transaction<[...Results, CreatedInTransaction<Mode, WithStat>]> {
    const mode: CreateMode = options.mode ?? 'persistent';
    checkOptions(options as RequestLimits, optionNames.spec, 'create', path);
    checkMode(mode, 'create', path);
    checkPath(path, 'create', isSequential(mode));
    checkData(data, 'create', path);
    const serverPath = this.chroot.toServer(path, isSequential(mode));
    const acl = options.acl ?? this.options.defaultAcl(serverPath);
    checkAcl(acl, 'create', path);
    this.options.schema?.checkCreate(serverPath, plannedZNode(mode, data), { operation: 'create', path });
    const request = { path: serverPath, data, acl, flags: createFlags[mode] };
    if (mode === 'container') return this.#add(path, { kind: 'createContainer', ...request });
    if (mode === 'ttl' || mode === 'ttlSequential') {
      return this.#add(path, { kind: 'createTtl', ...request, ttl: checkTtl(options.ttl, 'create', path) });
    }
    return this.#add(path, { kind: 'create', withStat: options.stat === true, ...request });
  }

  /** Replaces the data of a znode, if it has the version. */
  setData(path: string, data: Data, version: number = ANY_VERSION): Transaction<[...Results, Stat]> {
    checkPath(path, 'setData');
    checkData(data, 'setData', path);
    checkVersion(version, 'setData', path);
    const serverPath = this.chroot.toServer(path);
    this.options.schema?.checkSetData(serverPath, data, { operation: 'setData', path });
    return this.#add(path, { kind: 'setData', path: serverPath, data, version });
  }

  /** Deletes a znode, if it has the version. */
  delete(path: string, version: number = ANY_VERSION): Transaction<[...Results, undefined]> {
    checkPath(path, 'delete');
    checkVersion(version, 'delete', path);
    const serverPath = this.chroot.toServer(path);
    this.options.schema?.checkDelete(serverPath, { operation: 'delete', path });
    return this.#add(path, { kind: 'delete', path: serverPath, version });
  }

  /**
   * Demands that a znode is there and has the version; -1, the default, for any. `view`: the client whose path it is,
   * where that has another root than the one that the transaction was begun by.
   */
  check(
    path: string,
    version: number = ANY_VERSION,
    view?: { readonly root: string },
  ): Transaction<[...Results, undefined]> {
    checkPath(path, 'check');
    checkVersion(version, 'check', path);
    const chroot = view === undefined ? this.chroot : Chroot.of(view.root);
    return this.#add(path, { kind: 'check', path: chroot.toServer(path), version });
  }

  /**
   * Sends the transaction, once.
   *
   * @throws The error of the operation that failed, with `transaction`; `ConnectionLossError` with
   * `mayHaveBeenApplied`, which then holds for all of it; `SessionExpiredError`.
   */
  commit(limits: RequestLimits = {}): Promise<Results> {
    if (this.#committed) {
      const problem = 'a transaction can be committed once; build another one';
      return Promise.reject(new InvalidArgumentError(problem, { operation: 'commit' }));
    }
    this.#committed = true;
    const steps = this.#steps;
    // Without a further await here: promises settle in the order of the replies.
    const results: Promise<readonly unknown[]> =
      steps.length === 0
        ? Promise.resolve([])
        : this.commitAll(
            steps.map(({ operation }) => operation),
            limits,
            (response) => this.#read(response),
          );
    return results as Promise<Results & readonly unknown[]>;
  }

  #add<Result>(path: string, operation: MultiOperation): Transaction<[...Results, Result]> {
    this.#steps.push({ operation, path });
    return this as Transaction<readonly unknown[]> as Transaction<[...Results, Result]>;
  }

  #read({ results, zxid }: MultiResponse): unknown[] {
    this.#throwFailure(results);
    if (results.length !== this.#steps.length || results.some(({ kind }, index) => kind !== this.#resultKind(index)))
      throw new ProtocolError('the results of a transaction are not those of its operations', { operation: 'commit' });
    return results.map((result, index) => {
      const path = this.#steps[index]?.path ?? '';
      if (result.kind === 'set') return result.stat;
      return result.kind === 'created'
        ? describeCreated({ zxid, stat: result.stat }, this.chroot.toClient(result.path), path)
        : undefined;
    });
  }

  /** What the server answers to an operation that it has carried out. */
  #resultKind(index: number): MultiResult['kind'] | undefined {
    const kind = this.#steps[index]?.operation.kind;
    if (kind === undefined) return undefined;
    if (kind === 'setData') return 'set';
    return kind === 'delete' || kind === 'check' ? 'done' : 'created';
  }

  #throwFailure(results: readonly MultiResult[]): void {
    const failure = failureIn(results);
    const step = failure === undefined ? undefined : this.#steps[failure.index];
    if (failure === undefined || step === undefined) return;
    const { index, code } = failure;
    const outcomes = results.map((_, at): TransactionOutcome =>
      at < index ? 'rolledBack' : at === index ? 'failed' : 'notTried',
    );
    const operation = step.operation.kind.startsWith('create') ? 'create' : step.operation.kind;
    const error = serverError(
      code,
      { operation, path: step.path },
      ` (operation ${index} of a transaction, of which nothing was applied)`,
    );
    error.transaction = { index, outcomes };
    throw error;
  }
}
