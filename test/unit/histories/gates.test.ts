import { describe, expect, it } from '@jest/globals';
import { findPassed, type GateInput } from '../../support/histories/gates.js';
import type { Call } from '../../support/histories/linearizable.js';

function call(input: GateInput, called: number, returned: number): Call<GateInput, boolean> {
  return { client: 'a', input, called, returned, output: true };
}

describe('findPassed', () => {
  it.each<[string, Call<GateInput, boolean>[]]>([
    ['an open gate', [call('wait', 1, 2)]],
    ['a gate that is being closed', [call('set', 1, 4), call('wait', 2, 3)]],
    ['a gate that is opened meanwhile', [call('set', 1, 2), call('wait', 3, 6), call('remove', 4, 5)]],
    ['an opening of which nothing is known', [call('set', 1, 2), call('remove', 3, Infinity), call('wait', 4, 5)]],
  ])('lets pass: %s', (_, calls) => {
    expect(findPassed(calls)).toEqual([]);
  });

  it.each<[string, Call<GateInput, boolean>[]]>([
    ['a closed gate', [call('set', 1, 2), call('wait', 3, 4)]],
    ['one that was opened and closed before', [call('remove', 1, 2), call('set', 3, 4), call('wait', 5, 6)]],
    ['one that is opened afterwards', [call('set', 1, 2), call('wait', 3, 4), call('remove', 5, 6)]],
  ])('catches: %s', (_, calls) => {
    expect(findPassed(calls)).toHaveLength(1);
  });
});
