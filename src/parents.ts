import type { Acl } from './acl.js';
import { checkParents } from './arguments.js';
import type { Created, CreateOptions, ParentsOption } from './created.js';
import { NoAuthError, NodeExistsError, NoNodeError, UnimplementedError } from './errors.js';
import type { CreateMode } from './operations/create.js';
import { checkPath, parentOf } from './paths.js';
import type { Data } from './protocol/records.js';
import type { RequestLimits } from './session/pending-request.js';
import type { ZooKeeperOperations } from './zookeeper-operations.js';

/** How often parents are made anew that vanish again at once, as empty containers may. */
const MOST_ROUNDS = 10;

/** Creates a znode, and its parents where they are missing. */
export async function createWithParents<Mode extends CreateMode, WithStat extends boolean>(
  zk: ZooKeeperOperations,
  path: string,
  data: Data,
  options: CreateOptions<Mode, WithStat>,
): Promise<Created<Mode, WithStat>> {
  const { parents = 'persistent' } = options;
  for (let round = 1; ; round++) {
    try {
      return await zk.createPlain(path, data, options);
    } catch (error) {
      if (!(error instanceof NoNodeError) || round === MOST_ROUNDS) throw error;
      const { signal, timeout } = options;
      await ensurePath(zk, parentOf(path), parents, { signal, timeout });
    }
  }
}

/** Sees to it that a znode and its parents exist. From the bottom up: parents may be unreadable, and need no look. */
export async function ensurePath(
  zk: ZooKeeperOperations,
  path: string,
  parents: ParentsOption,
  limits: RequestLimits = {},
): Promise<void> {
  checkPath(path, 'ensurePath');
  checkParents(parents, 'ensurePath', path);
  if (path === '/') {
    if (zk.root !== '/') await ensurePath(zk.unrooted(), zk.root, parents, limits);
    return;
  }
  for (let round = 1; ; round++) {
    try {
      await createParent(zk, path, parents, limits);
      return;
    } catch (error) {
      if (error instanceof NodeExistsError) return;
      // The server asks for the permission to create before it looks whether there is something to create.
      if (error instanceof NoAuthError && (await zk.has(path, limits))) return;
      if (!(error instanceof NoNodeError) || round === MOST_ROUNDS) throw error;
      await ensurePath(zk, parentOf(path), parents, limits);
    }
  }
}

async function createParent(
  zk: ZooKeeperOperations,
  path: string,
  parents: ParentsOption,
  limits: RequestLimits,
): Promise<void> {
  // A server before 3.5 knows no containers, and closes the connection of whoever asks for one.
  if (parents !== 'container' || (await zk.hasNewServer(limits)) === false) {
    await zk.createPlain(path, null, limits);
    return;
  }
  try {
    await zk.createPlain(path, null, { mode: 'container', ...limits });
  } catch (error) {
    if (!(error instanceof UnimplementedError)) throw error;
    await zk.createPlain(path, null, limits);
  }
}

/** The options of `upsert`. The limits are those of each request. */
export interface UpsertOptions extends RequestLimits {
  /** Of a znode that is created. Default: the option `defaultAcl` of the client. */
  readonly acl?: readonly Acl[] | undefined;
}

/** Writes data into a znode, whether there is one or not. */
export async function upsert(zk: ZooKeeperOperations, path: string, data: Data, options: UpsertOptions): Promise<void> {
  const { acl, ...limits } = options;
  for (let round = 1; ; round++) {
    try {
      await zk.setData(path, data, undefined, limits);
      return;
    } catch (error) {
      if (!(error instanceof NoNodeError)) throw error;
    }
    try {
      await createWithParents(zk, path, data, { acl, ...limits });
      return;
    } catch (error) {
      // Somebody else was faster: there is something to write into now.
      if (!(error instanceof NodeExistsError) || round === MOST_ROUNDS) throw error;
    }
  }
}
