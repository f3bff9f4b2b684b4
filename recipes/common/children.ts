import { childPath, NoNodeError, type ReadOptions, type ZooKeeper } from 'zookit';

/** The names of the children; none where there is no such znode. */
export async function childrenOf(zk: ZooKeeper, path: string, options?: ReadOptions): Promise<string[]> {
  try {
    return await zk.getChildren(path, options);
  } catch (error) {
    if (error instanceof NoNodeError) return [];
    throw error;
  }
}

/** The children of these names with their data as text, in this order. Those that have vanished are left out. */
export async function textsOf<Child extends { readonly name: string }>(
  zk: ZooKeeper,
  path: string,
  children: readonly Child[],
): Promise<(Child & { readonly path: string; readonly id: string })[]> {
  const found = await Promise.all(
    children.map(async (child) => {
      const childsPath = childPath(path, child.name);
      const id = await textAt(zk, childsPath);
      return id === undefined ? undefined : { ...child, path: childsPath, id };
    }),
  );
  return found.filter((each) => each !== undefined);
}

async function textAt(zk: ZooKeeper, path: string): Promise<string | undefined> {
  try {
    return (await zk.getData(path)).text();
  } catch (error) {
    if (error instanceof NoNodeError) return undefined;
    throw error;
  }
}
