import { ServerError, UnansweredError } from 'zookit';

/** What was asked of a server, in words of the test: `value` is unique over all clients and calls. */
export interface Asked {
  readonly kind: 'set' | 'create' | 'delete' | 'multi' | 'read';
  readonly path: string;
  readonly value: string;
}

/** What became of it. `refused`: it was not applied, as a server or the client said. */
export type Outcome =
  | { readonly kind: 'answered'; readonly version: number }
  | { readonly kind: 'refused'; readonly error: Error }
  | { readonly kind: 'unknown'; readonly error: Error };

/** One operation of one client, from its call to its end. */
export interface Entry extends Asked {
  /** The how-manieth call it was. */
  readonly call: number;
  outcome?: Outcome;
}

/** What one client has asked for, in the order of the calls, and in which order it was told the outcomes. */
export class History {
  readonly entries: Entry[] = [];
  readonly settled: Entry[] = [];

  /** Operations that have no outcome yet. */
  get open(): number {
    return this.entries.length - this.settled.length;
  }

  get answered(): number {
    return this.settled.filter(({ outcome }) => outcome?.kind === 'answered').length;
  }

  /** Notes a call and its outcome. `ask` resolves with the version of the znode, 0 if there is none. Never rejects. */
  async note(asked: Asked, ask: () => Promise<number>): Promise<Entry> {
    const entry: Entry = { ...asked, call: this.entries.length };
    this.entries.push(entry);
    const promise = ask();
    let outcome: Outcome;
    try {
      outcome = { kind: 'answered', version: await promise };
    } catch (error) {
      outcome = outcomeOf(error as Error);
    }
    entry.outcome = outcome;
    this.settled.push(entry);
    return entry;
  }
}

export function nameOf({ kind, path, value }: Asked): string {
  return `${kind} ${path} ${value}`;
}

function outcomeOf(error: Error): Outcome {
  if (error instanceof ServerError) return { kind: 'refused', error };
  const isUnknown = !(error instanceof UnansweredError) || error.mayHaveBeenApplied;
  return { kind: isUnknown ? 'unknown' : 'refused', error };
}
