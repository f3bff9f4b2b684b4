import { NoNodeError, type Stat, type ZNode, type ZooKeeper } from 'zookit';
import type { Wait } from '../common/waiting.js';
import { DamagedValueError, decodeManifest, storedBytes } from './stored-value.js';
import { type LogEntry, type LogState, readEntries, readLog } from './update-log.js';
import { untilDone } from './value-parts.js';

/** What stands at the server when an update begins. */
export interface StoredState {
  readonly node: ZNode | undefined;
  /** The value; undefined where there is none. A znode that was created as a parent of others holds null, which is none. */
  readonly bytes: Buffer | undefined;
  /** What is wrong with the value, if its parts have come to harm. */
  readonly damage: DamagedValueError | undefined;
  readonly log: LogState;
}

/** Reads all of it; two round trips where the value is in parts. */
export async function readState(zk: ZooKeeper, path: string, wait: Wait): Promise<StoredState> {
  for (;;) {
    const [node, log] = await untilDone(zk, wait, () =>
      Promise.all([getNode(zk, path, wait.signal), readLog(zk, path, wait.signal)]),
    );
    if (node === undefined || node.isNull) return { node, bytes: undefined, damage: undefined, log };
    try {
      const bytes = await untilDone(zk, wait, () => storedBytes(zk, path, node, { signal: wait.signal }));
      if (bytes !== undefined) return { node, bytes, damage: undefined, log };
    } catch (error) {
      if (!(error instanceof DamagedValueError)) throw error;
      return { node, bytes: undefined, damage: error, log };
    }
  }
}

/** The znode and what is written down of its updates, as they stood at one moment. */
export async function readHistory(
  zk: ZooKeeper,
  path: string,
  wait: Wait,
): Promise<{ readonly node: ZNode | undefined; readonly entries: readonly LogEntry[] }> {
  return await untilDone(zk, wait, async () => {
    for (;;) {
      const { signal } = wait;
      const [, node, log] = await Promise.all([
        zk.sync(path, { signal }),
        getNode(zk, path, signal),
        readLog(zk, path, signal),
      ]);
      const entries = await readEntries(zk, log, signal);
      // Each update writes the znode, too: where that is the same, so is all the rest.
      if (isSame(node?.stat, await zk.exists(path, { signal }))) return { node, entries };
    }
  });
}

/** The generation of the parts that a znode names, if its value is in parts. */
export function generationIn(data: Buffer): string | undefined {
  try {
    return decodeManifest(data, {})?.generation;
  } catch {
    return undefined;
  }
}

async function getNode(zk: ZooKeeper, path: string, signal: AbortSignal | undefined): Promise<ZNode | undefined> {
  try {
    return await zk.getData(path, { signal });
  } catch (error) {
    if (error instanceof NoNodeError) return undefined;
    throw error;
  }
}

function isSame(before: Stat | undefined, after: Stat | null): boolean {
  if (before === undefined || after === null) return before === undefined && after === null;
  return before.mzxid.equals(after.mzxid);
}
