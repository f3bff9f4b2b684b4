import { Order } from './recorder.js';

/** What a lock, a lease of a semaphore or a leadership shows of itself. */
export interface Holding {
  readonly held: boolean;
  readonly signal: AbortSignal;
  /** None, where several are held as one. */
  readonly fencingToken?: { toString(): string };
}

/** For how long somebody has held something. */
export interface Hold {
  readonly client: string;
  /** What is held: nobody is in the way of who holds something else. */
  readonly what: string;
  /** What it is: of two shared ones both may be held. */
  readonly mode: 'exclusive' | 'shared';
  /** How many of what there is. */
  readonly permits: number;
  readonly token: bigint;
  readonly from: number;
  /** Infinity while it goes on. */
  readonly to: number;
}

/** Writes down who holds what, each from when it has it to the first moment at which it does not. */
export class HoldRecorder {
  private readonly order = new Order();
  /** Whose session is over without their knowledge: whatever they get is nothing. */
  private readonly disowned = new Set<string>();
  private readonly noted: { hold: Hold; holding: Holding }[] = [];

  get holds(): Hold[] {
    return this.noted.map(({ hold }) => hold);
  }

  /** Notes a hold that begins now, unless it is lost already. Returns what ends it: it is to be released now. */
  took(
    client: string,
    holding: Holding,
    { what = '', mode = 'exclusive', permits = 1 }: Partial<Pick<Hold, 'what' | 'mode' | 'permits'>> = {},
  ): () => void {
    // Whoever has lost it without being told so yet does not hold it: `held` says so at each look.
    for (const each of this.noted) if (!each.holding.held) this.end(each);
    if (!holding.held || this.disowned.has(client)) return () => undefined;
    const token = BigInt(holding.fencingToken?.toString() ?? 0);
    const noted = { hold: { client, what, mode, permits, token, from: this.order.next(), to: Infinity }, holding };
    this.noted.push(noted);
    const end = (): void => this.end(noted);
    holding.signal.addEventListener('abort', end, { once: true });
    return end;
  }

  /** What this client holds is over, and it cannot know it: somebody else ends its session before its time. */
  disown(client: string): void {
    this.disowned.add(client);
    for (const each of this.noted) if (each.hold.client === client) this.end(each);
  }

  /** It has a session again. */
  readmit(client: string): void {
    this.disowned.delete(client);
  }

  private end(noted: { hold: Hold }): void {
    if (noted.hold.to === Infinity) noted.hold = { ...noted.hold, to: this.order.next() };
  }
}

/** All that is held by more than there is: `limit` permits, and shared ones only beside shared ones. */
export function findOverlaps(holds: readonly Hold[], limit = 1): string[] {
  const problems: string[] = [];
  for (const hold of holds) {
    const beside = holds.filter(({ what, from, to }) => what === hold.what && from <= hold.from && hold.from < to);
    const exclusive = beside.filter(({ mode }) => mode === 'exclusive');
    const shared = beside.filter(({ mode }) => mode === 'shared');
    const permits = exclusive.reduce((sum, each) => sum + each.permits, 0);
    if (permits > limit || (permits > 0 && shared.length > 0))
      problems.push(`at ${hold.from} held by ${beside.map(({ client, mode }) => `${client} (${mode})`).join(', ')}`);
  }
  return problems;
}

/** Exclusive holds whose token is not higher than that of every one before. */
export function findFallingTokens(holds: readonly Hold[]): string[] {
  const problems: string[] = [];
  let highest = -1n;
  for (const { client, mode, token, from } of [...holds].sort((a, b) => a.from - b.from)) {
    if (mode === 'shared') continue;
    if (token <= highest) problems.push(`at ${from} ${client} has the token ${token}, after ${highest}`);
    else highest = token;
  }
  return problems;
}
