import { type Failure, ProtocolError, ServerCode, ServerFailure, UnansweredFailure } from '../errors.js';
import type { SessionState } from '../events.js';
import type { ResolvedOptions } from '../options.js';
import { Backlog } from './backlog.js';
import type { Channel } from './channel.js';
import type { PendingRequest } from './pending-request.js';
import { type FinalState, isFinal } from './states.js';

/**
 * Connections that were lost in a row with the same read first in line: from so many on, the reads that were lost go
 * one by one, and after so many the read is given up, for it seems to be what makes the server close.
 */
const LOSSES_TO_SUSPECT = 2;
const MOST_LOSSES = 5;

/** What the flow needs to know of its session. */
export interface FlowSession {
  readonly state: SessionState;
  /** The channel on which requests are sent, if there is one now. */
  readonly sendable: Channel | undefined;
  /** Why credentials were refused, if that is how the session has ended. */
  readonly refusal: Error | undefined;
}

/** When each request of a session goes on the wire: now, behind others, on the next connection, or never. */
export class RequestFlow {
  readonly #backlog: Backlog;
  /** The read that was first in line when a connection was lost, and how often in a row it was that one. */
  #firstLost: PendingRequest | undefined;
  #losses = 0;

  constructor(
    private readonly session: FlowSession,
    private readonly options: ResolvedOptions,
  ) {
    this.#backlog = new Backlog(options.offlineQueue, options.unref);
  }

  /** What waits to be sent. */
  get load(): { readonly queued: number; readonly queuedBytes: number } {
    return { queued: this.#backlog.size, queuedBytes: this.#backlog.bytes };
  }

  /** Sends a request, lets it wait, or fails it. */
  add(request: PendingRequest): void {
    const { state, sendable: channel } = this.session;
    if (channel === undefined) this.#delay(request, state);
    else if (state === 'readonly' && request.operation.effect === 'write')
      request.fail(new ServerFailure(ServerCode.notReadOnly));
    else if (this.#backlog.size === 0 && this.#mayFollow(request, channel)) channel.send(request);
    else this.#awaitRoom(request, channel);
  }

  #delay(request: PendingRequest, state: SessionState): void {
    if (isFinal(state)) request.fail(this.failureIn(state, false));
    else this.#backlog.add(request, 'there is no connection');
  }

  #awaitRoom(request: PendingRequest, channel: Channel): void {
    const { maxOperations, maxBytes, whenFull } = this.options.inFlight;
    const reason = `${maxOperations} operations or ${maxBytes} bytes (inFlight) are on the wire`;
    if (channel.hasRoom) this.#backlog.add(request, 'others are sent before it');
    else if (whenFull === 'reject') request.fail(new UnansweredFailure('queueFull', reason, false));
    else this.#backlog.add(request, reason);
    channel.awaitRoom();
  }

  /** Sends what waits, in order, as long as there is room on the wire. */
  sendWaiting(channel: Channel): void {
    if (channel.isLeaving) return;
    this.#backlog.drain(
      (request) => channel.send(request),
      (request) => this.#mayFollow(request, channel),
    );
    if (this.#backlog.size > 0) channel.awaitRoom();
  }

  /** Sends everything that waits, room or not: what comes after is the end of the session. */
  flush(channel: Channel): void {
    for (const request of this.#backlog.takeAll()) channel.send(request);
  }

  /** The server takes no writes: those that wait fail, and the rest is sent. Nothing is refused that was accepted once. */
  readOnlyFrom(channel: Channel): void {
    for (const write of this.#backlog.take(({ operation }) => operation.effect === 'write'))
      write.fail(new ServerFailure(ServerCode.notReadOnly));
    this.sendWaiting(channel);
  }

  /** Whether a request may go while those before it have no answer yet. */
  #mayFollow(request: PendingRequest, channel: Channel): boolean {
    const { first, hasRoom } = channel;
    if (this.#losses < LOSSES_TO_SUSPECT || first === undefined) return hasRoom;
    // Nothing else is to be lost with a read that is on trial.
    return hasRoom && request.timesSent === 0 && first.timesSent <= 1;
  }

  /** The connection went away under these: reads are kept for the next one of this session, the rest fails. */
  lost(unanswered: readonly PendingRequest[], reason: Error): void {
    const { state } = this.session;
    // After bytes that were no protocol, asking again would most likely bring the same bytes.
    const mayResend = !isFinal(state) && this.options.offlineQueue !== false && !(reason instanceof ProtocolError);
    const resend: PendingRequest[] = [];
    this.#suspect(unanswered.find(({ operation, settled }) => operation.effect === 'read' && !settled));
    for (const request of unanswered) {
      const { effect } = request.operation;
      const mayHaveBeenApplied = effect === 'write';
      const isGivenUp = request === this.#firstLost && this.#losses >= MOST_LOSSES;
      if (effect === 'read' && mayResend && !isGivenUp) resend.push(request);
      else if (isFinal(state)) request.fail(this.failureIn(state, mayHaveBeenApplied, reason));
      else
        request.fail(
          new UnansweredFailure(
            'connectionLoss',
            `the connection was lost before the answer came: ${reason.message}`,
            mayHaveBeenApplied,
            reason,
          ),
        );
    }
    if (resend.length > 0) this.#backlog.putBack(resend);
  }

  /** Counts the connections that were lost with this read first in line: only that one can be blamed. */
  #suspect(read: PendingRequest | undefined): void {
    if (read === undefined) return;
    this.#losses = read === this.#firstLost ? this.#losses + 1 : 1;
    this.#firstLost = read;
  }

  /** The session is over: what waits fails. */
  end(state: FinalState): void {
    for (const request of this.#backlog.takeAll()) request.fail(this.failureIn(state, false));
  }

  /** What requests get when the session is over. */
  failureIn(state: FinalState, mayHaveBeenApplied: boolean, cause?: Error): Failure {
    const { refusal } = this.session;
    const kinds = {
      expired: ['expired', 'the session has expired'],
      closed: ['closed', 'the client was closed'],
      authFailed: ['authFailed', refusal?.message ?? ''],
    } as const;
    const [kind, message] = kinds[state];
    return new UnansweredFailure(kind, message, mayHaveBeenApplied, refusal ?? cause);
  }
}
