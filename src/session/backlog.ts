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
  /** Whether some may wait in vain: without that a full backlog is not looked through at each refusal. */
  #someAbandoned = false;
  readonly #onAbandoned = (): void => {
    this.#someAbandoned = true;
  };

  constructor(private readonly bounds: ResolvedOptions['offlineQueue']) {}

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
    this.#append(request, now());
  }

  /** Puts reads that lost their connection in front, whatever the bounds: they were accepted once. */
  putBack(requests: readonly PendingRequest[]): void {
    const waiting = this.takeAll();
    for (const request of requests) request.waitingSince ??= request.sentAt;
    for (const request of [...requests, ...waiting]) this.#append(request, now());
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

  #append(request: PendingRequest, time: number): void {
    request.waitingSince ??= time;
    request.waitsUntil = this.bounds === false ? -Infinity : time + this.bounds.maxWait;
    request.onAbandoned = this.#onAbandoned;
    this.#requests.push(request);
    this.#bytes += request.bytes;
    this.#wakeAt(request.waitsUntil);
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
  }

  #wakeAt(time: number): void {
    // The bound is the same for all, so the first in line is the first to go, and one timer serves all.
    if (this.#timer === undefined) this.#timer = after(time - now(), () => this.#dropOverdue());
  }

  #dropOverdue(): void {
    this.#timer = undefined;
    const time = now();
    const dropped = this.#requests.filter((request) => request.waitsUntil <= time);
    this.#requests = this.#requests.filter((request) => request.waitsUntil > time);
    this.#dropSettled();
    const first = this.#requests[0];
    if (first !== undefined) this.#wakeAt(first.waitsUntil);
    for (const request of dropped) {
      request.fail(
        new UnansweredFailure('timeout', 'it could not be sent for as long as offlineQueue.maxWait allows', false),
      );
    }
  }
}
