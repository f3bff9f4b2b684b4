import { Long, type Stat } from 'zookit';
import type { LogEntry } from './update-log.js';

/** One version of a configuration, as the history has it. */
export interface ConfigVersion {
  /** The version of the znode. It begins anew at 0 when the znode is deleted and created. */
  readonly version: number;
  /** The transaction that wrote it: no two versions have the same. */
  readonly zxid: Long;
  /** When it was written, milliseconds since 1970, by the clock of the server. */
  readonly time: number;
  /** Whether an update of a {@link ConfigEditor} wrote it. If not, nobody knows who it was. */
  readonly recorded: boolean;
  /** The id of the update. */
  readonly id: string | null;
  readonly author: string | null;
  readonly comment: string | null;
  /** Whether it is the one that stands there now. */
  readonly current: boolean;
  /**
   * Whether its value is kept. It is not where somebody else wrote over it, or deleted it, without the editor, and where
   * the znode held null, which is no value.
   */
  readonly kept: boolean;
  /** How many versions were between this one and the next older one of the history that nothing is known of. */
  readonly missing: number;
}

/** A version with what its value is to be read from. */
export interface HistoryItem {
  readonly version: ConfigVersion;
  /** The value, or its manifest; undefined where it is not kept. */
  readonly body: Buffer | undefined;
}

/** A version, out of whatever is known of it. */
interface Found {
  readonly version: number;
  /** Which creation of the znode it belongs to. */
  readonly czxid: string;
  readonly mzxid: Long;
  readonly time: number;
  readonly body?: Buffer | undefined;
  /** The entry that was written with it. */
  readonly entry?: LogEntry | undefined;
}

/**
 * The versions that are known of, the newest first: each entry tells of two, of the one that it was written with and of
 * the one that it has replaced. `current`: what stands there now, with its data; undefined: nothing.
 */
export function historyOf(
  current: { readonly stat: Stat; readonly body: Buffer | undefined } | undefined,
  entries: readonly LogEntry[],
): HistoryItem[] {
  const found: Found[] = [];
  let standing = current === undefined ? undefined : currentVersion(current.stat, current.body);
  for (const entry of [...entries].reverse()) {
    // Where another one stood after it, somebody wrote who does not know of the log; where none did, it was deleted.
    const isOurs = standing?.mzxid.equals(entry.zxid) === true;
    if (standing !== undefined) found.push(isOurs ? { ...standing, entry } : standing);
    if (!isOurs) found.push(overwritten(entry));
    standing = replacedBy(entry);
  }
  if (standing !== undefined) found.push(standing);
  return found.map((each, index) => itemOf(each, found[index + 1], index === 0 && current !== undefined));
}

function currentVersion({ version, czxid, mzxid, mtime }: Stat, body: Buffer | undefined): Found {
  return { version, czxid: czxid.toString(), mzxid, time: mtime, body };
}

/** The version of an entry that nothing else is left of. */
function overwritten(entry: LogEntry): Found {
  const { version, zxid, time, former } = entry;
  return { version, czxid: former?.czxid ?? zxid.toString(), mzxid: zxid, time, entry };
}

function replacedBy({ former, body }: LogEntry): Found | undefined {
  if (former === null) return undefined;
  const { version, czxid, mzxid, mtime } = former;
  return { version, czxid, mzxid: Long.fromString(mzxid), time: mtime, body: former.isNull ? undefined : body };
}

function itemOf(found: Found, older: Found | undefined, current: boolean): HistoryItem {
  const { version, mzxid, time, entry, body } = found;
  const { id = null, author = null, comment = null } = entry ?? {};
  const kept = body !== undefined;
  const missing = older === undefined ? 0 : versionsBetween(found, older);
  return {
    version: { version, zxid: mzxid, time, recorded: entry !== undefined, id, author, comment, current, kept, missing },
    body,
  };
}

function versionsBetween(newer: Found, older: Found): number {
  // Of a znode that was created anew, all since its creation are missing; of the one before it nobody knows how many.
  return newer.czxid === older.czxid ? (newer.version - older.version - 1) | 0 : newer.version;
}
