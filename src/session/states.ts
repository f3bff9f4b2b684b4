import type { SessionState } from '../events.js';

/** The legal moves from each state. A state without any is final. */
const moves: Readonly<Record<SessionState, readonly SessionState[]>> = {
  connecting: ['connected', 'readonly', 'expired', 'closed', 'authFailed'],
  connected: ['suspended', 'expired', 'closed', 'authFailed'],
  readonly: ['suspended', 'expired', 'closed', 'authFailed'],
  suspended: ['connected', 'readonly', 'expired', 'closed', 'authFailed'],
  expired: [],
  closed: [],
  authFailed: [],
};

/** A state in which a session stays for ever. */
export type FinalState = 'expired' | 'closed' | 'authFailed';

/** Whether a session stays in this state for ever. */
export function isFinal(state: SessionState): state is FinalState {
  return moves[state].length === 0;
}

/** Whether a session in this state has a connection that operations are sent on. */
export function isAttached(state: SessionState): boolean {
  return state === 'connected' || state === 'readonly';
}

/** Whether a session may go from one state to the other. */
export function canMove(from: SessionState, to: SessionState): boolean {
  return moves[from].includes(to);
}
