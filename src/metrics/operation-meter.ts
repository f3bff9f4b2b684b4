import Long from 'long';
import { now } from '../clock.js';
import type { Failure } from '../errors.js';
import { channels, type OperationMessage, type OperationStart } from './channels.js';
import type { ClientMetrics, CountedOperation } from './client-metrics.js';
import { codeOf } from './outcomes.js';

/** What a meter looks at in a request. */
export interface MeteredRequest {
  readonly operation: CountedOperation;
  /** The path at the server, where there is one. */
  readonly path: string | undefined;
  /** When it was sent last, not later; on the clock of `now()`. */
  readonly sentAt: number;
  /** When it was asked for, if it had to wait for a connection. */
  readonly waitingSince: number | undefined;
  readonly timesSent: number;
  /** Length of its frame, without the four bytes of the length itself. */
  readonly size: number;
  /** What subscribers were told of its start. */
  start: OperationStart | undefined;
}

/** What a meter looks at in the header of a reply. */
interface MeteredReply {
  readonly zxidHigh: number;
  readonly zxidLow: number;
}

/** Bytes of the length in front of a frame. */
const LENGTH_BYTES = 4;
/** Bytes of the header of a reply, with the length in front of it. */
const HEADER_BYTES = LENGTH_BYTES + 16;

/**
 * Counts the operations of one session. An answer costs a few operations on integers, and asks for no time: it is
 * measured from the turn in which it was sent to the chunk in which the reply came.
 */
export class OperationMeter {
  session = '0x0';
  server: string | undefined;
  #heardAt = 0;

  constructor(private readonly metrics: ClientMetrics) {}

  /** Bytes have arrived at `time`. */
  heard(time: number): void {
    this.#heardAt = time;
    this.metrics.heard(time);
  }

  /** The answer to a ping has come that was sent at `sentAt`. */
  ponged(sentAt: number): void {
    const { metrics } = this;
    metrics.lastPing = this.#heardAt - sentAt;
    metrics.pings.record(metrics.lastPing);
  }

  /** A caller asks for an operation, now. */
  asked(request: MeteredRequest): void {
    if (!channels.operationStart.hasSubscribers) return;
    request.start = { operation: request.operation.name, path: request.path, session: this.session };
    channels.operationStart.publish(request.start);
  }

  /** A reply has come: `failure` is undefined, or what the caller gets in place of a result. */
  answered(request: MeteredRequest, failure: Failure | undefined, header: MeteredReply, bodyBytes: number): void {
    const { metrics } = this;
    const counters = metrics.of(request.operation);
    const duration = this.#heardAt - (request.waitingSince ?? request.sentAt);
    metrics.answers++;
    counters.latency.record(duration);
    if (failure !== undefined) counters.failed(codeOf(failure), true);
    if (channels.operation.hasSubscribers)
      this.#tell(request, {
        outcome: failure === undefined ? 'ok' : codeOf(failure),
        duration,
        bytesReceived: HEADER_BYTES + bodyBytes,
        zxid: new Long(header.zxidLow, header.zxidHigh),
      });
  }

  /** The caller gets a failure, and there was no answer. */
  failed(request: MeteredRequest, failure: Failure): void {
    const outcome = codeOf(failure);
    this.metrics.of(request.operation).failed(outcome, false);
    if (!channels.operation.hasSubscribers) return;
    const began = request.waitingSince ?? (request.timesSent > 0 ? request.sentAt : undefined);
    const duration = began === undefined ? undefined : now() - began;
    this.#tell(request, { outcome, duration, bytesReceived: 0, zxid: undefined });
  }

  #tell(request: MeteredRequest, end: Pick<OperationMessage, 'outcome' | 'duration' | 'bytesReceived' | 'zxid'>): void {
    const { operation, path, size, timesSent, start } = request;
    const message: OperationMessage = Object.assign(start ?? { operation: operation.name, path }, {
      ...end,
      session: this.session,
      server: this.server,
      bytesSent: timesSent > 0 ? LENGTH_BYTES + size : 0,
      timesSent,
    });
    // On a turn of its own: subscribers may call anything, and here a reply is half handled.
    process.nextTick(() => channels.operation.publish(message));
  }
}
