import Long from 'long';
import { describeCreated } from '../../../src/created.js';
import {
  NodeExistsError,
  NoNodeError,
  NotEmptyError,
  ServerFailure,
  type ZooKeeperError,
} from '../../../src/errors.js';
import { type CreateMode, isSequential } from '../../../src/operations/create.js';
import { ZNode } from '../../../src/operations/get-data.js';
import type { MultiOperation } from '../../../src/operations/multi.js';
import { Chroot, nameOf, parentOf } from '../../../src/paths.js';
import { acl } from '../../../src/acl.js';
import type { RequestLimits } from '../../../src/session/pending-request.js';
import { Stat } from '../../../src/stat.js';
import { type CommitTransaction, Transaction } from '../../../src/transaction.js';
import type { ZooKeeperOperations } from '../../../src/zookeeper-operations.js';

/** A znode of a {@link FakeTree}. */
interface Node {
  data: Buffer | null;
  readonly mode: CreateMode;
  readonly owner: Long;
}

/** The tree of a server, right here: what the helpers that need several requests are tried on. */
export class FakeTree {
  readonly nodes = new Map<string, Node>([['/', { data: null, mode: 'persistent', owner: Long.ZERO }]]);
  /** What was asked, as `operation path`. */
  readonly calls: string[] = [];
  /** The limits that came with the calls. */
  readonly limits: (RequestLimits | undefined)[] = [];
  /** Runs before each call; what it throws is its outcome. */
  before: ((call: string) => void) | undefined;
  sessionId = Long.fromNumber(7);
  root = '/';
  #sequence = 0;
  #underWay = 0;
  /** The most calls that were under way at once. */
  mostUnderWay = 0;

  /** As the functions under test want it. */
  get asZooKeeper(): ZooKeeperOperations {
    return this as unknown as ZooKeeperOperations;
  }

  get paths(): string[] {
    return [...this.nodes.keys()].sort();
  }

  /** Puts znodes there; parents have to come first. */
  plant(...paths: string[]): this {
    for (const path of paths) this.nodes.set(path, { data: Buffer.from(path), mode: 'persistent', owner: Long.ZERO });
    return this;
  }

  /** Whether the server is of 3.5 or later. */
  isNew = true;

  hasNewServer(): Promise<boolean> {
    return Promise.resolve(this.isNew);
  }

  unrooted(): this {
    return this;
  }

  createPlain(path: string, data: string | null, options: RequestLimits & { mode?: CreateMode }): Promise<unknown> {
    const { mode = 'persistent', signal, timeout } = options;
    return this.#call('create', path, { signal, timeout }, () => {
      if (!this.nodes.has(parentOf(path))) throw new NoNodeError('no parent', { path });
      const created = isSequential(mode) ? path + String(this.#sequence++).padStart(10, '0') : path;
      if (this.nodes.has(created)) throw new NodeExistsError('it is there', { path });
      const owner = mode.startsWith('ephemeral') ? this.sessionId : Long.ZERO;
      this.nodes.set(created, { data: data === null ? null : Buffer.from(data), mode, owner });
      return describeCreated({ zxid: Long.ONE, stat: undefined }, created, path);
    });
  }

  has(path: string, limits?: RequestLimits): Promise<boolean> {
    return this.#call('has', path, limits, () => this.nodes.has(path));
  }

  exists(path: string, limits?: RequestLimits): Promise<Stat | null> {
    return this.#call('exists', path, limits, () => (this.nodes.has(path) ? this.#statOf(path) : null));
  }

  getData(path: string, limits?: RequestLimits): Promise<ZNode> {
    return this.#call('getData', path, limits, () => new ZNode(this.#at(path).data, this.#statOf(path)));
  }

  setData(path: string, data: string, _version?: number, limits?: RequestLimits): Promise<Stat> {
    return this.#call('setData', path, limits, () => {
      this.#at(path).data = Buffer.from(data);
      return this.#statOf(path);
    });
  }

  getChildren(path: string, limits?: RequestLimits): Promise<string[]> {
    return this.#call('getChildren', path, limits, () => {
      this.#at(path);
      return this.#childrenOf(path).map(nameOf);
    });
  }

  sync(path: string, limits?: RequestLimits): Promise<void> {
    return this.#call('sync', path, limits, () => undefined);
  }

  delete(path: string, _version?: number, limits?: RequestLimits): Promise<void> {
    return this.#call('delete', path, limits, () => this.#delete(path));
  }

  transaction(): Transaction {
    const commit: CommitTransaction = (operations, limits, read) =>
      this.#call('multi', String(operations.length), limits, () => {
        this.#deleteAll(operations);
        return read({ zxid: Long.ONE, results: operations.map(() => ({ kind: 'done' })) });
      });
    return new Transaction(Chroot.of(''), commit, { defaultAcl: () => acl.open, schema: undefined });
  }

  #deleteAll(operations: readonly MultiOperation[]): void {
    const before = new Map(this.nodes);
    try {
      for (const { path } of operations) this.#delete(path);
    } catch (error) {
      this.nodes.clear();
      for (const [path, node] of before) this.nodes.set(path, node);
      throw error;
    }
  }

  #delete(path: string): void {
    this.#at(path);
    if (this.#childrenOf(path).length > 0) throw new NotEmptyError('it has children', { path });
    this.nodes.delete(path);
  }

  async #call<T>(operation: string, path: string, limits: RequestLimits | undefined, run: () => T): Promise<T> {
    const call = `${operation} ${path}`;
    this.calls.push(call);
    this.limits.push(limits);
    this.mostUnderWay = Math.max(this.mostUnderWay, ++this.#underWay);
    try {
      await Promise.resolve();
      this.before?.(call);
      return run();
    } finally {
      this.#underWay--;
    }
  }

  #at(path: string): Node {
    const node = this.nodes.get(path);
    if (node === undefined) throw new NoNodeError('there is none', { path });
    return node;
  }

  #childrenOf(path: string): string[] {
    return [...this.nodes.keys()].filter((each) => each !== '/' && parentOf(each) === path);
  }

  #statOf(path: string): Stat {
    const { owner } = this.#at(path);
    return new Stat(Long.ONE, Long.ONE, 1, 1, 0, 0, 0, owner, 0, 0, Long.ONE);
  }
}

/** What a server answers with this code. */
export function refusal(code: number): ZooKeeperError {
  return new ServerFailure(code).toError({});
}
