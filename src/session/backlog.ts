import { after, now, type Timer } from '../clock.js';
import { UnansweredFailure } from '../errors.js';
import type { ResolvedOptions } from '../options.js';
import type { PendingRequest } from './pending-request.js';

/**
 * Requests that wait for a connection, or for room on it, bounded in count, bytes and time. None of them was sent since
 * it came here.
 */
export class Backlog {
  #requests: PendingRequest[] = [];
  #bytes = 0;
  #timer: Timer | undefined;
  #wakesAt = Infinity;
  /** Whether some may wait in vain: without that a full backlog is not looked through at each refusal. */
  #someAbandoned = false;
  readonly #onAbandoned = (): void => {
    this.#someAbandoned = true;
  };

  constructor(
    private readonly bounds: ResolvedOptions['offlineQueue'],
    /** Whether the process may end meanwhile. */
    private readonly unref = false,
  ) {}

  get size(): number {
    return this.#requests.length;
  }

  /** Bytes of their paths and data. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Lets a request wait, or fails it. `reason` says why it cannot be sent. */
  add(request: PendingRequest, reason: string): void {
    const refusal = this.#refusal(request, reason);
    if (refusal !== undefined) {
      request.fail(new UnansweredFailure('queueFull', refusal, false));
      return;
    }
    const time = now();
    request.waitingSince ??= time;
    this.#append(request, this.#endOfWait(time));
  }

  /** Puts reads that lost their connection in front, whatever the bounds: they were accepted once. */
  putBack(requests: readonly PendingRequest[]): void {
    const waiting = this.takeAll();
    const time = now();
    for (const request of requests) {
      request.waitingSince ??= request.sentAt;
      this.#append(request, this.#endOfWait(time));
    }
    // The time of those that wait already goes on.
    for (const request of waiting) this.#append(request, request.waitsUntil);
  }

  /** Takes those out that need not wait any more, in order. */
  take(which: (request: PendingRequest) => boolean): PendingRequest[] {
    const all = this.takeAll();
    for (const request of all) if (!which(request)) this.#append(request, request.waitsUntil);
    return all.filter(which);
  }

  /** Takes all of them, in the order in which they were asked for. */
  takeAll(): PendingRequest[] {
    const all = this.#requests;
    this.#requests = [];
    this.#bytes = 0;
    this.#stopTimer();
    return all;
  }

  /** Hands out the first ones, in order, as long as each may go. */
  drain(send: (request: PendingRequest) => void, mayGo: (request: PendingRequest) => boolean): void {
    const all = this.#requests;
    let taken = 0;
    for (let request = all[0]; request !== undefined && mayGo(request); request = all[++taken]) {
      this.#bytes -= request.bytes;
      send(request);
    }
    all.splice(0, taken);
    if (all.length === 0) this.#stopTimer();
  }

  #endOfWait(begin: number): number {
    return this.bounds === false ? -Infinity : begin + this.bounds.maxWait;
  }

  #append(request: PendingRequest, waitsUntil: number): void {
    request.waitsUntil = waitsUntil;
    request.onAbandoned = this.#onAbandoned;
    this.#requests.push(request);
    this.#bytes += request.bytes;
    this.#wakeAt(waitsUntil);
  }

  #refusal(request: PendingRequest, reason: string): string | undefined {
    if (this.bounds === false) return `${reason}, and offlineQueue is false`;
    const { maxOperations, maxBytes } = this.bounds;
    if (this.#someAbandoned && (this.#requests.length >= maxOperations || this.#bytes + request.bytes > maxBytes))
      this.#dropSettled();
    if (this.#requests.length >= maxOperations)
      return `${reason}, and ${maxOperations} operations (offlineQueue.maxOperations) wait already`;
    if (this.#bytes + request.bytes > maxBytes)
      return `${reason}, and operations of ${this.#bytes} bytes wait already; offlineQueue.maxBytes is ${maxBytes}`;
    return undefined;
  }

  /** Those whose callers wait no longer. */
  #dropSettled(): void {
    this.#someAbandoned = false;
    this.#requests = this.#requests.filter((request) => !request.settled);
    this.#bytes = this.#requests.reduce((sum, request) => sum + request.bytes, 0);
  }

  #stopTimer(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#wakesAt = Infinity;
  }

  /** One timer serves all. It is only moved for reads that were put back in front, which may wait longer than others. */
  #wakeAt(time: number): void {
    if (time >= this.#wakesAt) return;
    this.#timer?.cancel();
    this.#wakesAt = time;
    this.#timer = after(time - now(), () => this.#dropOverdue(), this.unref);
  }

  #dropOverdue(): void {
    this.#stopTimer();
    const time = now();
    const dropped = this.#requests.filter((request) => request.waitsUntil <= time);
    this.#requests = this.#requests.filter((request) => request.waitsUntil > time);
    this.#dropSettled();
    if (this.#requests.length > 0)
      this.#wakeAt(this.#requests.reduce((least, { waitsUntil }) => Math.min(least, waitsUntil), Infinity));
    for (const request of dropped) {
      request.fail(
        new UnansweredFailure('timeout', 'it could not be sent for as long as offlineQueue.maxWait allows', false),
      );
    }
  }
}
