import { describe, expect, it } from '@jest/globals';
import { type Call, findViolation, type Specification } from '../../support/histories/linearizable.js';
import { Recorder } from '../../support/histories/recorder.js';
import { counter, type CounterInput } from '../../support/histories/specifications.js';
import { seeded } from '../support/random.js';

type CounterCall = Call<CounterInput, bigint>;

/** `returned` undefined: it has no known outcome. */
function add(called: number, returned: number | undefined, output?: number, by = 1): CounterCall {
  return call({ kind: 'add', by: BigInt(by) }, called, returned, output);
}

function get(called: number, returned: number, output: number): CounterCall {
  return call({ kind: 'get' }, called, returned, output);
}

function call(input: CounterInput, called: number, returned = Infinity, output?: number): CounterCall {
  return { client: `c${called}`, input, called, returned, output: output === undefined ? undefined : BigInt(output) };
}

describe('a counter: linearizable', () => {
  it.each<[string, CounterCall[]]>([
    ['nothing', []],
    ['one after the other', [add(1, 2, 1), get(3, 4, 1), add(5, 6, 2)]],
    ['at the same time, in the order of the returns', [add(1, 3, 1), add(2, 4, 2)]],
    ['at the same time, against the order of the returns', [add(1, 3, 2), add(2, 4, 1)]],
    ['a read that sees a write that has not returned yet', [add(1, 6, 1), get(2, 3, 1), get(4, 5, 1)]],
    ['a read that does not see it yet, and one that does', [add(1, 6, 1), get(2, 3, 0), get(4, 5, 1)]],
    ['an unknown outcome that took effect', [add(1, undefined), get(2, 3, 1)]],
    ['an unknown outcome that did not', [add(1, undefined), get(2, 3, 0)]],
    ['an unknown outcome that takes effect late', [add(1, undefined), get(2, 3, 0), get(4, 5, 1)]],
    [
      'two unknown outcomes, one of which took effect',
      [add(1, undefined), add(2, undefined, undefined, 5), get(3, 4, 5)],
    ],
    ['several at once', [add(1, 8, 3), add(2, 7, 1), add(3, 6, 2), get(4, 5, 2)]],
  ])('%s', (_, calls) => {
    expect(findViolation(counter, calls)).toBeUndefined();
  });
});

describe('a counter: not linearizable', () => {
  it.each<[string, CounterCall[]]>([
    ['a lost addition', [add(1, 2, 1), add(3, 4, 1)]],
    ['two at the same time with one result', [add(1, 3, 1), add(2, 4, 1)]],
    ['a number that was never there', [add(1, 2, 1), get(3, 4, 2)]],
    ['a stale read', [add(1, 2, 1), get(3, 4, 0)]],
    ['a read that goes back', [add(1, 6, 1), get(2, 3, 1), get(4, 5, 0)]],
    ['an unknown outcome that took effect twice', [add(1, undefined), get(2, 3, 1), get(4, 5, 2)]],
    ['an unknown outcome that took effect and was undone', [add(1, undefined), get(2, 3, 1), get(4, 5, 0)]],
    ['an unknown outcome that took effect before its call', [get(1, 2, 1), add(3, undefined)]],
    ['an addition that was done twice', [add(1, 2, 2)]],
  ])('%s', (_, calls) => {
    expect(findViolation(counter, calls)).toMatch(/nothing goes on from/);
  });

  it('says where it is stuck', () => {
    expect(findViolation(counter, [add(1, 2, 1), get(3, 4, 7)])).toBe(
      'nothing goes on from 1 after 1 calls:\nc3 {"kind":"get"} -> "7" [3, 4]',
    );
  });
});

describe('histories of a real counter', () => {
  /** Calls of several clients that overlap at random, against a counter that does each at one moment. */
  async function play(seed: number, broken: boolean): Promise<Call<CounterInput, bigint>[]> {
    const random = seeded(seed);
    const recorder = new Recorder<CounterInput, bigint>(() => 'unknown');
    let value = 0n;
    const turn = async (): Promise<void> => {
      for (let turns = Math.floor(random() * 4); turns >= 0; turns--) await Promise.resolve();
    };
    const addOne = async (): Promise<bigint> => {
      await turn();
      const before = value;
      if (broken) await turn();
      value = before + 1n;
      const after = value;
      await turn();
      if (random() < 0.1) throw new Error('the answer was lost');
      return after;
    };
    const client = async (name: string): Promise<void> => {
      for (let round = 0; round < 40; round++) {
        if (random() < 0.5) await recorder.call(name, { kind: 'add', by: 1n }, addOne);
        else await recorder.call(name, { kind: 'get' }, async () => (await turn(), value));
      }
    };
    await Promise.all(['a', 'b', 'c', 'd'].map(client));
    return recorder.calls;
  }

  it.each([1, 2, 3, 4, 5])('pass, with lost answers (seed %d)', async (seed) => {
    expect(findViolation(counter, await play(seed, false))).toBeUndefined();
  });

  it.each([1, 2, 3, 4, 5])('fail where it reads and writes at two moments (seed %d)', async (seed) => {
    expect(findViolation(counter, await play(seed, true))).toBeDefined();
  });
});

it('tries no state twice: many calls at the same time do not take for ever', () => {
  const anything: Specification<number, string, number> = {
    initial: 0,
    step: (state) => (state === 13 ? undefined : state + 1),
  };
  const calls = Array.from({ length: 14 }, (_, index) => ({
    ...{ client: 'a', input: 'step', called: index, returned: 100 + index, output: 0 },
  }));
  expect(findViolation(anything, calls)).toBeDefined();
});
