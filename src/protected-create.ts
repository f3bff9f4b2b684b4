import { randomUUID } from 'node:crypto';
import { after } from './clock.js';
import { type Created, type CreateOptions, describeCreated } from './created.js';
import {
  ConnectionLossError,
  NoNodeError,
  NotReadOnlyError,
  OperationTimeoutError,
  QueueFullError,
  SessionExpiredError,
  ThrottledError,
} from './errors.js';
import type { CreateMode } from './operations/create.js';
import { createWithParents } from './parents.js';
import { childPath, nameOf, parentOf } from './paths.js';
import type { Data } from './protocol/records.js';
import type { RequestLimits } from './session/pending-request.js';
import type { ZooKeeperOperations } from './zookeeper-operations.js';

/** The pause before the search is begun again, milliseconds; it doubles each time, up to the longest. */
const FIRST_PAUSE = 20;
const LONGEST_PAUSE = 1_000;

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
      const { sessionId } = zk;
      const found = await findCreated<Mode, WithStat>(zk, protectedPath, prefix, options);
      if (found !== undefined) return found;
      if (!zk.sessionId.equals(sessionId))
        throw new SessionExpiredError('the session has expired', { operation: 'create', path, cause: error }, true);
    }
  }
}

/**
 * The znode that was created before the connection was lost, if it was. What passes does not end the search: a znode
 * that nobody knows of would stay as long as the session.
 */
async function findCreated<Mode extends CreateMode, WithStat extends boolean>(
  zk: ZooKeeperOperations,
  protectedPath: string,
  prefix: string,
  limits: RequestLimits,
): Promise<Created<Mode, WithStat> | undefined> {
  const { sessionId } = zk;
  const { signal, timeout } = limits;
  for (let pause = FIRST_PAUSE; ; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
    try {
      return await lookFor<Mode, WithStat>(zk, protectedPath, prefix, { signal, timeout });
    } catch (error) {
      if (error instanceof NoNodeError) return undefined;
      const passes =
        error instanceof ConnectionLossError ||
        error instanceof QueueFullError ||
        error instanceof ThrottledError ||
        error instanceof NotReadOnlyError ||
        (error instanceof OperationTimeoutError && timeout === undefined);
      if (!passes || !zk.sessionId.equals(sessionId)) throw error;
      await new Promise<void>((resolve) => after(pause, resolve));
    }
  }
}

async function lookFor<Mode extends CreateMode, WithStat extends boolean>(
  zk: ZooKeeperOperations,
  protectedPath: string,
  prefix: string,
  limits: RequestLimits,
): Promise<Created<Mode, WithStat> | undefined> {
  const parent = parentOf(protectedPath);
  // The server in use now may be behind the one that was asked to create.
  const [, names] = await Promise.all([zk.sync(parent, limits), zk.getChildren(parent, limits)]);
  const name = names.find((child) => child.startsWith(prefix));
  if (name === undefined) return undefined;
  const path = childPath(parent, name);
  const stat = await zk.exists(path, limits);
  // One of an older session is about to go, and never was ours to use.
  if (stat === null || !(stat.ephemeralOwner.isZero() || stat.ephemeralOwner.equals(zk.sessionId))) return undefined;
  return describeCreated<Mode, WithStat>({ zxid: stat.czxid, stat }, path, protectedPath);
}
