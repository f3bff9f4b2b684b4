import { describe, expect, it } from '@jest/globals';
import { findEarly, type Participation } from '../../support/histories/meetings.js';

const a: Participation = { client: 'a', entering: 1, entered: 4, leaving: 5, left: 9 };
const b: Participation = { client: 'b', entering: 2, entered: 6, leaving: 8, left: 10 };

describe('findEarly', () => {
  it.each<[string, Participation[]]>([
    ['all enter, then all leave', [a, b]],
    ['one never gets in', [{ client: 'a', entering: 1 }]],
    [
      'one has lost its session inside',
      [
        { ...a, left: 8 },
        { client: 'b', entering: 2, entered: 6, lost: 7 },
      ],
    ],
  ])('lets pass: %s', (_, meeting) => {
    expect(findEarly(meeting, 2)).toEqual([]);
  });

  it.each<[string, Participation[], RegExp]>([
    ['who enters alone', [a], /a has entered/],
    ['who enters before the other wants to', [a, { ...b, entering: 5 }], /a has entered at 4, when 1 wanted to/],
    ['who leaves before the other wants to', [{ ...a, left: 7 }, b], /a has left at 7, with b inside/],
    ['who leaves without the other', [a, { client: 'b', entering: 2, entered: 6 }], /a has left/],
    ['who leaves before the other was lost', [a, { client: 'b', entering: 2, entered: 6, lost: 11 }], /a has left/],
  ])('catches: %s', (_, meeting, problem) => {
    expect(findEarly(meeting, 2).join()).toMatch(problem);
  });
});
