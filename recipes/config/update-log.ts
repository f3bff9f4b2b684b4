import {
  type Acl,
  childPath,
  compareSequences,
  type Long,
  NoNodeError,
  sequenceOf,
  type Stat,
  type Transaction,
  type ZooKeeper,
} from 'zookit';
import { childrenOf } from './value-parts.js';
import { HISTORY_SUFFIX } from './stored-value.js';

/**
 * What is written down of the updates of a configuration, in the transactions that make them:
 *
 * - `PATH-__history__`: the ids of the last updates. By it a writer whose answer was lost sees whether its update was made.
 * - `PATH-__history__/v-SEQUENCE`, or `v.GENERATION-SEQUENCE`: one for each update that is kept: a line of JSON, which
 *   says what the update was, and then the value that it has replaced; or, with a generation in the name, the manifest
 *   of that value.
 *
 * An entry has the same zxid as the version that it was written with. So it is seen which version an entry is about, and
 * where a version has none, because somebody has written who does not know of the log.
 */

/** How many ids are kept: whoever was away for no more updates than that can tell what became of its own. */
const IDS_KEPT = 64;

/** How many entries go with one update at the most, where fewer are to be kept than before. */
const PRUNED_AT_ONCE = 100;

/** What is known of the log when an update begins. */
export interface LogState {
  readonly path: string;
  /** The version of its znode; undefined: there is none yet. */
  readonly version: number | undefined;
  /** Ids of the last updates, the oldest first. */
  readonly ids: readonly string[];
  /** Names of the entries, the oldest first. */
  readonly entries: readonly string[];
}

/** The version that an update has replaced. */
export interface FormerVersion {
  readonly version: number;
  readonly czxid: string;
  readonly mzxid: string;
  /** Milliseconds since 1970, by the clock of the server. */
  readonly mtime: number;
  /** Whether the znode held null. */
  readonly isNull: boolean;
}

/** What an entry says of its update. */
export interface LogRecord {
  readonly id: string;
  /** The version that the update has made. */
  readonly version: number;
  readonly author: string | null;
  readonly comment: string | null;
  /** Null: there was no znode. */
  readonly former: FormerVersion | null;
}

/** An entry that is to be written. */
export interface NewEntry {
  readonly record: LogRecord;
  /** The former value, or its manifest. */
  readonly body: Buffer;
  /** The generation of the parts that `body` names. */
  readonly generation: string | undefined;
}

/** An entry that was read. */
export interface LogEntry extends LogRecord {
  readonly name: string;
  /** The zxid of the version that it is about. */
  readonly zxid: Long;
  /** When it was written, milliseconds since 1970, by the clock of the server. */
  readonly time: number;
  readonly body: Buffer;
}

/** Reads the log, without what its entries say. */
export async function readLog(zk: ZooKeeper, path: string, signal?: AbortSignal): Promise<LogState> {
  const folder = `${path}${HISTORY_SUFFIX}`;
  const none = { path: folder, version: undefined, ids: [], entries: [] };
  const [node, names] = await Promise.all([
    zk.getData(folder, { signal }).catch((error: unknown) => {
      if (error instanceof NoNodeError) return undefined;
      throw error;
    }),
    childrenOf(zk, folder, signal),
  ]);
  if (node === undefined || names === undefined) return none;
  const ids = node
    .text()
    .split('\n')
    .filter((id) => id !== '');
  return { path: folder, version: node.stat.version, ids, entries: inOrder(names) };
}

/** Reads what the entries say, the oldest first. One that was pruned meanwhile, or is none, is left out. */
export async function readEntries(zk: ZooKeeper, log: LogState, signal?: AbortSignal): Promise<LogEntry[]> {
  const entries = await Promise.all(log.entries.map((name) => readEntry(zk, log, name, signal)));
  return entries.filter((entry) => entry !== undefined);
}

/** Adds to a transaction what an update writes into the log, and takes the entries away that are beyond `kept`. */
export function addToLog(
  transaction: Transaction<readonly unknown[]>,
  log: LogState,
  id: string,
  entry: NewEntry | undefined,
  kept: number,
  acl: readonly Acl[] | undefined,
): void {
  const ids = [...log.ids, id].slice(-IDS_KEPT).join('\n');
  if (log.version === undefined) transaction.create(log.path, ids, { acl });
  else transaction.setData(log.path, ids, log.version);
  if (entry !== undefined)
    transaction.create(childPath(log.path, prefixOf(entry)), encodeEntry(entry), { acl, mode: 'persistentSequential' });
  for (const name of prunedOf(log, kept)) transaction.delete(childPath(log.path, name));
}

/** The entries that go with the next update. */
export function prunedOf(log: LogState, kept: number): readonly string[] {
  // The new one is one of those that are kept.
  const beyond = log.entries.length - Math.max(0, kept - 1);
  return log.entries.slice(0, Math.min(Math.max(0, beyond), PRUNED_AT_ONCE));
}

/**
 * Whether an update was made whose answer was lost: `before` is the log that it began with. Undefined: there were so
 * many since that it cannot be told any more.
 */
export function wasMade(id: string, before: LogState, after: LogState): boolean | undefined {
  if (after.ids.includes(id)) return true;
  // The ids go in the order in which they came: where an older one is left, this one would be, too.
  const reachesBack =
    before.ids.length === 0 ? after.ids.length < IDS_KEPT : before.ids.some((older) => after.ids.includes(older));
  return reachesBack ? false : undefined;
}

/** The generation of parts that the name of an entry says. */
export function generationOf(name: string): string | undefined {
  return /^v\.([\da-f-]{36})-/.exec(name)?.[1];
}

/** What an entry says of the version that it has replaced. */
export function formerOf(stat: Stat, isNull: boolean): FormerVersion {
  const { version, czxid, mzxid, mtime } = stat;
  return { version, czxid: czxid.toString(), mzxid: mzxid.toString(), mtime, isNull };
}

function encodeEntry({ record, body }: NewEntry): Buffer {
  return Buffer.concat([Buffer.from(`${JSON.stringify(record)}\n`), body]);
}

function prefixOf({ generation }: NewEntry): string {
  return generation === undefined ? 'v-' : `v.${generation}-`;
}

async function readEntry(
  zk: ZooKeeper,
  log: LogState,
  name: string,
  signal: AbortSignal | undefined,
): Promise<LogEntry | undefined> {
  try {
    const { data, stat } = await zk.getData(childPath(log.path, name), { signal });
    const end = data.indexOf('\n');
    const record = JSON.parse(data.toString('utf8', 0, end)) as LogRecord;
    return { ...record, name, zxid: stat.czxid, time: stat.ctime, body: data.subarray(end + 1) };
  } catch (error) {
    if (error instanceof NoNodeError || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** By the sequence numbers, which wrap; what is no entry is left out. */
function inOrder(names: readonly string[]): string[] {
  return names
    .map((name) => ({ name, sequence: name.startsWith('v') ? sequenceOf(name) : undefined }))
    .filter((each): each is { name: string; sequence: number } => each.sequence !== undefined)
    .sort((a, b) => compareSequences(a.sequence, b.sequence))
    .map(({ name }) => name);
}
