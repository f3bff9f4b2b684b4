/** A call of one client, and what it came to. */
export interface Call<Input, Output> {
  readonly client: string;
  readonly input: Input;
  /** Its place in the one order of all calls and returns. */
  readonly called: number;
  /** Infinity where it has no known outcome: it has taken effect at any time after the call, or it never does. */
  readonly returned: number;
  readonly output?: Output | undefined;
}

/** What something does that is used by one client at a time. */
export interface Specification<State extends bigint | number | string | boolean, Input, Output> {
  readonly initial: State;
  /** The state after the call; undefined if it cannot come to this output then. Without an output: to any. */
  step(state: State, input: Input, output: Output | undefined): State | undefined;
}

/** A point of the search: who has taken effect, one bit each, and where that has led. */
interface Point<State> {
  readonly done: bigint;
  readonly state: State;
  readonly depth: number;
}

/**
 * Whether the calls can be put into one order that keeps each between its call and its return, and in which each has the
 * output that the specification gives it (Wing and Gong, with Lowe's memory of what was tried). Undefined if so, else
 * what is in the way.
 */
export function findViolation<State extends bigint | number | string | boolean, Input, Output>(
  { initial, step }: Specification<State, Input, Output>,
  history: readonly Call<Input, Output>[],
): string | undefined {
  const calls = [...history].sort((a, b) => a.called - b.called);
  const known = calls.filter(({ returned }) => returned !== Infinity).length;
  const tried = new Set<string>();
  const points: Point<State>[] = [{ done: 0n, state: initial, depth: 0 }];
  let furthest = points[0]!;
  for (let point = points.pop(); point !== undefined; point = points.pop()) {
    if (point.depth === known) return undefined;
    if (point.depth > furthest.depth) furthest = point;
    // The last one is tried first: calls without an outcome only where nothing else goes on.
    for (const index of nextOf(calls, point.done).sort((a, b) => calls[b]!.returned - calls[a]!.returned)) {
      const { input, output, returned } = calls[index]!;
      const state = step(point.state, input, output);
      if (state === undefined) continue;
      const done = point.done | (1n << BigInt(index));
      const key = `${done.toString(36)} ${String(state)}`;
      if (tried.has(key)) continue;
      tried.add(key);
      points.push({ done, state, depth: point.depth + (returned === Infinity ? 0 : 1) });
    }
  }
  const stuck = nextOf(calls, furthest.done).map((index) => shown(calls[index]!));
  return `nothing goes on from ${String(furthest.state)} after ${furthest.depth} calls:\n${stuck.join('\n')}`;
}

/** The calls that can be the next to take effect: those that began before any of the others has returned. */
function nextOf<Input, Output>(calls: readonly Call<Input, Output>[], done: bigint): number[] {
  const next: number[] = [];
  let firstReturn = Infinity;
  for (let index = 0, rest = done; index < calls.length; index++, rest >>= 1n) {
    const { called, returned } = calls[index]!;
    if (called > firstReturn) break;
    if ((rest & 1n) === 1n) continue;
    next.push(index);
    firstReturn = Math.min(firstReturn, returned);
  }
  return next.filter((index) => calls[index]!.called < firstReturn);
}

function shown<Input, Output>({ client, input, called, returned, output }: Call<Input, Output>): string {
  const text = (value: unknown): string => JSON.stringify(value, (_, each: unknown) => bigintText(each)) ?? 'nothing';
  return `${client} ${text(input)} -> ${returned === Infinity ? 'unknown' : text(output)} [${called}, ${returned}]`;
}

function bigintText(value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}
