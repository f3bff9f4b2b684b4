import { ClientRequest } from 'node:http';

/** What a request takes, beside what its types say: no connection, and why. */
interface Unconnected {
  onSocket(socket: null, error: Error | undefined): void;
}

/**
 * A request that waits for its connection. As long as it has none, Node neither tells that it was destroyed nor ends it:
 * this does.
 */
export class WaitingRequest implements Disposable {
  readonly #controller = new AbortController();

  constructor(private readonly request: ClientRequest) {
    request.destroy = this.#destroy;
    if (request.destroyed) this.#controller.abort();
  }

  /** Aborts when the request is destroyed. */
  get destroyed(): AbortSignal {
    return this.#controller.signal;
  }

  /** There will be no connection: the request has the events `error` and `close`. */
  fail(error: Error): void {
    const { request } = this;
    (request as unknown as Unconnected).onSocket(null, request.destroyed ? undefined : error);
  }

  [Symbol.dispose](): void {
    // Somebody may have wrapped it meanwhile.
    if (this.request.destroy === this.#destroy) Reflect.deleteProperty(this.request, 'destroy');
  }

  readonly #destroy = (error?: Error): ClientRequest => {
    ClientRequest.prototype.destroy.call(this.request, error);
    this.#controller.abort();
    return this.request;
  };
}
