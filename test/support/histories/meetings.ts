/** How one participant has gone through a double barrier. Times are places in one order; undefined: that never came. */
export interface Participation {
  readonly client: string;
  readonly entering: number;
  readonly entered?: number | undefined;
  readonly leaving?: number | undefined;
  readonly left?: number | undefined;
  /** When its session has ended after it had entered: it counts as one that has left. */
  readonly lost?: number | undefined;
}

/** Who has gone in before `count` wanted to, and who has gone on before all had left. */
export function findEarly(meeting: readonly Participation[], count: number): string[] {
  const problems: string[] = [];
  for (const { client, entered = Infinity, left = Infinity } of meeting) {
    if (entered !== Infinity) {
      const wanted = meeting.filter(({ entering }) => entering < entered).length;
      if (wanted < count) problems.push(`${client} has entered at ${entered}, when ${wanted} wanted to`);
    }
    if (left === Infinity) continue;
    const inside = meeting.filter((each) => each.entered !== undefined && each.entered < left && !hasGone(each, left));
    if (inside.length > 0)
      problems.push(`${client} has left at ${left}, with ${inside.map((each) => each.client).join()} inside`);
  }
  return problems;
}

function hasGone({ leaving = Infinity, lost = Infinity }: Participation, at: number): boolean {
  return leaving <= at || lost <= at;
}
