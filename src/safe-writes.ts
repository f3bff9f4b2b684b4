import Long from 'long';
import { type Created, type CreateOptions, describeCreated } from './created.js';
import {
  AbortedError,
  BadVersionError,
  InvalidArgumentError,
  NodeExistsError,
  NoNodeError,
  SessionExpiredError,
  UnansweredError,
} from './errors.js';
import { limited } from './limited.js';
import { logOf } from './log.js';
import { type CreateMode, isSequential } from './operations/create.js';
import type { ZNode } from './operations/get-data.js';
import { createWithParents } from './parents.js';
import type { Data } from './protocol/records.js';
import { isPassing, persist } from './retry.js';
import { retries, type RetryPolicy } from './retry-policy.js';
import type { RequestLimits } from './session/pending-request.js';
import type { Stat } from './stat.js';
import type { ZooKeeperOperations } from './zookeeper-operations.js';

/**
 * Writes that are tried again when a connection is lost. What makes that safe is that the outcome of the first try can
 * be told by what the second one meets (Curator: `idempotent()`). All tries belong to one session.
 */

const log = logOf('retry');

/** Keeps in mind whether a try before may have been applied. */
class Tries {
  /** Why that is not known. */
  #doubt: UnansweredError | undefined;

  constructor(
    private readonly operation: string,
    private readonly path: string,
    private readonly policy: RetryPolicy,
    private readonly limits: RequestLimits,
  ) {}

  /** `resolve` tells what an error means that may come from an earlier try: a result, or `undefined` if it does not. */
  async run<T>(
    step: (limits: RequestLimits) => Promise<T>,
    resolve: (error: unknown, limits: RequestLimits) => Promise<T | undefined>,
  ): Promise<T> {
    const { signal, timeout } = this.limits;
    const { operation, path, policy } = this;
    const persistence = { policy, isRetryable: isPassing, signal, timeout, operation, path };
    try {
      return await persist(persistence, async (_, limits) => {
        try {
          return await step(limits);
        } catch (error) {
          if (error instanceof UnansweredError) this.#doubt ??= error.mayHaveBeenApplied ? error : undefined;
          else if (this.#doubt !== undefined) {
            const result = await resolve(error, limits);
            if (result !== undefined) return result;
          }
          throw error;
        }
      });
    } catch (error) {
      throw this.#outcome(error);
    }
  }

  /** The last try may certainly not have been applied; one before it may have been all the same. */
  #outcome(error: unknown): unknown {
    if (this.#doubt === undefined) return error;
    if (error instanceof UnansweredError) return Object.assign(error, { mayHaveBeenApplied: true });
    return isPassing(error) ? this.#doubt : error;
  }
}

/** What is found at a path after a refusal; undefined where that cannot be read: then the refusal stands. */
async function lookAt(zk: ZooKeeperOperations, path: string, limits: RequestLimits): Promise<ZNode | undefined> {
  try {
    return await zk.getData(path, limits);
  } catch (error) {
    if (error instanceof UnansweredError || isPassing(error)) throw error;
    return undefined;
  }
}

/** Deletes: a znode that is gone after a try of which nothing is known was deleted by it, or needs no more deleting. */
export async function deleteSafely(
  zk: ZooKeeperOperations,
  path: string,
  version: number,
  policy: RetryPolicy,
  limits: RequestLimits,
): Promise<void> {
  const tries = new Tries('delete', path, policy, limits);
  await tries.run<true>(
    async (left) => {
      await zk.delete(path, version, left);
      return true;
    },
    (error) => Promise.resolve(error instanceof NoNodeError ? true : undefined),
  );
}

/** Sets: our data under the next version is what a try of which nothing is known has left. */
export function setDataSafely(
  zk: ZooKeeperOperations,
  path: string,
  data: Data,
  version: number,
  policy: RetryPolicy,
  limits: RequestLimits,
): Promise<Stat> {
  const tries = new Tries('setData', path, policy, limits);
  return tries.run(
    (left) => zk.setData(path, data, version, left),
    async (error, left) => {
      if (!(error instanceof BadVersionError)) return undefined;
      const found = await lookAt(zk, path, left);
      if (found === undefined) return undefined;
      return found.stat.version === ((version + 1) | 0) && holds(found, data) ? found.stat : undefined;
    },
  );
}

/**
 * Creates: a znode that was never changed, holds our data and has the owner that ours would have is what a try of
 * which nothing is known has left.
 */
export function createSafely<Mode extends CreateMode, WithStat extends boolean>(
  zk: ZooKeeperOperations,
  path: string,
  data: Data,
  policy: RetryPolicy,
  options: CreateOptions<Mode, WithStat>,
): Promise<Created<Mode, WithStat>> {
  const mode: CreateMode = options.mode ?? 'persistent';
  if (isSequential(mode)) {
    const problem = 'retry does not go with a sequential mode, which creates another znode at each try';
    throw new InvalidArgumentError(`${problem}; protected: true does`, { operation: 'create', path });
  }
  const tries = new Tries('create', path, policy, options);
  return tries.run(
    (left) => {
      const all = { ...options, ...left };
      return options.parents === undefined || options.parents === false
        ? zk.createPlain(path, data, all)
        : createWithParents(zk, path, data, all);
    },
    async (error, left) => {
      if (!(error instanceof NodeExistsError)) return undefined;
      const found = await lookAt(zk, path, left);
      if (found === undefined) return undefined;
      // Containers and znodes with a time to live have no owner that the server tells.
      const owner = mode === 'ephemeral' ? zk.sessionId : Long.ZERO;
      const isOurs = found.stat.ephemeralOwner.equals(owner);
      if (!isOurs || found.stat.version !== 0 || !holds(found, data)) return undefined;
      const { stat } = found;
      return describeCreated<Mode, WithStat>({ zxid: stat.czxid, stat }, path, path);
    },
  );
}

function holds(found: { readonly data: Buffer; readonly isNull: boolean }, data: Data): boolean {
  if (data === null) return found.isNull;
  return !found.isNull && found.data.equals(typeof data === 'string' ? Buffer.from(data) : data);
}

/**
 * Deletes, and does not rest before the znode is gone or the session is over, also when the caller's wait has ended
 * (Curator: `guaranteed()`).
 */
export async function deleteForSure(
  zk: ZooKeeperOperations,
  path: string,
  version: number,
  limits: RequestLimits,
): Promise<void> {
  const context = { operation: 'delete', path };
  if (limits.signal?.aborted === true)
    throw new AbortedError('it was aborted', { ...context, cause: limits.signal.reason }, false);
  const deleted = deleteSafely(zk, path, version, retries.exponential(), {});
  deleted.catch((error: unknown) => {
    if (!(error instanceof SessionExpiredError)) log('%s was not deleted: %s', path, String(error));
  });
  await limited(deleted, limits, context);
}
