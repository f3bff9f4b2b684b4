import { randomUUID } from 'node:crypto';
import {
  type Acl,
  childPath,
  NodeExistsError,
  NoNodeError,
  NotEmptyError,
  parentOf,
  type SessionInfo,
  type ZooKeeper,
  ZooKeeperError,
} from 'zookit';
import { canTryAgain, lookUntil, pause, type Wait } from '../common/waiting.js';
import { generationPath, type Manifest, PARTS_SUFFIX, sha256Of } from './stored-value.js';

/** The ephemeral znode in a generation whose writer has not come to its end yet: nobody else sweeps it meanwhile. */
const WRITER = 'writer';

/** The largest part, bytes: small enough that it does not hold up the requests of others for long. */
const LARGEST_PART = 512 * 1024;

/** How many parts are written at a time. */
const PARTS_AT_A_TIME = 4;

/** Parts that are written, and that no manifest names yet. */
export interface DraftParts {
  readonly manifest: Manifest;
  /** The znode that says that they are being written: the transaction that writes the manifest deletes it. */
  readonly marker: string;
  /** Deletes them, in the background: they are not needed after all. */
  discard(): void;
}

/** How parts are written. */
export interface PartsRule {
  /** The largest request, bytes. */
  readonly limit: number;
  readonly acl: readonly Acl[] | undefined;
}

/**
 * Writes a value in parts, in a generation of its own. The mark of the writer goes with its session: what a writer has
 * left that crashed is swept by {@link sweepParts}. Over lost connections it goes on. Undefined if the session ended
 * meanwhile and somebody has swept the parts: to be begun anew.
 */
export async function writeParts(
  zk: ZooKeeper,
  path: string,
  bytes: Buffer,
  rule: PartsRule,
  wait: Wait,
): Promise<DraftParts | undefined> {
  const size = Math.min(rule.limit, LARGEST_PART);
  const parts = Math.ceil(bytes.length / size);
  const manifest = { generation: randomUUID(), parts, bytes: bytes.length, sha256: sha256Of(bytes) };
  const folder = generationPath(path, manifest.generation);
  const { session } = zk;
  const discard = (): void => discardInBackground(zk, folder, session);
  try {
    await begin(zk, folder, rule, wait);
    for (let first = 0; first < parts; first += PARTS_AT_A_TIME) {
      const indexes = Array.from({ length: Math.min(PARTS_AT_A_TIME, parts - first) }, (_, index) => first + index);
      await allSettled(
        indexes.map((index) => {
          const part = bytes.subarray(index * size, (index + 1) * size);
          return createIfAbsent(zk, childPath(folder, String(index)), part, rule, wait);
        }),
      );
    }
  } catch (error) {
    discard();
    if (error instanceof NoNodeError) return undefined;
    throw error;
  }
  return { manifest, marker: childPath(folder, WRITER), discard };
}

/**
 * Deletes the parts that no version needs any more, and those of writers that crashed. `version` is that of the znode
 * which `needed` was worked out for: if somebody has written since, nothing is deleted.
 */
export async function sweepParts(
  zk: ZooKeeper,
  path: string,
  version: number,
  needed: ReadonlySet<string>,
  wait: Wait,
): Promise<void> {
  const { signal } = wait;
  const root = `${path}${PARTS_SUFFIX}`;
  for (const generation of (await childrenOf(zk, root, signal)) ?? []) {
    if (needed.has(generation)) continue;
    const folder = childPath(root, generation);
    const children = await childrenOf(zk, folder, signal);
    if (children === undefined || children.includes(WRITER)) continue;
    const deleting = zk.transaction().check(path, version);
    for (const child of children) deleting.delete(childPath(folder, child));
    try {
      await deleting.delete(folder).commit({ signal });
    } catch (error) {
      // Somebody else has written, or sweeps too: it is their turn.
      if (error instanceof ZooKeeperError && error.transaction?.index === 0) return;
      if (!(error instanceof NoNodeError || error instanceof NotEmptyError)) throw error;
    }
  }
}

/** The children; undefined where there is no such znode. */
export async function childrenOf(zk: ZooKeeper, path: string, signal?: AbortSignal): Promise<string[] | undefined> {
  try {
    return await zk.getChildren(path, { signal });
  } catch (error) {
    if (error instanceof NoNodeError) return undefined;
    throw error;
  }
}

/** Does what can be done twice until it is done: over lost connections, and in a new session if need be. */
export async function untilDone<T>(zk: ZooKeeper, wait: Wait, act: () => Promise<T>): Promise<T> {
  const { result } = await lookUntil(
    zk,
    wait,
    async () => ({ result: await act() }),
    () => undefined,
  );
  return result;
}

/** Creates a znode that only this process creates, or that is the same whoever creates it. @throws NoNodeError. */
async function createIfAbsent(
  zk: ZooKeeper,
  path: string,
  data: Buffer | null,
  { acl }: PartsRule,
  wait: Wait,
): Promise<void> {
  await untilDone(zk, wait, async () => {
    try {
      await zk.create(path, data, { ...(acl === undefined ? {} : { acl }), signal: wait.signal });
    } catch (error) {
      if (!(error instanceof NodeExistsError)) throw error;
    }
  });
}

/** The generation and the mark of its writer come at once: nobody sees the one without the other. */
async function begin(zk: ZooKeeper, folder: string, rule: PartsRule, wait: Wait): Promise<void> {
  const { acl } = rule;
  const create = async (): Promise<boolean> => {
    try {
      await zk
        .transaction()
        .create(folder, null, { acl })
        .create(childPath(folder, WRITER), null, { acl, mode: 'ephemeral' })
        .commit({ signal: wait.signal });
      return true;
    } catch (error) {
      // A try whose answer was lost. If its session is over, so is the mark: then the last transaction fails.
      if (error instanceof NodeExistsError) return true;
      if (error instanceof NoNodeError) return false;
      throw error;
    }
  };
  if (await untilDone(zk, wait, create)) return;
  await createIfAbsent(zk, parentOf(folder), null, rule, wait);
  if (!(await untilDone(zk, wait, create))) throw new NoNodeError(`${folder} has no parent`, { path: folder });
}

/**
 * Until it is done or the session is over: then the mark is gone, and any later writer sweeps the rest. Without the mark
 * nothing is deleted: the transaction that was to name the parts has been applied after all.
 */
function discardInBackground(zk: ZooKeeper, folder: string, session: SessionInfo): void {
  const marker = childPath(folder, WRITER);
  const discard = async (): Promise<void> => {
    for (let attempt = 0; zk.session === session; attempt++) {
      try {
        const children = await childrenOf(zk, folder);
        if (children?.includes(WRITER) !== true) return;
        const deleting = zk.transaction().delete(marker);
        for (const child of children) if (child !== WRITER) deleting.delete(childPath(folder, child));
        await deleting.delete(folder).commit();
        return;
      } catch (error) {
        const isOutdated = error instanceof NoNodeError || error instanceof NotEmptyError;
        if (!isOutdated && !canTryAgain(zk, error)) return;
        await pause(zk, attempt);
      }
    }
  };
  void discard();
}

/** Waits for all, also where one of them fails. */
async function allSettled(promises: readonly Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(promises)).find((each) => each.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}
