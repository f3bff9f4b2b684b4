/** The line of a read-write lock, as Curator has it: readers and writers in one folder, by one counter. */
import { compareSequences, sequenceOf } from 'zookit';
import type { LineRule } from '../common/contender.js';
import type { LinePlace } from '../common/line-order.js';

/** What stands before the number in the names of readers and of writers. Both of one length, as Curator needs them. */
export const READ = '__READ__';
export const WRITE = '__WRIT__';
export const READ_WRITE_MARKERS = [READ, WRITE] as const;

/**
 * How the names of readers end, before the marker, who have taken the number of another one. Nobody takes the number of
 * these: that bounds how long readers can follow each other past a writer.
 */
const JOINED = 'joined-';

/** Who stands in the line of a read-write lock. */
export interface ReaderOrWriter {
  readonly name: string;
  readonly kind: 'read' | 'write';
  readonly sequence: number;
}

/** Readers and writers among the children, first comers first. Of one number: the writer, then the readers that took it. */
export function readersAndWriters(names: readonly string[]): ReaderOrWriter[] {
  return names
    .map(readName)
    .filter((each): each is ReaderOrWriter => each !== undefined)
    .sort(
      (a, b) =>
        compareSequences(a.sequence, b.sequence) ||
        Number(a.kind === 'read') - Number(b.kind === 'read') ||
        (a.name < b.name ? -1 : 1),
    );
}

function readName(name: string): ReaderOrWriter | undefined {
  const written = sequenceOf(name, WRITE);
  if (written !== undefined) return { name, kind: 'write', sequence: written };
  const read = sequenceOf(name, READ);
  return read === undefined ? undefined : { name, kind: 'read', sequence: read };
}

/**
 * In the way of a writer is whoever has a lower number. A reader may come into its way later, with the number of one
 * that stands before it: so it looks again whenever somebody is gone.
 */
export const writeRule: LineRule = {
  isClosed: false,
  placeOf: (names, own) => placeBehind(names, own, () => true),
};

/** In the way of a reader is every writer with a lower number. Writers never take the number of another one. */
export const readRule: LineRule = {
  isClosed: true,
  placeOf: (names, own) => placeBehind(names, own, ({ kind }) => kind === 'write'),
};

function placeBehind(
  names: readonly string[],
  own: string,
  blocks: (other: ReaderOrWriter) => boolean,
): LinePlace | undefined {
  const { sequence } = readName(own) ?? {};
  if (sequence === undefined || !names.includes(own)) return undefined;
  let before = 0;
  let nearest: ReaderOrWriter | undefined;
  for (const name of names) {
    const other = readName(name);
    if (other === undefined || compareSequences(other.sequence, sequence) >= 0 || !blocks(other)) continue;
    before++;
    if (nearest === undefined || compareSequences(other.sequence, nearest.sequence) > 0) nearest = other;
  }
  return { before, predecessor: nearest?.name };
}

/** Who of those in order holds: a writer if nobody has a lower number, a reader if no writer has. */
export function holds({ kind, sequence }: ReaderOrWriter, all: readonly ReaderOrWriter[]): boolean {
  return !all.some(
    (other) => (kind === 'write' || other.kind === 'write') && compareSequences(other.sequence, sequence) < 0,
  );
}

/**
 * The reader whose number another reader may take, to read beside it: the last one before the first writer, if it came
 * by itself. None where no writer waits: then the end of the line is as good a place.
 */
export function joinable(names: readonly string[]): ReaderOrWriter | undefined {
  const all = readersAndWriters(names);
  const firstWriter = all.findIndex(({ kind }) => kind === 'write');
  return all.slice(0, Math.max(firstWriter, 0)).findLast(({ name }) => !name.includes(JOINED));
}

/** The name of a reader with the number of another one, who `joined` it or was a writer; unique by its `id`. */
export function readerWithNumberOf(name: string, id: string, joined: boolean): string {
  const marker = name.includes(WRITE) ? WRITE : READ;
  const number = name.slice(name.lastIndexOf(marker) + marker.length);
  return `_c_${id}-${joined ? JOINED : ''}${READ}${number}`;
}
