import { NoNodeError, type SessionInfo, type ZooKeeper } from 'zookit';
import { after, defer, isEndOfSession, isPassing, pause } from './waiting.js';

/**
 * Deletes an ephemeral znode of a session, and does not rest before it is gone or the session is over (Curator:
 * guaranteed delete). Rejects only where trying again cannot help: NoAuthError, NotEmptyError.
 */
export async function sweep(zk: ZooKeeper, path: string, session: SessionInfo): Promise<void> {
  for (let attempt = 0; zk.session === session; attempt++) {
    try {
      await zk.delete(path);
      return;
    } catch (error) {
      if (error instanceof NoNodeError || isEndOfSession(error)) return;
      if (!isPassing(error)) throw error;
      await pause(zk, attempt);
    }
  }
}

/** How long a caller whose wait has ended is kept until its znode is gone, milliseconds. */
const SWEEP_GRACE = 250;

/**
 * As {@link sweep}, for a caller who is about to be told that its wait has ended: with a server that answers, the znode
 * is gone when this resolves; without one it is swept in the background. The path may come later, when a create is
 * still under way. What cannot be swept is told as a warning of the process.
 */
export async function sweepAfterWait(zk: ZooKeeper, path: Promise<string>, session: SessionInfo): Promise<void> {
  const over = defer();
  const swept = path.then(
    (late) => sweep(zk, late, session).catch((error: unknown) => warn(late, error)),
    // The create has failed: there is nothing to sweep.
    () => undefined,
  );
  const stop = after(zk.state === 'connected' ? SWEEP_GRACE : 0, () => over.resolve());
  await Promise.race([swept, over.promise]);
  stop();
}

function warn(path: string, error: unknown): void {
  process.emitWarning(`zookit: ${path} stays until its session ends: ${String(error)}`);
}
