import {
  NoNodeError,
  OperationTimeoutError,
  type SessionInfo,
  type ZNode,
  type ZooKeeper,
  ZooKeeperError,
} from 'zookit';
import { checkDelay, checkNames, checkWait, type OptionSubject } from '../common/options.js';
import { OwnWatch } from '../common/own-watch.js';
import { isGone, lookUntil, Wait } from '../common/waiting.js';

/** What whoever wants a lock back writes into the znode of its holder, as Curator's Revoker does. */
const REQUEST = '__REVOKE__';

/** The lock is wanted back: the reason of `lock.revoked`. */
export class LockRevokedError extends ZooKeeperError {
  readonly code = 'LOCK_REVOKED';
}

/** Whether the znode says that the lock is wanted back. */
export function isRevoked(node: ZNode): boolean {
  return node.text() === REQUEST;
}

/** How a lock is asked back. */
export interface RevokeOptions {
  /** How long the holder has to give it back, milliseconds; then its znode is deleted. Default: it is only asked. */
  readonly breakAfter?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * What became of the request: nobody holds the lock, or the holder was gone already; the holder was asked; it was asked,
 * and went in time; its znode was deleted.
 */
export type RevokeOutcome = 'nobody' | 'asked' | 'left' | 'broken';

/** Refuses what is no way to ask. @throws InvalidArgumentError. */
export function checkRevoke(options: RevokeOptions, subject: OptionSubject): void {
  checkNames(options, ['breakAfter', 'signal'], subject);
  checkWait({ signal: options.signal }, subject);
  checkDelay('breakAfter', options.breakAfter, subject);
}

/** Asks the owner of a znode for the lock, and deletes the znode in the end where the options want that. */
export async function revokeContender(
  zk: ZooKeeper,
  path: string,
  { breakAfter, signal }: RevokeOptions,
  subject: OptionSubject,
): Promise<RevokeOutcome> {
  try {
    await zk.setData(path, REQUEST, undefined, { retry: true, signal });
  } catch (error) {
    if (error instanceof NoNodeError) return 'nobody';
    throw error;
  }
  if (breakAfter === undefined) return 'asked';
  using wait = new Wait({ timeout: breakAfter, signal }, subject);
  if (await leaves(zk, path, wait)) return 'left';
  await zk.delete(path, undefined, { missing: 'ignore', retry: true, signal });
  return 'broken';
}

/** Whether a znode is gone before the wait is over. */
async function leaves(zk: ZooKeeper, path: string, wait: Wait): Promise<boolean> {
  let listener: () => void = () => undefined;
  const look = async (changed: () => void): Promise<true | undefined> => {
    listener = changed;
    return (await isGone(zk, path, listener, wait)) || undefined;
  };
  try {
    return await lookUntil(zk, wait, look, () => zk.unwatch(path, listener));
  } catch (error) {
    if (wait.isOver && error instanceof OperationTimeoutError) return false;
    throw error;
  }
}

/** Hears of the request to give back what is held. */
export class Revocation {
  readonly #controller = new AbortController();
  readonly #watch: OwnWatch;

  constructor(
    zk: ZooKeeper,
    private readonly path: string,
    session: SessionInfo,
  ) {
    // Whoever holds learns of a deletion by itself.
    const gone = (): void => undefined;
    this.#watch = new OwnWatch(zk, path, session, gone, (node) => {
      if (isRevoked(node)) this.ask('somebody wants the lock back');
    });
  }

  /** Aborts at the request, with a LockRevokedError. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Begins to look what others write, unless it has begun already. */
  begin(): void {
    this.#watch.begin();
  }

  /** The request itself. */
  ask(why: string): void {
    this.end();
    if (!this.signal.aborted) this.#controller.abort(new LockRevokedError(why, { path: this.path }));
  }

  /** Nobody wants to know any more. */
  end(): void {
    this.#watch.end();
  }
}
