import { compareSequences, sequenceOf } from 'zookit';

/** Where one stands in line. */
export interface LinePlace {
  /** How many stand before it. */
  readonly before: number;
  /** The one right before it; undefined for the first. */
  readonly predecessor: string | undefined;
}

/** The contenders among the names, first comers first. Orders by distance, because sequence numbers wrap. */
export function inOrder(names: readonly string[], markers: readonly string[]): string[] {
  return names
    .map((name) => ({ name, sequence: sequenceIn(name, markers) }))
    .filter((each): each is { name: string; sequence: number } => each.sequence !== undefined)
    .sort((a, b) => compareSequences(a.sequence, b.sequence) || (a.name < b.name ? -1 : 1))
    .map(({ name }) => name);
}

function sequenceIn(name: string, markers: readonly string[]): number | undefined {
  for (const marker of markers) {
    const sequence = sequenceOf(name, marker);
    if (sequence !== undefined) return sequence;
  }
  return undefined;
}

/** Where `own` stands among the names of those who count; undefined if it is not there. As {@link inOrder}, without the sorting. */
export function placeIn(names: readonly string[], markers: readonly string[], own: string): LinePlace | undefined {
  const ownSequence = sequenceIn(own, markers);
  if (ownSequence === undefined) return undefined;
  let isThere = false;
  let before = 0;
  let predecessor: string | undefined;
  let nearest = 0;
  for (const name of names) {
    if (name === own) {
      isThere = true;
      continue;
    }
    const sequence = sequenceIn(name, markers);
    if (sequence === undefined || !isBefore(sequence, name, ownSequence, own)) continue;
    before++;
    if (predecessor !== undefined && isBefore(sequence, name, nearest, predecessor)) continue;
    predecessor = name;
    nearest = sequence;
  }
  return isThere ? { before, predecessor } : undefined;
}

function isBefore(sequence: number, name: string, otherSequence: number, other: string): boolean {
  const distance = compareSequences(sequence, otherSequence);
  return distance < 0 || (distance === 0 && name < other);
}
