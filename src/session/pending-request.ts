import { setMaxListeners } from 'node:events';
import { after } from '../clock.js';
import { type Failure, ServerCode, ServerFailure, UnansweredFailure } from '../errors.js';
import type { OperationStart } from '../metrics/channels.js';
import type { OperationMeter } from '../metrics/operation-meter.js';
import type { Operation } from '../operations/operation.js';
import type { JuteReader } from '../protocol/jute-reader.js';
import type { JuteWriter } from '../protocol/jute-writer.js';
import type { ReplyHeader } from '../protocol/records.js';
import type { Delivery } from './delivery.js';

/** A request of a caller, from the call to its one outcome. What it asks for and answers with is its own business. */
export abstract class PendingRequest {
  /** Number on the wire; a new one each time that it is sent. */
  xid = 0;
  /** A moment not later than its sending, on the clock of `now()`. */
  sentAt = 0;
  /** Length of its frame when it was written last, bytes. */
  size = 0;
  /** How often it was written to a connection. */
  timesSent = 0;
  /** When it was asked for, if it had to wait for a connection; on the clock of `now()`. */
  waitingSince: number | undefined;
  /** What was published of its start, if anybody listened. */
  start: OperationStart | undefined;
  /** When it stops waiting for a connection, on the clock of `now()`. */
  waitsUntil = Infinity;
  /** Who is told when the caller gives it up. */
  onAbandoned: (() => void) | undefined;
  /** By how many bytes it must stay below the limit for requests. */
  abstract readonly sparedBytes: number;
  /** Bytes of its path and data, for the bound of those that wait. */
  abstract readonly bytes: number;
  abstract readonly operation: Pick<
    Operation<never, unknown>,
    'name' | 'opCode' | 'since' | 'effect' | 'feature' | 'signOfLife'
  >;
  /** Whether the caller has its outcome. A request on the wire keeps its place until its reply has come. */
  abstract readonly settled: boolean;

  /** What to say where the server does not know the operation. */
  get sinceHint(): string {
    const { name, feature = name, since } = this.operation;
    return ` (${feature} is known from ZooKeeper ${since} on)`;
  }

  /** Writes the request record. */
  abstract write(out: JuteWriter): void;
  /** Takes the reply. Throws `ProtocolError` if it cannot be read. */
  abstract answer(header: ReplyHeader, reply: JuteReader): void;
  abstract fail(failure: Failure): void;
}

/** How a caller can end its wait for an operation. The operation may be carried out all the same. */
export interface RequestLimits {
  /** Rejects the operation with `AbortedError` when it fires. */
  readonly signal?: AbortSignal | undefined;
  /** Rejects the operation with `OperationTimeoutError` after this time, milliseconds. */
  readonly timeout?: number | undefined;
}

/** What a request with a watch does at the server and here. */
export interface Arming {
  /** By how much the packet may be longer that sets the watch again after a reconnect; default 0. */
  readonly longerBy?: number;
  /** Called before the request is written: tells whether the server must be asked for a watch. */
  beforeSend(): void;
  /** The reply has come, and with it the watch. `found`: the znode exists. */
  armed(found: boolean): void;
  /** There will be no watch, or nobody to tell. May be called again. */
  refused(): void;
  /** The reply has come, and with it a watch, after the caller's wait had ended. */
  unwanted?(): void;
}

export class TypedRequest<Request, Result> extends PendingRequest {
  #settled = false;
  #cleanUp: (() => void) | undefined;

  constructor(
    override readonly operation: Operation<Request, Result>,
    private readonly request: Request,
    override readonly bytes: number,
    private readonly delivery: Delivery,
    private readonly resolve: (outcome: Result | Failure) => void,
    private readonly arming: Arming | undefined,
    private readonly meter: OperationMeter,
  ) {
    super();
  }

  /** The path at the server; undefined where there is none. */
  get path(): string | undefined {
    const { request } = this;
    if (typeof request !== 'object' || request === null || !('path' in request)) return undefined;
    return typeof request.path === 'string' && request.path !== '' ? request.path : undefined;
  }

  override get sparedBytes(): number {
    return this.arming?.longerBy ?? 0;
  }

  override get settled(): boolean {
    return this.#settled;
  }

  /** Ends the caller's wait when a signal fires or a time is over. */
  limit({ signal, timeout }: RequestLimits): void {
    const timer =
      timeout === undefined
        ? undefined
        : after(timeout, () => this.#abandon('timeout', `there was no answer within ${timeout} ms`));
    const onAbort = (): void => this.#abandon('aborted', 'it was aborted', signal?.reason);
    this.#cleanUp = () => {
      timer?.cancel();
      signal?.removeEventListener('abort', onAbort);
    };
    if (signal === undefined) return;
    // Many operations may share one signal; from eleven on Node would warn of a leak.
    setMaxListeners(0, signal);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort);
  }

  override write(out: JuteWriter): void {
    this.arming?.beforeSend();
    this.operation.write(out, this.request);
  }

  override answer(header: ReplyHeader, reply: JuteReader): void {
    const { operation } = this;
    const bodyBytes = reply.remaining;
    if (header.error === ServerCode.ok) {
      const result = operation.read(reply, header);
      // A transaction has its failure in its results, and so finds it only now.
      const failure = header.error === ServerCode.ok ? undefined : new ServerFailure(header.error);
      this.#measure(failure, header, bodyBytes);
      this.#arm(true);
      this.#settle(result);
    } else if (header.error === ServerCode.noNode && operation.missing !== undefined) {
      this.#measure(undefined, header, bodyBytes);
      this.#arm(false);
      this.#settle(operation.missing);
    } else {
      const refusal = this.#refusal(header.error);
      this.#measure(refusal, header, bodyBytes);
      this.arming?.refused();
      this.#settle(refusal);
    }
  }

  override fail(failure: Failure): void {
    this.arming?.refused();
    this.#fail(failure);
  }

  #fail(failure: Failure): void {
    if (!this.#settled) this.meter.failed(this, failure);
    this.#settle(failure);
  }

  /** A reply that nobody waits for any more has been counted as what its caller got. */
  #measure(failure: Failure | undefined, header: ReplyHeader, bodyBytes: number): void {
    if (!this.#settled) this.meter.answered(this, failure, header, bodyBytes);
  }

  /** The caller waits no longer. The request keeps its place; a watch that it brings has nobody to tell. */
  #abandon(kind: 'timeout' | 'aborted', message: string, cause?: unknown): void {
    const mayHaveBeenApplied = this.timesSent > 0 && this.operation.effect === 'write';
    this.arming?.refused();
    this.#fail(new UnansweredFailure(kind, message, mayHaveBeenApplied, cause));
    this.onAbandoned?.();
  }

  /** A caller who waits no longer has no use for the watch. */
  #arm(found: boolean): void {
    if (this.#settled) this.arming?.unwanted?.();
    else this.arming?.armed(found);
  }

  #refusal(code: number): Failure {
    if (code === ServerCode.sessionExpired)
      return new UnansweredFailure('expired', 'the server says that the session has expired', false);
    if (code === ServerCode.authFailed || code === ServerCode.sessionRequiresSasl)
      return new UnansweredFailure('authFailed', 'the server refused the credentials, or demands some', false);
    if (code === ServerCode.unimplemented || code === this.operation.refusedAs)
      return new ServerFailure(ServerCode.unimplemented, this.sinceHint);
    return new ServerFailure(code);
  }

  #settle(outcome: Result | Failure): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#cleanUp?.();
    if (this.delivery.congested) this.delivery.result(() => this.resolve(outcome));
    else this.resolve(outcome);
  }
}
