import { ProtocolError, serverError } from './errors.js';
import type { ZNode } from './operations/get-data.js';
import type { ReadOperation, ReadResult } from './operations/multi-read.js';
import { type Chroot, checkPath } from './paths.js';
import type { RequestLimits } from './session/pending-request.js';

/** Sends the reads as one request. Bound to a client. */
export type SendReads = (
  operations: readonly ReadOperation[],
  limits: RequestLimits,
  read: (results: readonly ReadResult[]) => unknown[],
) => Promise<unknown[]>;

/**
 * Collects reads, which the server answers from one state of the tree, in one round trip. Each succeeds or fails by
 * itself; the results have the form of `Promise.allSettled`. Needs ZooKeeper 3.6.
 */
export class ReadBatch<Results extends readonly unknown[] = []> {
  readonly #steps: { readonly path: string; readonly kind: ReadOperation['kind'] }[] = [];

  /** Made by `zk.multiRead()`. */
  constructor(
    private readonly chroot: Chroot,
    private readonly send: SendReads,
  ) {}

  /** Reads the data and the stat of a znode. */
  getData(path: string): ReadBatch<[...Results, PromiseSettledResult<ZNode>]> {
    return this.#add(path, 'getData');
  }

  /** Reads the names of the children of a znode. */
  getChildren(path: string): ReadBatch<[...Results, PromiseSettledResult<string[]>]> {
    return this.#add(path, 'getChildren');
  }

  /** Sends the reads. Rejects only if none of them was answered. */
  read(limits: RequestLimits = {}): Promise<Results> {
    const operations = this.#steps.map(({ path, kind }) => ({ kind, path: this.chroot.toServer(path) }));
    // Without a further await here: promises settle in the order of the replies.
    const results: Promise<readonly unknown[]> =
      operations.length === 0
        ? Promise.resolve([])
        : this.send(operations, limits, (answers) => this.#settleAll(answers));
    return results as Promise<Results & readonly unknown[]>;
  }

  #add<Result>(path: string, kind: ReadOperation['kind']): ReadBatch<[...Results, Result]> {
    checkPath(path, kind);
    this.#steps.push({ path, kind });
    return this as ReadBatch<readonly unknown[]> as ReadBatch<[...Results, Result]>;
  }

  #settleAll(results: readonly ReadResult[]): PromiseSettledResult<unknown>[] {
    const kinds = { getData: 'data', getChildren: 'children' } as const;
    const fits = ({ kind }: ReadResult, index: number): boolean => {
      const step = this.#steps[index];
      return step !== undefined && (kind === 'error' || kind === kinds[step.kind]);
    };
    if (results.length !== this.#steps.length || !results.every(fits))
      throw new ProtocolError('the results of a multiRead are not those of its reads', { operation: 'multiRead' });
    return results.map((result, index) => this.#settle(result, index));
  }

  #settle(result: ReadResult, index: number): PromiseSettledResult<unknown> {
    if (result.kind === 'data') return { status: 'fulfilled', value: result.node };
    if (result.kind === 'children') return { status: 'fulfilled', value: result.children };
    const step = this.#steps[index];
    return { status: 'rejected', reason: serverError(result.code, { operation: step?.kind, path: step?.path }) };
  }
}
