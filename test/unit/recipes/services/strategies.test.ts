import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { InvalidArgumentError } from 'zookit';
import type { StrategyName } from 'zookit/recipes';
import { Candidate, type CandidateOwner } from '../../../../recipes/services/candidate.js';
import { strategies, type Strategy } from '../../../../recipes/services/strategies.js';
import { instanceOf } from './instances.js';

const nobody: CandidateOwner<unknown> = {
  succeeded: () => undefined,
  failed: () => undefined,
  unknown: () => undefined,
};

function candidatesOf(weights: readonly (number | null)[], slowStart = 0): Candidate[] {
  return weights.map((weight, index) => {
    const id = `i${index}`;
    return new Candidate(id, instanceOf(id, { weight }), true, slowStart, nobody);
  });
}

function strategyOf(name: StrategyName, all: readonly Candidate[]): Strategy {
  const strategy = new strategies[name]();
  strategy.changed?.(all);
  return strategy;
}

/** How often each was picked, by its place. */
function countsOf(strategy: Strategy, candidates: readonly Candidate[], picks: number, key?: string): number[] {
  const counts = new Map(candidates.map((candidate) => [candidate, 0]));
  for (let pick = 0; pick < picks; pick++) {
    const picked = strategy.pick(candidates, { key });
    if (picked === undefined) throw new Error('nobody was picked');
    counts.set(picked, (counts.get(picked) ?? NaN) + 1);
  }
  return [...counts.values()];
}

const weights = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 12 });

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(() => {
  jest.useRealTimers();
});

describe('any strategy', () => {
  it.each(Object.keys(strategies) as StrategyName[])('%s picks one of the candidates it is given', (name) => {
    fc.assert(
      fc.property(weights, fc.nat(), fc.string(), (numbers, seed, key) => {
        const all = candidatesOf(numbers);
        const some = all.filter((_, index) => index === seed % all.length || (seed >> index) % 2 === 1);
        const strategy = strategyOf(name, all);
        for (const candidates of [all, some, all])
          for (let pick = 0; pick < 5; pick++)
            if (!candidates.includes(strategy.pick(candidates, { key })!)) return false;
        return true;
      }),
      { numRuns: 25 },
    );
  });
});

describe('roundRobin', () => {
  it('gives each the same, whatever it weighs', () => {
    fc.assert(
      fc.property(weights, fc.integer({ min: 1, max: 5 }), (numbers, rounds) => {
        const all = candidatesOf(numbers);
        const counts = countsOf(strategyOf('roundRobin', all), all, all.length * rounds);
        return counts.every((count) => count === rounds);
      }),
    );
  });

  it('does not begin with the same one in all processes', () => {
    const all = candidatesOf(Array.from({ length: 100 }, () => null));
    const first = new Set(Array.from({ length: 20 }, () => strategyOf('roundRobin', all).pick(all, {})));
    expect(first.size).toBeGreaterThan(1);
  });

  it('gives a newcomer a tenth of a turn at first, then more, then all', () => {
    const [old] = candidatesOf([null]);
    const [fresh] = candidatesOf([null], 10_000);
    const all = [old!, fresh!];
    const strategy = strategyOf('roundRobin', all);
    const share = (): number => (countsOf(strategy, all, 1_100)[1] ?? NaN) / 1_100;
    expect(share()).toBeCloseTo(1 / 11, 1);
    jest.advanceTimersByTime(5_000);
    expect(share()).toBeCloseTo(1 / 3, 1);
    jest.advanceTimersByTime(5_000);
    expect(share()).toBeCloseTo(1 / 2, 1);
  });

  it('picks newcomers all the same where there are no others', () => {
    const all = candidatesOf([null, null], 10_000);
    expect(countsOf(strategyOf('roundRobin', all), all, 100).reduce((sum, count) => sum + count)).toBe(100);
  });
});

describe('random', () => {
  it('gives each about the same, and newcomers less', () => {
    const all = [...candidatesOf([null, null, null]), ...candidatesOf([null], 10_000)];
    const [a = 0, b = 0, c = 0, fresh = 0] = countsOf(strategyOf('random', all), all, 31_000);
    for (const count of [a, b, c]) expect(Math.abs(count - 10_000)).toBeLessThan(1_000);
    expect(fresh).toBeGreaterThan(500);
    expect(fresh).toBeLessThan(1_500);
  });
});

describe('weighted', () => {
  it('gives each exactly its weight in each round of as many picks as all weigh', () => {
    fc.assert(
      fc.property(weights, (numbers) => {
        const all = candidatesOf(numbers);
        const strategy = strategyOf('weighted', all);
        const total = numbers.reduce((sum, weight) => sum + weight, 0);
        for (let round = 0; round < 2; round++) expect(countsOf(strategy, all, total)).toEqual(numbers);
      }),
    );
  });

  it('spreads them: nobody is ever a whole pick ahead of its due, nor far behind', () => {
    fc.assert(
      fc.property(weights, (numbers) => {
        const all = candidatesOf(numbers);
        const strategy = strategyOf('weighted', all);
        const total = numbers.reduce((sum, weight) => sum + weight, 0);
        const counts = numbers.map(() => 0);
        for (let pick = 1; pick <= total; pick++) {
          const index = all.indexOf(strategy.pick(all, {})!);
          counts[index] = (counts[index] ?? NaN) + 1;
          for (const [at, weight] of numbers.entries()) {
            const ahead = (counts[at] ?? NaN) - (pick * weight) / total;
            if (ahead > 1 || ahead < -numbers.length) return false;
          }
        }
        return true;
      }),
      { numRuns: 30 },
    );
  });

  it('takes none for 1, and less in a slow start', () => {
    const all = [...candidatesOf([null, 3]), ...candidatesOf([4], 10_000)];
    const counts = countsOf(strategyOf('weighted', all), all, 440);
    for (const [index, due] of [100, 300, 40].entries()) expect(Math.abs((counts[index] ?? NaN) - due)).toBeLessThan(2);
  });
});

