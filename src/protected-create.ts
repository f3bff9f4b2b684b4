import { randomUUID } from 'node:crypto';
import type Long from 'long';
import { type Created, type CreateOptions, describeCreated } from './created.js';
import { ConnectionLossError, NoNodeError } from './errors.js';
import type { CreateMode } from './operations/create.js';
import { createWithParents } from './parents.js';
import { childPath, nameOf, parentOf } from './paths.js';
import type { Data } from './protocol/records.js';
import type { ZooKeeperOperations } from './zookeeper-operations.js';

/**
 * Creates a znode whose name begins with `_c_<uuid>-`. When the connection is lost before the answer came, the parent's
 * children are searched for that name after the reconnect, so that the znode is created once and known for sure
 * (Curator: ProtectedMode). If the session expires meanwhile, an ephemeral one is gone, and SessionExpiredError says so.
 */
export async function createProtected<Mode extends CreateMode, WithStat extends boolean>(
  zk: ZooKeeperOperations,
  path: string,
  data: Data,
  options: CreateOptions<Mode, WithStat>,
): Promise<Created<Mode, WithStat>> {
  const prefix = `_c_${randomUUID()}-`;
  const protectedPath = childPath(parentOf(path), prefix + nameOf(path));
  for (;;) {
    try {
      return await (options.parents === undefined || options.parents === false
        ? zk.createPlain(protectedPath, data, options)
        : createWithParents(zk, protectedPath, data, options));
    } catch (error) {
      if (!(error instanceof ConnectionLossError) || !error.mayHaveBeenApplied) throw error;
      const found = await findCreated<Mode, WithStat>(zk, protectedPath, prefix, zk.sessionId);
      if (found !== undefined) return found;
    }
  }
}

/** The znode that was created before the connection was lost, if it was. */
async function findCreated<Mode extends CreateMode, WithStat extends boolean>(
  zk: ZooKeeperOperations,
  protectedPath: string,
  prefix: string,
  sessionId: Long,
): Promise<Created<Mode, WithStat> | undefined> {
  const parent = parentOf(protectedPath);
  try {
    const name = (await zk.getChildren(parent)).find((child) => child.startsWith(prefix));
    if (name === undefined) return undefined;
    const path = childPath(parent, name);
    const stat = await zk.exists(path);
    // One of an older session is about to go, and never was ours to use.
    if (stat === null || !(stat.ephemeralOwner.isZero() || stat.ephemeralOwner.equals(sessionId))) return undefined;
    return describeCreated<Mode, WithStat>({ zxid: stat.czxid, stat }, path, protectedPath);
  } catch (error) {
    if (error instanceof NoNodeError) return undefined;
    throw error;
  }
}
