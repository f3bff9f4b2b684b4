/** What became of an item that somebody has put into a queue. */
export interface Put {
  readonly item: string;
  readonly outcome: 'stored' | 'unknown' | 'refused';
}

/** An item that a consumer was given. `done`: it has said so, and was heard; otherwise the item may come back. */
export interface Delivery {
  readonly item: string;
  readonly consumer: string;
  readonly done: boolean;
}

/** What is wrong with a queue that delivers each item at least once, and again only where a consumer has not finished it. */
export function findLosses(puts: readonly Put[], deliveries: readonly Delivery[]): string[] {
  const problems: string[] = [];
  for (const { item, outcome } of puts) {
    if (outcome === 'stored' && !deliveries.some((each) => each.item === item)) problems.push(`${item} was lost`);
  }
  const known = new Map(puts.map(({ item, outcome }) => [item, outcome]));
  const finished = new Set<string>();
  for (const { item, consumer, done } of deliveries) {
    const outcome = known.get(item);
    if (outcome === undefined) problems.push(`${consumer} was given ${item}, which nobody has put`);
    if (outcome === 'refused') problems.push(`${consumer} was given ${item}, which was refused`);
    if (finished.has(item)) problems.push(`${consumer} was given ${item}, which was done`);
    if (done) finished.add(item);
  }
  return problems;
}
