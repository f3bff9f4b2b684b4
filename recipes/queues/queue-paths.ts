import { NodeExistsError, retries, type ZooKeeper } from 'zookit';

/** The folders of a queue. */
export interface QueuePaths {
  /** Where the items are. */
  readonly items: string;
  /** Where an ephemeral znode of the same name stands for each item under work (Curator: lockPath). */
  readonly locks: string;
  /** Where a put leaves an ephemeral mark for as long as it takes, by which it is known to be done. */
  readonly puts: string;
  /** Where the dead letters go. */
  readonly dead: string;
}

/**
 * Makes a folder that stays, as Curator's queues do: their clients do not make it again when it vanishes. Its parents are
 * containers. What passes, as a lost connection, does not end it; the end of the session does.
 */
export async function makeFolder(zk: ZooKeeper, path: string): Promise<void> {
  try {
    await zk.create(path, null, { parents: 'container', retry: retries.exponential() });
  } catch (error) {
    if (!(error instanceof NodeExistsError)) throw error;
  }
}
