import { errorMonitor } from 'node:events';
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { failureOf } from './call-failure.js';
import type { ServiceCall } from './service-call.js';
import { ServiceStatusError } from './service-errors.js';
import { nameOfInstance } from './service-url.js';

/** To see errors without being one who handles them. The types of Node know it as a name of an event nowhere. */
const anError = errorMonitor as unknown as 'error';

/**
 * Ends a call as its request ends. What the caller does to the request is no failure of the instance, but that it was
 * silent for so long that the request had its event `timeout` is one.
 */
export function endWithRequest(request: ClientRequest, call: ServiceCall): void {
  new WatchedRequest(request, call).begin();
}

class WatchedRequest {
  #response: IncomingMessage | undefined;
  #socket: Socket | undefined;
  /** What the instance has done wrong. */
  #broken: Error | undefined;
  /** How the other side, or the network, has ended the connection. */
  #hungUp: Error | undefined;

  constructor(
    private readonly request: ClientRequest,
    private readonly call: ServiceCall,
  ) {}

  begin(): void {
    this.request.once('socket', (socket) => this.#follow(socket));
    this.request.once('timeout', () => this.#broke(new Error('it was silent for too long')));
    this.request.on(anError, this.#onRequestError);
    this.request.prependOnceListener('response', (response) => {
      this.#response = response;
      // Where nobody listens, Node throws the body away; now somebody has listened.
      if (this.request.listenerCount('response') === 0) response.resume();
    });
    this.request.once('close', () => this.#end());
  }

  #follow(socket: Socket): void {
    this.#socket = socket;
    socket.on(anError, this.#onSocketError);
    socket.on('end', this.#onSocketEnd);
  }

  readonly #onSocketEnd = (): void => {
    this.#hungUp ??= new Error('the connection was closed by the other side');
  };

  readonly #onSocketError = (error: Error): void => {
    // The caller may destroy it with an error of its own.
    if (failureOf(error) !== 'ours') this.#hungUp ??= error;
  };

  /** That it hangs up is said of both sides; that it does not speak HTTP, of the instance alone. */
  readonly #onRequestError = (error: NodeJS.ErrnoException): void => {
    if (error.code?.startsWith('HPE_') === true) this.#broke(error);
  };

  #broke(error: Error): void {
    this.#broken ??= error;
  }

  #end(): void {
    const { call } = this;
    const error = this.#broken ?? (this.#wasWornOut ? undefined : this.#hungUp);
    this.#socket?.off(anError, this.#onSocketError);
    this.#socket?.off('end', this.#onSocketEnd);
    if (this.#response?.complete === true) this.#answered(this.#response.statusCode ?? 0);
    else if (error === undefined) call[Symbol.dispose]();
    else call.failed(error);
  }

  #answered(status: number): void {
    if (status < 500) return this.call.succeeded();
    const context = { operation: nameOfInstance(this.call.instance) };
    this.call.failed(new ServiceStatusError(`it has answered ${status}`, context, status));
  }

  /** A connection that was kept may end just when it is used again: that says nothing of the instance. */
  get #wasWornOut(): boolean {
    return this.request.reusedSocket && this.#response === undefined;
  }
}
