import { type Acl, childPath, NoNodeError, type ZooKeeper } from 'zookit';
import type { Wait } from '../common/waiting.js';
import type { ConfigShape } from './config-source.js';
import { HISTORY_SUFFIX, isBesideConfig, PARTS_SUFFIX } from './stored-value.js';
import { childrenOf, untilDone } from './value-parts.js';

/** How many ACLs are set at a time. */
const AT_A_TIME = 32;

/** Sets the ACL of all znodes of a configuration: of itself, of its history and of its parts. */
export async function setAclOfAll(
  zk: ZooKeeper,
  path: string,
  shape: ConfigShape,
  acl: readonly Acl[],
  wait: Wait,
): Promise<void> {
  const configuration = shape === 'tree' ? await treePaths(zk, path, wait, (name) => !isBesideConfig(name)) : [path];
  const beside = await Promise.all(
    [HISTORY_SUFFIX, PARTS_SUFFIX].map((suffix) => treePaths(zk, `${path}${suffix}`, wait, () => true)),
  );
  // The children before their parents: whoever is to be shut out does not see what is still open.
  const paths = [...configuration, ...beside.flat()].reverse();
  for (let first = 0; first < paths.length; first += AT_A_TIME) {
    const some = paths.slice(first, first + AT_A_TIME);
    await Promise.all(some.map((each) => setAclIfThere(zk, each, acl, wait)));
  }
}

/** A znode and all below it, parents first; none where there is none. */
async function treePaths(
  zk: ZooKeeper,
  path: string,
  wait: Wait,
  isWanted: (name: string) => boolean,
): Promise<string[]> {
  const children = await untilDone(zk, wait, () => childrenOf(zk, path, wait.signal));
  if (children === undefined) return [];
  const below = children.filter(isWanted).map((child) => treePaths(zk, childPath(path, child), wait, isWanted));
  return [path, ...(await Promise.all(below)).flat()];
}

async function setAclIfThere(zk: ZooKeeper, path: string, acl: readonly Acl[], wait: Wait): Promise<void> {
  await untilDone(zk, wait, async () => {
    try {
      await zk.setAcl(path, acl, undefined, { signal: wait.signal });
    } catch (error) {
      // Pruned or swept meanwhile.
      if (!(error instanceof NoNodeError)) throw error;
    }
  });
}
