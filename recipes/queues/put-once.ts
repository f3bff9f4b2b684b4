import { randomUUID } from 'node:crypto';
import {
  childPath,
  NodeExistsError,
  NoNodeError,
  SessionExpiredError,
  type SessionInfo,
  type Transaction,
  UnansweredError,
  type ZooKeeper,
  type ZooKeeperOperations,
} from 'zookit';
import { sweep } from '../common/sweeper.js';
import { canTryAgain, pause, type Wait } from '../common/waiting.js';
import { makeFolder, type QueuePaths } from './queue-paths.js';

/** A znode that is to be: its name without the number, and its data. */
export interface NewItem {
  readonly prefix: string;
  readonly data: Buffer;
}

/**
 * Puts items, all or none, once: however often the reply is lost, there are no two of them, also when consumers are
 * faster than the second try.
 *
 * One transaction creates the items and an ephemeral mark beside them. A second try of the same transaction fails at the
 * mark if the first one was done. A session that ends in between takes the mark with it, so nobody can tell any more:
 * then it rejects with SessionExpiredError, and `mayHaveBeenApplied` is true.
 */
export async function putOnce(zk: ZooKeeper, paths: QueuePaths, items: readonly NewItem[], wait: Wait): Promise<void> {
  if (items.length === 0) return;
  let put = new Put(zk, paths, items);
  for (let failures = 0; ;) {
    try {
      wait.check();
      await put.commit(wait);
      return;
    } catch (error) {
      if (wait.isOver) throw put.giveUp(overOf(wait) ?? error);
      // A folder was missing: it is made at the next try.
      if (error instanceof NoNodeError) continue;
      const isOver = put.isInDoubt && error instanceof SessionExpiredError;
      if (isOver || !canTryAgain(zk, error)) throw put.giveUp(error);
      if (zk.session !== put.session && !put.isInDoubt) put = new Put(zk, paths, items);
      await pause(zk, failures++, wait.signal);
    }
  }
}

/** One transaction, sent in one session until its outcome is known. */
class Put {
  readonly session: SessionInfo;
  /** Whether it may have been done, and nobody knows. */
  isInDoubt = false;
  readonly #mark: string;
  readonly #ofSession: ZooKeeperOperations;
  #folderIsMissing = false;

  constructor(
    private readonly zk: ZooKeeper,
    private readonly paths: QueuePaths,
    private readonly items: readonly NewItem[],
  ) {
    this.session = zk.session;
    this.#ofSession = zk.ofThisSession();
    this.#mark = childPath(paths.puts, randomUUID());
  }

  /** Resolves when it is done. */
  async commit(wait: Wait): Promise<void> {
    if (this.#folderIsMissing)
      await wait.race(Promise.all([this.paths.items, this.paths.puts].map((path) => makeFolder(this.zk, path))));
    try {
      await this.#transaction().commit({ signal: wait.signal });
    } catch (error) {
      if (error instanceof NoNodeError) this.#folderIsMissing = true;
      if (error instanceof UnansweredError) this.isInDoubt ||= error.mayHaveBeenApplied;
      // No other can have made the mark.
      if (!(error instanceof NodeExistsError)) throw error;
    }
    this.#forget();
  }

  /** What to tell a caller who is told of no success: `error`, and whether it may have been done all the same. */
  giveUp(error: unknown): unknown {
    this.#forget();
    return this.isInDoubt && error instanceof UnansweredError
      ? Object.assign(error, { mayHaveBeenApplied: true })
      : error;
  }

  #transaction(): Transaction<readonly unknown[]> {
    const begun: Transaction<readonly unknown[]> = this.#ofSession
      .transaction()
      .create(this.#mark, null, { mode: 'ephemeral' });
    return this.items.reduce<Transaction<readonly unknown[]>>(
      (transaction, { prefix, data }) =>
        transaction.create(childPath(this.paths.items, prefix), data, { mode: 'persistentSequential' }),
      begun,
    );
  }

  /** Nobody waits for the mark to go; where it may not be deleted, it goes with the session. */
  #forget(): void {
    sweep(this.zk, this.#mark, this.session).catch(() => undefined);
  }
}

/** Why the wait is over. */
function overOf(wait: Wait): unknown {
  try {
    wait.check();
    return undefined;
  } catch (error) {
    return error;
  }
}
