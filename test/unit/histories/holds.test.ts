import { describe, expect, it } from '@jest/globals';
import { findFallingTokens, findOverlaps, type Hold, HoldRecorder } from '../../support/histories/holds.js';

function hold(client: string, from: number, to: number, more: Partial<Hold> = {}): Hold {
  return { client, what: '', mode: 'exclusive', permits: 1, token: BigInt(from), from, to, ...more };
}

/** A lock as the recorder sees it. */
function holding(token: number): { held: boolean; signal: AbortSignal; fencingToken: number; lose(): void } {
  const loss = new AbortController();
  const lock = {
    ...{ held: true, signal: loss.signal, fencingToken: token },
    lose(): void {
      lock.held = false;
      loss.abort();
    },
  };
  return lock;
}

describe('findOverlaps', () => {
  it.each<[string, Hold[], number]>([
    ['one after the other', [hold('a', 1, 2), hold('b', 3, 4), hold('a', 5, Infinity)], 1],
    ['as many as there are', [hold('a', 1, 5), hold('b', 2, 4), hold('c', 6, 7)], 2],
    ['two who hold two things', [hold('a', 1, 5, { what: 'x' }), hold('b', 2, 4, { what: 'y' })], 1],
    ['several at once', [hold('a', 1, 5, { permits: 2 }), hold('b', 2, 4)], 3],
    [
      'readers together',
      [hold('a', 1, 5, { mode: 'shared' }), hold('b', 2, 4, { mode: 'shared' }), hold('c', 6, 7)],
      1,
    ],
  ])('lets pass: %s', (_, holds, limit) => {
    expect(findOverlaps(holds, limit)).toEqual([]);
  });

  it.each<[string, Hold[], number]>([
    ['two holders', [hold('a', 1, 3), hold('b', 2, 4)], 1],
    ['one who never gave it back', [hold('a', 1, Infinity), hold('b', 2, 4)], 1],
    ['more than there are', [hold('a', 1, 5), hold('b', 2, 5), hold('c', 3, 4)], 2],
    ['too many at once', [hold('a', 1, 5, { permits: 2 }), hold('b', 2, 4, { permits: 2 })], 3],
    ['a writer beside a reader', [hold('a', 1, 5, { mode: 'shared' }), hold('b', 2, 4)], 1],
    ['a reader beside a writer', [hold('a', 1, 5), hold('b', 2, 4, { mode: 'shared' })], 1],
  ])('catches: %s', (_, holds, limit) => {
    expect(findOverlaps(holds, limit)).not.toEqual([]);
  });
});

it('findFallingTokens catches a token that does not grow', () => {
  expect(findFallingTokens([hold('a', 1, 2), hold('b', 3, 4)])).toEqual([]);
  expect(findFallingTokens([hold('a', 1, 2, { token: 7n }), hold('b', 3, 4, { token: 7n })])).toHaveLength(1);
  expect(findFallingTokens([hold('a', 1, 2, { token: 7n }), hold('b', 3, 4, { token: 5n })])).toHaveLength(1);
});

describe('HoldRecorder', () => {
  it('ends a hold when it is released, lost, or seen not to be held', () => {
    const recorder = new HoldRecorder();
    recorder.took('a', holding(1))();
    const lost = holding(2);
    recorder.took('b', lost);
    lost.lose();
    const unaware = holding(3);
    recorder.took('c', unaware);
    unaware.held = false;
    recorder.took('d', holding(4));
    recorder.disown('d');
    recorder.took('d', holding(4));
    recorder.readmit('d');
    recorder.took('e', holding(5));
    expect(recorder.holds.map(({ client, to }) => [client, to !== Infinity])).toEqual([
      ['a', true],
      ['b', true],
      ['c', true],
      ['d', true],
      ['e', false],
    ]);
    expect(findOverlaps(recorder.holds)).toEqual([]);
  });

  it('shows two who hold at the same time', () => {
    const recorder = new HoldRecorder();
    recorder.took('a', holding(1));
    recorder.took('b', holding(2));
    expect(findOverlaps(recorder.holds)).toEqual(['at 2 held by a (exclusive), b (exclusive)']);
  });

  it('passes over what was lost before it could be noted', () => {
    const recorder = new HoldRecorder();
    const lost = holding(1);
    lost.lose();
    recorder.took('a', lost);
    expect(recorder.holds).toEqual([]);
  });
});
