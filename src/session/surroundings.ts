import type { ServerAddress } from '../connection/connect-string.js';
import type { Rounds } from '../connection/rounds.js';
import type { SessionEvent, SessionState } from '../events.js';
import type { ClientMetrics } from '../metrics/client-metrics.js';
import type { ResolvedOptions } from '../options.js';
import type { AttacherUser } from './attacher.js';
import type { Delivery } from './delivery.js';
import type { Identities } from './identities.js';
import type { LastZxid } from './last-zxid.js';
import type { ProcessHold } from './process-hold.js';
import type { FinalState } from './states.js';

/** What the sessions of one client share. */
export interface SessionSurroundings<Session> {
  readonly options: ResolvedOptions;
  readonly hosts: Rounds;
  readonly identities: Identities;
  readonly lastZxid: LastZxid;
  readonly delivery: Delivery;
  /** Keeps the process while operations are waited for; only with the option `unref`. */
  readonly hold: ProcessHold | undefined;
  readonly metrics: ClientMetrics;
  /** Told at once of every change of state. It is not to act on the session, whose move is half made. */
  readonly onMoved: (session: Session, from: SessionState, why: string) => void;
  /** Told at once when the server in use is about to be left for another one, which loses nothing. */
  readonly onLeaving: () => void;
  /** Told of every change of state, in order. */
  readonly onEvent: (event: SessionEvent) => void;
  /** Told at once when a session has ended otherwise than by `close()`. */
  readonly onEnded: (session: Session, state: FinalState) => void;
  readonly onAttempt: AttacherUser['attempted'];
  readonly onAttemptFailed: (server: ServerAddress, reason: Error) => void;
  readonly onHostsFailed: (provider: string, reason: Error) => void;
  /** Told when every server was tried in vain. */
  readonly onRoundFailed: () => void;
}
