import { randomUUID } from 'node:crypto';
import { childPath, nameOf, NodeExistsError, NoNodeError, type SessionInfo, type ZooKeeper } from 'zookit';
import { Contender, type Line } from '../common/contender.js';
import type { FencingToken } from '../common/fencing.js';
import { sweep, sweepAfterWait } from '../common/sweeper.js';
import { canTryAgain, pause, type Wait } from '../common/waiting.js';
import { readerWithNumberOf } from './read-write-line.js';

/** Whose number a reader takes. */
export interface NumberOwner {
  readonly path: string;
  /** Where it is not known, it is looked up. */
  readonly fencingToken?: FencingToken | undefined;
  /** Whether it is a reader that has been joined, and not the writer that reads on. */
  readonly isJoined: boolean;
}

/**
 * Lets a reader in with the number of one that holds, before all who wait behind that one. The server creates the znode
 * of the reader only if the other one still stands: so who waits behind both has not entered, and will see the reader when
 * it looks who is in its way. The reader has the fencing token of the other one, too: tokens grow with the numbers.
 *
 * Undefined if the other one does not stand any more. However the wait ends, no znode stays behind.
 */
export async function enterWithNumberOf(
  zk: ZooKeeper,
  line: Line,
  owner: NumberOwner,
  wait: Wait,
): Promise<Contender | undefined> {
  wait.check();
  const { session } = zk;
  const path = childPath(line.path, readerWithNumberOf(nameOf(owner.path), randomUUID(), owner.isJoined));
  // Answered in order: where the znode is created, this look has found its owner.
  const token = owner.fencingToken ?? zk.exists(owner.path).then((stat) => stat?.czxid);
  let creating: Promise<boolean> | undefined;
  try {
    for (let failures = 0; ;) {
      creating = create(zk, session, path, line, owner, creating !== undefined);
      try {
        const [fencingToken, isThere] = await wait.race(Promise.all([token, creating]));
        if (!isThere || zk.session !== session) return undefined;
        if (fencingToken !== undefined) return Contender.entered(zk, line, session, path, fencingToken);
        await wait.race(sweep(zk, path, session));
        return undefined;
      } catch (error) {
        if (wait.isOver || !canTryAgain(zk, error)) throw error;
        if (zk.session !== session) return undefined;
        await wait.race(pause(zk, failures++, wait.signal));
      }
    }
  } catch (error) {
    // A znode that comes late has no owner, and must not stand in line.
    const settled = Promise.allSettled([creating]);
    const swept = settled.then(() => sweep(zk, path, session));
    await sweepAfterWait(zk, wait, path, swept);
    throw error;
  }
}

/** Whether the znode is there, made by us. */
async function create(
  zk: ZooKeeper,
  session: SessionInfo,
  path: string,
  line: Line,
  owner: NumberOwner,
  isAgain: boolean,
): Promise<boolean> {
  const bound = zk.ofThisSession();
  try {
    await bound.transaction().check(owner.path).create(path, line.data, { mode: 'ephemeral' }).commit();
    return true;
  } catch (error) {
    if (!(error instanceof NodeExistsError || error instanceof NoNodeError)) throw error;
    if (!isAgain) return false;
    // An earlier try may have been carried out, and its answer lost. Nobody else has a znode of this name.
    const [, stat] = await Promise.all([bound.sync(path), bound.exists(path)]);
    return stat !== null && session.owns(stat);
  }
}
