import { compareSequences, sequenceOf } from 'zookit';

/** What the name of an item says. */
export interface ItemName {
  readonly name: string;
  /** What stands before the number: an item that goes back gets it again. */
  readonly prefix: string;
  /** The number that the server appended. */
  readonly sequence: number;
  /** What goes before the number when items are put in order: the lowest comes first. */
  readonly rank: number;
  /** Before which moment it is not handed out, milliseconds since 1970; 0: at once. */
  readonly due: number;
  /** What it was called by whoever put it, in an {@link IdQueue}. */
  readonly id: string | undefined;
}

/** Reads a name; undefined where it is no item of the queue: somebody else's child. */
export type ReadName = (name: string) => ItemName | undefined;

/** What Curator's queues begin their names with. */
export const ITEM = 'queue-';

/** The highest and the lowest priority that Curator's names have room for. */
const INT_MAX = 2 ** 31 - 1;
const INT_MIN = -(2 ** 31);

/** Names that are nothing but a number behind a prefix, in the order of the numbers. */
export function plainNames(prefix: string): ReadName {
  return (name) => {
    if (!name.startsWith(prefix)) return undefined;
    const sequence = sequenceOf(name, prefix);
    return sequence === undefined ? undefined : { name, prefix, sequence, rank: 0, due: 0, id: undefined };
  };
}

/** Whether it is a priority: the lower, the sooner. */
export function isPriority(priority: unknown): priority is number {
  return Number.isInteger(priority) && Number(priority) >= INT_MIN && Number(priority) <= INT_MAX;
}

/** `queue-` + a digit for the sign + 8 digits of its two's complement, as in Curator's DistributedPriorityQueue. */
export function priorityPrefix(priority: number): string {
  const hex = (priority >>> 0).toString(16).toUpperCase().padStart(8, '0');
  return `${ITEM}${priority >= 0 ? '1' : '0'}${hex}`;
}

export const readPriorityName: ReadName = (name) => {
  const found = match(name, /^(queue-[01]([0-9A-F]{8}))-?\d{9,10}$/);
  if (found === undefined) return requeuedByCurator(name, -Infinity);
  const { prefix, part, sequence } = found;
  return { name, prefix, sequence, rank: Number.parseInt(part, 16) | 0, due: 0, id: undefined };
};

/** `entry-` + 3 digits + `-`, as in kazoo. */
export function kazooPrefix(priority: number): string {
  return `entry-${String(priority).padStart(3, '0')}-`;
}

/** Whether it is a priority that kazoo knows. */
export function isKazooPriority(priority: unknown): priority is number {
  return Number.isInteger(priority) && Number(priority) >= 0 && Number(priority) <= 999;
}

export const readKazooName: ReadName = (name) => {
  const found = match(name, /^(entry-(\d{3})-)-?\d{9,10}$/);
  if (found === undefined) return undefined;
  const { prefix, part, sequence } = found;
  return { name, prefix, sequence, rank: Number(part), due: 0, id: undefined };
};

/** `queue-|` + the moment in hexadecimal + `|`, as in Curator's DistributedDelayQueue. */
export function delayPrefix(due: number): string {
  return `${ITEM}|${due.toString(16).toUpperCase().padStart(8, '0')}|`;
}

export const readDelayName: ReadName = (name) => {
  const found = match(name, /^(queue-\|([0-9A-F]{1,16})\|)-?\d{9,10}$/);
  if (found === undefined) return requeuedByCurator(name, 0);
  const { prefix, part, sequence } = found;
  const due = Number.parseInt(part, 16);
  return { name, prefix, sequence, rank: due, due, id: undefined };
};

/** `queue-|` + the id + `|`, as in Curator's DistributedIdQueue. What no name may have becomes `_`. */
export function idPrefix(id: string): string {
  return `${ITEM}|${cleanId(id)}|`;
}

/** The id as it stands in names. */
export function cleanId(id: string): string {
  return id.replace(/[/|]/g, '_');
}

export const readIdName: ReadName = (name) => {
  const found = match(name, /^(queue-\|([^|]*)\|)-?\d{9,10}$/);
  if (found === undefined) return requeuedByCurator(name, 0);
  const { prefix, part, sequence } = found;
  return { name, prefix, sequence, rank: 0, due: 0, id: part };
};

/** The parts of a name; undefined where it is none of the pattern, or its number none that a server appends. */
function match(name: string, pattern: RegExp): { prefix: string; part: string; sequence: number } | undefined {
  const [, prefix = '', part = ''] = pattern.exec(name) ?? [];
  const sequence = prefix === '' ? undefined : sequenceOf(name, prefix);
  return sequence === undefined ? undefined : { prefix, part, sequence };
}

/** Curator gives what goes back a plain name, and forgets its priority or moment: in its order, such items come first. */
function requeuedByCurator(name: string, rank: number): ItemName | undefined {
  const plain = readPlain(name);
  return plain === undefined ? undefined : { ...plain, rank };
}

const readPlain = plainNames(ITEM);

/** The items among the names, in the order in which they are handed out. By distance, because numbers wrap. */
export function itemsInOrder(names: readonly string[], read: ReadName): ItemName[] {
  return names
    .map((name) => read(name))
    .filter((item) => item !== undefined)
    .sort((a, b) => compareRanks(a.rank, b.rank) || compareSequences(a.sequence, b.sequence));
}

/** Not by their difference, which is none between two that are infinite. */
function compareRanks(a: number, b: number): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
