import { childPath, NoNodeError, type ZooKeeper } from 'zookit';
import type { Wait } from '../common/waiting.js';
import type { InvalidConfigError, InvalidConfigReason } from './errors.js';
import { REFUSALS_SUFFIX } from './stored-value.js';
import { childrenOf, untilDone } from './value-parts.js';

/** Somebody who does not take a configuration as it stands. */
export interface ConfigRefusal {
  /** Who it is. */
  readonly id: string;
  readonly reason: InvalidConfigReason;
  /** The znode that is to be mended, as far as that is known. */
  readonly path: string;
  /** Where in the value it is wrong, its keys joined by dots; empty where that cannot be said. */
  readonly keyPath: string;
  /** Since when it says so, milliseconds since 1970, by the clock of the server. */
  readonly since: number;
}

/** Who does not take what stands there now. */
export async function readRefusals(zk: ZooKeeper, path: string, wait: Wait): Promise<ConfigRefusal[]> {
  const folder = `${path}${REFUSALS_SUFFIX}`;
  return await untilDone(zk, wait, async () => {
    const names = (await childrenOf(zk, folder, wait.signal)) ?? [];
    const found = names.sort().map((name) => readRefusal(zk, folder, name, wait.signal));
    return (await Promise.all(found)).filter((refusal) => refusal !== undefined);
  });
}

async function readRefusal(
  zk: ZooKeeper,
  folder: string,
  id: string,
  signal: AbortSignal | undefined,
): Promise<ConfigRefusal | undefined> {
  try {
    const node = await zk.getData(childPath(folder, id), { signal });
    const { reason, path, keyPath } = node.json<Omit<ConfigRefusal, 'id' | 'since'>>();
    return { id, reason, path, keyPath, since: node.stat.mtime };
  } catch (error) {
    // Taken away meanwhile, or none.
    if (error instanceof NoNodeError || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** A refusal as it stands in its znode. What the value is, it does not say. */
export function encodeRefusal({ reason, keyPath, path }: InvalidConfigError, configuration: string): string {
  return JSON.stringify({ reason, path: path ?? configuration, keyPath });
}
