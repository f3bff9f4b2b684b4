import { BadVersionError, childPath, NoNodeError, type ZNode, type ZooKeeper } from 'zookit';
import type { OptionSubject } from '../common/options.js';
import type { Wait } from '../common/waiting.js';
import type { ConfigDraft, ConfigTarget } from './config-target.js';
import { isBesideConfig, storedBytes } from './stored-value.js';
import { bytesOf, decodeTree, encodeTree, type TreeZNode } from './tree-bytes.js';
import { TreeDraft, TreeReader, type TreeRule } from './tree-draft.js';
import { readLog } from './update-log.js';
import { untilDone } from './value-parts.js';

/** The version that a server takes for any: what has it cannot be written on condition. */
const ANY_VERSION = -1;

/** A configuration in a tree of znodes, which is written in one transaction. The version is that of the root. */
export class TreeTarget implements ConfigTarget {
  constructor(
    private readonly zk: ZooKeeper,
    private readonly rule: TreeRule,
  ) {}

  async open(subject: OptionSubject, wait: Wait): Promise<ConfigDraft> {
    const { path } = subject;
    const [znodes, log] = await untilDone(this.zk, wait, () =>
      Promise.all([this.#read(path, wait.signal), readLog(this.zk, path, wait.signal)]),
    );
    for (const [at, { node }] of znodes) {
      if (node.stat.version !== ANY_VERSION) continue;
      const problem = 'the version has come to -1, which stands for any: no condition can be put on it';
      throw new BadVersionError(`${problem}; write to the znode once while nobody else does`, { ...subject, path: at });
    }
    return new TreeDraft(this.zk, this.rule, znodes, log, subject);
  }

  async current(node: ZNode | undefined, path: string, wait: Wait): Promise<Buffer | undefined> {
    if (node === undefined) return undefined;
    const znodes = await untilDone(this.zk, wait, () => this.#read(path, wait.signal));
    return encodeTree(path, bytesOf(znodes));
  }

  async valueOf(bytes: Buffer, subject: OptionSubject): Promise<unknown> {
    const tree = decodeTree(subject.path, bytes);
    const reader = new TreeReader(this.zk, this.rule, subject);
    return reader.valueOf(tree.keys(), await reader.read(tree));
  }

  async #read(path: string, signal: AbortSignal | undefined): Promise<Map<string, TreeZNode>> {
    const found = new Map<string, TreeZNode>();
    const read = async (at: string): Promise<void> => {
      const znode = await this.#readOne(at, signal);
      if (znode === undefined) return;
      found.set(at, znode);
      if (znode.node.stat.numChildren === 0) return;
      const names = await unlessGone(this.zk.getChildren(at, { signal }));
      await Promise.all((names ?? []).filter((name) => !isBesideConfig(name)).map((name) => read(childPath(at, name))));
    };
    await read(path);
    return found;
  }

  async #readOne(path: string, signal: AbortSignal | undefined): Promise<TreeZNode | undefined> {
    for (;;) {
      const node = await unlessGone(this.zk.getData(path, { signal }));
      if (node === undefined) return undefined;
      if (isFolder(node)) return { node, bytes: null };
      const bytes = await storedBytes(this.zk, path, node, { signal });
      if (bytes !== undefined) return { node, bytes };
    }
  }
}

/** Whether a znode is only there for those below it. */
function isFolder({ isNull, data, stat }: ZNode): boolean {
  return isNull || (data.length === 0 && stat.numChildren > 0);
}

async function unlessGone<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof NoNodeError) return undefined;
    throw error;
  }
}
