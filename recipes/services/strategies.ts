import { InvalidArgumentError } from 'zookit';
import { HashRing } from '../members/hash-ring.js';
import type { Candidate } from './candidate.js';
import type { PickRequest, StrategyName } from './service-strategy.js';

/** A strategy as the provider uses it: those of our own know more of the candidates than others are shown. */
export interface Strategy {
  pick(candidates: readonly Candidate[], request: PickRequest): Candidate | undefined;
  changed?(all: readonly Candidate[]): void;
}

/** One after the other. A newcomer in its slow start is passed over until it has gathered a whole turn. */
class RoundRobin implements Strategy {
  // Not all callers begin with the same instance.
  #turn = randomBelow(2 ** 30);

  pick(candidates: readonly Candidate[]): Candidate | undefined {
    const { length } = candidates;
    for (let passed = 0; passed < length; passed++) {
      const candidate = candidates[this.#turn++ % length];
      if (candidate !== undefined && hasTurn(candidate)) return candidate;
    }
    // All of them are new.
    return candidates[this.#turn++ % length];
  }
}

function hasTurn(candidate: Candidate): boolean {
  const { warmth } = candidate;
  if (warmth === 1) return true;
  candidate.credit += warmth;
  if (candidate.credit < 1) return false;
  candidate.credit -= 1;
  return true;
}

/** Any. A newcomer in its slow start gives most of its calls away. */
class Random implements Strategy {
  pick(candidates: readonly Candidate[]): Candidate | undefined {
    for (let attempt = 0; attempt < 8; attempt++) {
      const candidate = candidates[randomBelow(candidates.length)];
      if (candidate === undefined || candidate.warmth === 1 || Math.random() < candidate.warmth) return candidate;
    }
    return candidates[randomBelow(candidates.length)];
  }
}

/**
 * By weight, and as evenly spread as can be: who is due most is called, and owes that to all others (the smooth weighted
 * round robin of nginx).
 */
class Weighted implements Strategy {
  pick(candidates: readonly Candidate[]): Candidate | undefined {
    let total = 0;
    let most: Candidate | undefined;
    for (const candidate of candidates) {
      const { weight } = candidate;
      total += weight;
      candidate.due += weight;
      if (most === undefined || candidate.due > most.due) most = candidate;
    }
    if (most !== undefined) most.due -= total;
    return most;
  }
}

/** The one with the fewest calls under way, by its weight; in turn, where several have as few. */
class LeastOutstanding implements Strategy {
  #turn = randomBelow(2 ** 30);

  pick(candidates: readonly Candidate[]): Candidate | undefined {
    const { length } = candidates;
    const first = this.#turn++ % length;
    let least: Candidate | undefined;
    let lowest = Infinity;
    for (let index = 0; index < length; index++) {
      const candidate = candidates[(first + index) % length];
      if (candidate === undefined) continue;
      const load = loadOf(candidate);
      if (load >= lowest) continue;
      least = candidate;
      lowest = load;
    }
    return least;
  }
}

/** Of any two, the one with fewer calls under way, by its weight: nearly as even, and as fast with any number of them. */
class TwoChoices implements Strategy {
  pick(candidates: readonly Candidate[]): Candidate | undefined {
    const { length } = candidates;
    const first = randomBelow(length);
    const one = candidates[first];
    if (length === 1) return one;
    const other = candidates[(first + 1 + randomBelow(length - 1)) % length];
    if (one === undefined || other === undefined) return one;
    return loadOf(other) < loadOf(one) ? other : one;
  }
}

/** How busy it would be with one more call. */
function loadOf(candidate: Candidate): number {
  return (candidate.outstanding + 1) / candidate.weight;
}

/** The same one for the same key, in all processes; few keys move when instances come and go. */
class ConsistentHash implements Strategy {
  #all: readonly Candidate[] = [];
  #ring: { readonly hashes: HashRing; readonly members: ReadonlyMap<string, Candidate> } | undefined;
  #among: { readonly candidates: readonly Candidate[]; readonly keys: ReadonlySet<string> } | undefined;

  changed(all: readonly Candidate[]): void {
    this.#all = all;
    this.#ring = undefined;
  }

  pick(candidates: readonly Candidate[], { key }: PickRequest): Candidate | undefined {
    if (key === undefined)
      throw new InvalidArgumentError('the strategy consistentHash needs a key', { operation: 'ServiceProvider.pick' });
    const { hashes, members } = (this.#ring ??= ringOf(this.#all));
    if (candidates.length === members.size) return members.get(hashes.owner(key) ?? '');
    if (this.#among?.candidates !== candidates)
      this.#among = { candidates, keys: new Set(candidates.map((each) => each.key)) };
    const { keys } = this.#among;
    return members.get(hashes.ownerAmong(key, (id) => keys.has(id)) ?? '');
  }
}

function ringOf(all: readonly Candidate[]): { hashes: HashRing; members: Map<string, Candidate> } {
  const weights = all.map(({ key, instance }) => ({ id: key, weight: instance.weight ?? 1 }));
  const mean = weights.reduce((sum, { weight }) => sum + weight, 0) / weights.length;
  // Whoever weighs in hundreds means the same as who weighs in ones. By powers of two, so that this hardly ever changes.
  const scale = 2 ** -Math.floor(Math.log2(mean));
  return {
    hashes: new HashRing(weights.map(({ id, weight }) => ({ id, weight: weight * scale }))),
    members: new Map(all.map((candidate) => [candidate.key, candidate])),
  };
}

/** The same one for all calls of the provider, as long as it can be called; then any other. */
class Sticky implements Strategy {
  readonly #first = new Random();
  #chosen: Candidate | undefined;

  pick(candidates: readonly Candidate[]): Candidate | undefined {
    if (this.#chosen === undefined || !candidates.includes(this.#chosen)) this.#chosen = this.#first.pick(candidates);
    return this.#chosen;
  }
}

function randomBelow(limit: number): number {
  return Math.floor(Math.random() * limit);
}

export const strategies: Readonly<Record<StrategyName, new () => Strategy>> = {
  roundRobin: RoundRobin,
  random: Random,
  weighted: Weighted,
  leastOutstanding: LeastOutstanding,
  twoChoices: TwoChoices,
  consistentHash: ConsistentHash,
  sticky: Sticky,
};
