import { BadVersionError, childPath, NoNodeError, type ZooKeeper } from 'zookit';
import { childrenOf } from '../common/children.js';
import { untilItCan } from '../members/node-place.js';
import { checkServicePart } from '../services/service-instance.js';
import type { FormerAgent } from './node-record.js';

/**
 * Removes the registrations of an agent that is gone, but for those that are wanted: these are replaced by whoever wants
 * them, so that no caller sees them missing. Each removal is told.
 */
export async function removeOrphans(
  zk: ZooKeeper,
  basePath: string,
  former: FormerAgent,
  isWanted: (service: string, id: string) => boolean,
  removed: (service: string, id: string) => void,
): Promise<void> {
  for (const service of former.services.filter(isService)) {
    const gone = await removeChildren(zk, childPath(basePath, service), former, (id) => !isWanted(service, id));
    for (const id of gone) removed(service, id);
  }
}

/** Removes the children of a znode that belong to an agent that is gone. Resolves with their names. */
export async function removeChildren(
  zk: ZooKeeper,
  path: string,
  former: FormerAgent,
  isOrphan: (name: string) => boolean = () => true,
): Promise<string[]> {
  const names = await untilItCan(zk, () => childrenOf(zk, path));
  const removals = names.filter(isOrphan).map(async (name) => {
    const isRemoved = await untilItCan(zk, () => removeOf(zk, former, childPath(path, name)));
    return isRemoved ? [name] : [];
  });
  return (await Promise.all(removals)).flat();
}

function isService(name: string): boolean {
  try {
    checkServicePart(name, 'name');
    return true;
  } catch {
    return false;
  }
}

/** Deletes a znode that belongs to the former agent; false where it does not, or is gone. */
async function removeOf(zk: ZooKeeper, { session }: FormerAgent, path: string): Promise<boolean> {
  const stat = await zk.exists(path);
  if (stat?.ephemeralOwner.equals(session) !== true) return false;
  try {
    await zk.delete(path, stat.version);
    return true;
  } catch (error) {
    if (error instanceof NoNodeError || error instanceof BadVersionError) return false;
    throw error;
  }
}
