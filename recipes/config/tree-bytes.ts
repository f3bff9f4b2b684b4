import { InvalidArgumentError, type ZNode } from 'zookit';

/** A znode of a tree, and the bytes of its value; null: it is a folder. */
export interface TreeZNode {
  readonly node: ZNode;
  readonly bytes: Buffer | null;
}

/** What a tree holds, by the paths of its znodes; null: a folder. */
export type TreeBytes = ReadonlyMap<string, Buffer | null>;

/** A tree as the history keeps it: the paths below the root, and the bytes in base64. */
export function encodeTree(root: string, tree: TreeBytes): Buffer {
  const znodes = Array.from(tree, ([path, bytes]) => [path.slice(root.length), bytes?.toString('base64') ?? null]);
  return Buffer.from(JSON.stringify({ znodes }));
}

/** @throws InvalidArgumentError if it is no tree. */
export function decodeTree(root: string, data: Buffer): Map<string, Buffer | null> {
  try {
    const { znodes } = JSON.parse(data.toString()) as { readonly znodes: readonly [string, string | null][] };
    return new Map(znodes.map(([path, text]) => [root + path, text === null ? null : Buffer.from(text, 'base64')]));
  } catch (cause) {
    throw new InvalidArgumentError('the version was written for one znode, not for a tree', { path: root, cause });
  }
}

/** The bytes of what was read. */
export function bytesOf(znodes: ReadonlyMap<string, TreeZNode>): Map<string, Buffer | null> {
  return new Map(Array.from(znodes, ([path, { bytes }]) => [path, bytes]));
}

/** Whether a znode has the same bytes, or is a folder before and after. */
export function isSame(before: Buffer | null | undefined, after: Buffer | null): boolean {
  if (before === undefined || before === null || after === null) return before === after;
  return before.equals(after);
}
