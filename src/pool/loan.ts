import { EventEmitter } from 'node:events';
import type { ServerAddress } from '../connection/connect-string.js';
import { ClosedError, InvalidArgumentError } from '../errors.js';
import { emitIsolated, type SessionEvent } from '../events.js';
import type { ResolvedOptions } from '../options.js';
import type { Identities } from '../session/identities.js';
import type { Session } from '../session/session.js';
import { isFinal } from '../session/states.js';
import { finalError, type Sessions } from '../succession.js';
import type { Telemetry } from '../telemetry.js';

/**
 * What a borrower reaches of a pooled client: the one session that was current when it was lent, until it is given
 * back. It knows what the borrower has left behind.
 */
export class Loan implements Sessions {
  /** The borrower's listeners; they end with the loan. */
  readonly events = new EventEmitter();
  readonly #lender: Sessions;
  readonly #session: Session;
  readonly #identities: number;
  readonly #forward: (event: SessionEvent) => void;
  #over = false;

  constructor(lender: Sessions) {
    this.#lender = lender;
    this.#session = lender.session;
    this.#identities = lender.identities.all.length;
    this.events.setMaxListeners(0);
    this.#forward = (event) => {
      if (event.sessionId.equals(this.#session.id)) emitIsolated(this.events, event);
    };
    lender.events.on('session', this.#forward);
  }

  get session(): Session {
    this.#check();
    return this.#session;
  }

  get identities(): Identities {
    this.#check();
    return this.#lender.identities;
  }

  get options(): ResolvedOptions {
    return this.#lender.options;
  }

  get telemetry(): Telemetry {
    return this.#lender.telemetry;
  }

  async ready(timeout: number | undefined, signal: AbortSignal | undefined): Promise<void> {
    this.#check();
    await this.#lender.ready(timeout, signal);
    // The client may be at its next session already, which is not the borrower's.
    const { state } = this.#session;
    if (isFinal(state)) throw finalError(state);
  }

  get servers(): readonly ServerAddress[] {
    return this.#lender.servers;
  }

  /** The next borrower counts on the servers of the pool. */
  updateServers(): never {
    throw new InvalidArgumentError('the servers of a client that was lent are those of its pool', {
      operation: 'updateServers',
    });
  }

  /** Only the pool closes. */
  close(): Promise<boolean> {
    return Promise.resolve(false);
  }

  /** Ends the loan. Returns what the borrower has left behind, in words; `undefined` if nothing. */
  end(): string | undefined {
    if (this.#over) return undefined;
    this.#over = true;
    this.#lender.events.off('session', this.#forward);
    this.events.removeAllListeners();
    return this.#leftovers();
  }

  #leftovers(): string | undefined {
    if (this.#lender.identities.all.length > this.#identities) return 'credentials';
    const session = this.#session;
    // What belonged to a session that is over went with it.
    if (isFinal(session.state)) return undefined;
    if (!session.watches.isEmpty) return 'watches';
    if (session.mayOwnEphemerals) return 'ephemeral znodes';
    if (session.deadline.hasLeases) return 'leases';
    return undefined;
  }

  #check(): void {
    if (this.#over) throw new ClosedError('the client was given back to its pool', {}, false);
  }
}
