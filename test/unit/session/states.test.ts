import { describe, expect, it } from '@jest/globals';
import type { SessionState } from '../../../src/events.js';
import { canMove, isFinal } from '../../../src/session/states.js';

const states: readonly SessionState[] = ['connecting', 'connected', 'suspended', 'expired', 'closed', 'authFailed'];

describe('the states of a session', () => {
  it.each<[SessionState, SessionState[]]>([
    ['connecting', ['connected', 'expired', 'closed', 'authFailed']],
    ['connected', ['suspended', 'expired', 'closed', 'authFailed']],
    ['suspended', ['connected', 'expired', 'closed', 'authFailed']],
    ['expired', []],
    ['closed', []],
    ['authFailed', []],
  ])('lead from %s to %j and to no other', (from, allowed) => {
    expect(states.filter((to) => canMove(from, to))).toEqual(allowed);
  });

  it('are final where nothing follows', () => {
    expect(states.filter(isFinal)).toEqual(['expired', 'closed', 'authFailed']);
  });
});
