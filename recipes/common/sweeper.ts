import { BadVersionError, isPassing, NoNodeError, type SessionInfo, type ZooKeeper } from 'zookit';
import { after, defer, isEndOfSession, pause, type Wait } from './waiting.js';

/**
 * Deletes an ephemeral znode of a session that nobody else has a znode at the path of, and does not rest before it is
 * gone or the session is over (Curator: guaranteed delete). Rejects only where trying again cannot help: NoAuthError.
 */
export function sweep(zk: ZooKeeper, path: string, session: SessionInfo): Promise<void> {
  return persist(zk, session, () => zk.delete(path));
}

/** As {@link sweep}, where others may have a znode at the same path: deletes that of the current session only. */
export function sweepOwned(zk: ZooKeeper, path: string): Promise<void> {
  const { session } = zk;
  return persist(zk, session, async () => {
    // After a change of the server, the one in use now need not have seen yet what we have created.
    const [, stat] = await Promise.all([zk.sync(path), zk.exists(path)]);
    if (stat?.ephemeralOwner.equals(session.id) === true) await zk.delete(path, stat.version);
  });
}

async function persist(zk: ZooKeeper, session: SessionInfo, remove: () => Promise<void>): Promise<void> {
  for (let attempt = 0; zk.session === session; attempt++) {
    try {
      await remove();
      return;
    } catch (error) {
      if (error instanceof NoNodeError || isEndOfSession(error)) return;
      if (!isPassing(error) && !(error instanceof BadVersionError)) throw error;
      await pause(zk, attempt);
    }
  }
}

/** How long a caller whose wait has ended is kept until its znode is gone, milliseconds. */
export const SWEEP_GRACE = 250;

/**
 * For a caller who is about to be told that its wait has come to nothing: with a server that answers, its znode is gone
 * when this resolves; without one it is swept in the background. Where it cannot be swept, the process is warned.
 */
export async function sweepAfterWait(zk: ZooKeeper, wait: Wait, path: string, sweeping: Promise<void>): Promise<void> {
  const swept = sweepInBackground(path, sweeping);
  wait.leaveBehind(swept);
  await atMost(zk.state === 'connected' ? SWEEP_GRACE : 0, swept);
}

/** Resolves with the deletion, or after so many milliseconds. */
export async function atMost(milliseconds: number, swept: Promise<void>): Promise<void> {
  const over = defer();
  const stop = after(milliseconds, () => over.resolve());
  await Promise.race([swept, over.promise]);
  stop();
}

/** For a deletion that nobody waits for. Where it cannot be done, the process is warned. Never rejects. */
export function sweepInBackground(path: string, sweeping: Promise<void>): Promise<void> {
  return sweeping.catch((error: unknown) => {
    process.emitWarning(`zookit: ${path} stays until its session ends: ${String(error)}`);
  });
}