describe('leastOutstanding', () => {
  it('picks whoever has the fewest calls under way for its weight', () => {
    fc.assert(
      fc.property(weights, fc.array(fc.nat(20), { minLength: 12, maxLength: 12 }), (numbers, calls) => {
        const all = candidatesOf(numbers);
        for (const [index, candidate] of all.entries()) candidate.outstanding = calls[index] ?? 0;
        const load = (one: Candidate): number => (one.outstanding + 1) / one.weight;
        const picked = strategyOf('leastOutstanding', all).pick(all, {})!;
        return all.every((other) => load(picked) <= load(other));
      }),
    );
  });

  it('goes round where all have as many', () => {
    const all = candidatesOf([null, null, null]);
    expect(countsOf(strategyOf('leastOutstanding', all), all, 30)).toEqual([10, 10, 10]);
  });
});

describe('twoChoices', () => {
  it('never picks the one that is busiest, unless it is the only one', () => {
    const all = candidatesOf([null, null, null]);
    all[1]!.outstanding = 5;
    const [a = 0, busy = NaN, c = 0] = countsOf(strategyOf('twoChoices', all), all, 1_000);
    expect(busy).toBe(0);
    expect(Math.min(a, c)).toBeGreaterThan(300);
    expect(strategyOf('twoChoices', all).pick([all[1]!], {})).toBe(all[1]);
  });

  it('keeps the load of all nearly even', () => {
    const all = candidatesOf(Array.from({ length: 20 }, () => null));
    const strategy = strategyOf('twoChoices', all);
    for (let pick = 0; pick < 2_000; pick++) strategy.pick(all, {})!.outstanding++;
    for (const { outstanding } of all) expect(Math.abs(outstanding - 100)).toBeLessThan(15);
  });
});

describe('consistentHash', () => {
  const keys = Array.from({ length: 600 }, (_, index) => `user-${index}`);
  const owners = (strategy: Strategy, candidates: readonly Candidate[]): string[] =>
    keys.map((key) => strategy.pick(candidates, { key })?.key ?? '');

  it('gives the same answer in all processes', () => {
    const one = candidatesOf([null, null, 2]);
    const other = candidatesOf([null, null, 2]).reverse();
    expect(owners(strategyOf('consistentHash', one), one)).toEqual(owners(strategyOf('consistentHash', other), other));
  });

  it('moves only the keys of those that are not to be had, and gives them back', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 12 }), fc.nat(11), (count, away) => {
        const all = candidatesOf(Array.from({ length: count }, () => null));
        const gone = all[away % count]!;
        const rest = all.filter((each) => each !== gone);
        const strategy = strategyOf('consistentHash', all);
        const before = owners(strategy, all);
        const meanwhile = owners(strategy, rest);
        expect(meanwhile.map((owner, index) => before[index] === gone.key || owner === before[index])).not.toContain(
          false,
        );
        expect(owners(strategy, all)).toEqual(before);
        // Set aside or gone for good, its keys go to the same others.
        expect(owners(strategyOf('consistentHash', rest), rest)).toEqual(meanwhile);
      }),
      { numRuns: 8 },
    );
  });

  it('goes by those it is given now, whoever they were before', () => {
    const all = candidatesOf([null, null, null, null]);
    const strategy = strategyOf('consistentHash', all);
    for (const gone of all) {
      const rest = all.filter((each) => each !== gone);
      expect(owners(strategy, rest)).toEqual(owners(strategyOf('consistentHash', rest), rest));
    }
  });

  it('moves few keys to one that comes', () => {
    const more = candidatesOf(Array.from({ length: 11 }, () => null));
    const before = owners(strategyOf('consistentHash', more), more.slice(0, 10));
    const after = owners(strategyOf('consistentHash', more), more);
    const moved = after.filter((owner, index) => owner !== before[index]);
    expect(new Set(moved)).toEqual(new Set(['i10']));
    expect(moved.length).toBeLessThan((keys.length / 11) * 1.5);
  });

  it('goes by weights, whether they are ones or hundreds, and by the same points', () => {
    const shares = [1, 100].map((unit) => {
      const all = candidatesOf([unit, 3 * unit]);
      const found = owners(strategyOf('consistentHash', all), all);
      return found.filter((owner) => owner === 'i1').length / found.length;
    });
    for (const share of shares) expect(Math.abs(share - 0.75)).toBeLessThan(0.1);
  });

  it('refuses a call without a key', () => {
    const all = candidatesOf([null]);
    expect(() => strategyOf('consistentHash', all).pick(all, {})).toThrow(InvalidArgumentError);
  });
});

describe('sticky', () => {
  it('stays with one as long as that is there, then with another', () => {
    const all = candidatesOf([null, null, null]);
    const strategy = strategyOf('sticky', all);
    const first = strategy.pick(all, {})!;
    expect(countsOf(strategy, all, 20)[all.indexOf(first)]).toBe(20);
    const rest = all.filter((each) => each !== first);
    const second = strategy.pick(rest, {})!;
    expect(second).not.toBe(first);
    expect(countsOf(strategy, all, 20)[all.indexOf(second)]).toBe(20);
  });
});
