import type { PendingRequest } from './pending-request.js';

/** Below this many settled requests the array is not worth shortening. */
const SHORTEN_FROM = 1024;

/** The requests on the wire, in the order in which they will be answered. */
export class InFlight {
  #requests: (PendingRequest | undefined)[] = [];
  #head = 0;
  /** Bytes of the requests on the wire. */
  bytes = 0;

  get size(): number {
    return this.#requests.length - this.#head;
  }

  push(request: PendingRequest): void {
    this.#requests.push(request);
    this.bytes += request.size;
  }

  /** The one that is answered next. */
  get first(): PendingRequest | undefined {
    return this.#requests[this.#head];
  }

  /** Takes the first one off. */
  shift(): void {
    this.bytes -= this.first?.size ?? 0;
    this.#requests[this.#head++] = undefined;
    if (this.#head === this.#requests.length) {
      this.#requests.length = 0;
      this.#head = 0;
    } else if (this.#head >= SHORTEN_FROM && this.#head * 2 > this.#requests.length) {
      this.#requests = this.#requests.slice(this.#head);
      this.#head = 0;
    }
  }

  /** Takes one off that is answered out of turn. */
  take(xid: number): PendingRequest | undefined {
    const index = this.#requests.findIndex((request) => request?.xid === xid);
    if (index === -1) return undefined;
    const [request] = this.#requests.splice(index, 1);
    this.bytes -= request?.size ?? 0;
    return request;
  }

  /** Takes all of them off, in order. */
  takeAll(): PendingRequest[] {
    const all = this.#requests.slice(this.#head) as PendingRequest[];
    this.#requests = [];
    this.#head = 0;
    this.bytes = 0;
    return all;
  }
}
