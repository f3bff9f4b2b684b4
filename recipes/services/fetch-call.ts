import { AbortedError, OperationTimeoutError } from 'zookit';
import { after, defer, Wait } from '../common/waiting.js';
import { AbortLink } from './abort-link.js';
import { type CallFailure, failureOf, isError, reasonOf } from './call-failure.js';
import type { ServiceCall } from './service-call.js';
import { type FailedAttempt, NoInstanceError, ServiceCallError, ServiceStatusError } from './service-errors.js';
import { InvalidServiceInstanceError, type ServiceInstance } from './service-instance.js';
import type { ServiceProviders } from './service-providers.js';
import type { CallLimits, ServiceRequest } from './service-request.js';
import { followed, type ServiceResponse } from './service-response.js';
import { baseOf, nameOfInstance } from './service-url.js';

/** How calls are made. */
export interface FetchOptions extends CallLimits {
  /** Whether an answer is a failure of the instance that gave it. Default: a status of 500 or more. */
  readonly isFailure?: ((response: Response) => boolean) | undefined;
  /** The statuses after which an idempotent request is tried at another instance. Default `[502, 503, 504]`. */
  readonly retryStatuses?: readonly number[] | undefined;
  /** What sends the requests. Default: the `fetch` of the process. */
  readonly fetch?: typeof fetch | undefined;
}

/** How many instances are asked, and how long it takes, unless told otherwise. */
const ATTEMPTS = 3;
const TIMEOUT = 30_000;
const RETRY_STATUSES: readonly number[] = [502, 503, 504];

/** Before an instance is asked again, because there is no other, milliseconds: doubled each time, and less at random. */
const FIRST_PAUSE = 50;

/** One call, over all its attempts. */
export class FetchCall {
  readonly #failures: FailedAttempt[] = [];
  /** Ids of the instances that have failed. */
  readonly #tried = new Set<string>();
  readonly #attempts: number;
  readonly #timeout: number;
  readonly #attemptTimeout: number;

  constructor(
    private readonly request: ServiceRequest,
    private readonly providers: ServiceProviders,
    private readonly options: FetchOptions,
  ) {
    const { attempts, timeout, attemptTimeout } = request.limits;
    this.#attempts = attempts ?? options.attempts ?? ATTEMPTS;
    this.#timeout = timeout ?? options.timeout ?? TIMEOUT;
    this.#attemptTimeout = attemptTimeout ?? options.attemptTimeout ?? Infinity;
  }

  async run(): Promise<ServiceResponse> {
    const { signal, name } = this.request;
    using wait = new Wait(
      { timeout: this.#timeout === Infinity ? undefined : this.#timeout, signal },
      { operation: name },
    );
    try {
      for (;;) {
        const response = await this.#attempt(await this.#take(wait), wait);
        if (response !== undefined) return response;
      }
    } catch (error) {
      // As fetch has it.
      if (signal?.aborted === true) throw signal.reason;
      throw error;
    }
  }

  async #take(wait: Wait): Promise<ServiceCall> {
    try {
      const call = await this.#pick(wait);
      if (!this.#tried.has(call.instance.id)) return call;
      call[Symbol.dispose]();
      // There is no other one: it gets a little time, and somebody else may come meanwhile.
      await this.#pause(wait);
      return await this.#pick(wait);
    } catch (error) {
      if (!(error instanceof OperationTimeoutError || error instanceof AbortedError)) throw error;
      throw this.#failures.length > 0 ? this.#callError() : this.#noInstance(error);
    }
  }

  async #pick(wait: Wait): Promise<ServiceCall> {
    const { url, key } = this.request;
    const call = await this.providers.take(url.service, { key, exclude: this.#tried, signal: wait.signal });
    if (wait.isOver) call[Symbol.dispose]();
    wait.check();
    return call;
  }

  async #pause(wait: Wait): Promise<void> {
    const over = defer();
    const longest = FIRST_PAUSE * 2 ** (this.#failures.length - 1);
    const stop = after(longest * (0.5 + Math.random() / 2), () => over.resolve());
    try {
      await wait.race(over.promise);
    } finally {
      stop();
    }
  }

  /** What the instance has answered; undefined where another one is to be asked. */
  async #attempt(call: ServiceCall, wait: Wait): Promise<ServiceResponse | undefined> {
    const link = new AbortLink(this.request.signal);
    try {
      const response = await this.#send(call.instance, link, wait);
      return this.#answered(call, response, link);
    } catch (error) {
      link.abort(error);
      link[Symbol.dispose]();
      this.#failed(call, error, wait);
      return undefined;
    }
  }

  /** The head of the answer. */
  async #send(instance: ServiceInstance, link: AbortLink, wait: Wait): Promise<Response> {
    const base = baseOf(instance, this.request.url.secure);
    const tooLate = (limit: number): void =>
      link.abort(
        new OperationTimeoutError(`no answer within ${limit} ms`, { operation: nameOfInstance(instance) }, true),
      );
    const onWait = (): void => tooLate(this.#timeout);
    const limit = this.#attemptTimeout;
    const stop = limit === Infinity ? undefined : after(limit, () => tooLate(limit));
    wait.signal?.addEventListener('abort', onWait);
    try {
      return await this.request.send(this.options.fetch ?? globalThis.fetch, base, link.signal);
    } finally {
      stop?.();
      wait.signal?.removeEventListener('abort', onWait);
    }
  }

  #answered(call: ServiceCall, response: Response, link: AbortLink): ServiceResponse | undefined {
    const { status } = response;
    const { isFailure = isServerError, retryStatuses = RETRY_STATUSES } = this.options;
    const error = new ServiceStatusError(
      `it has answered ${status}`,
      { operation: nameOfInstance(call.instance) },
      status,
    );
    if (isFailure(response)) call.failed(error);
    if (retryStatuses.includes(status) && this.#mayRepeat('broken')) {
      link.abort(error);
      link[Symbol.dispose]();
      call[Symbol.dispose]();
      this.#note(call.instance, error);
      return undefined;
    }
    const origin = { instance: call.instance, attempts: this.#failures.length + 1 };
    return followed(response, origin, (end) => {
      link[Symbol.dispose]();
      if (end.type !== 'broken') call.succeeded();
      else if (failureOf(end.error) === 'broken') call.failed(end.error);
      else call[Symbol.dispose]();
    });
  }

  /** Throws, unless another instance is to be asked. */
  #failed(call: ServiceCall, error: unknown, wait: Wait): void {
    const kind = this.request.signal?.aborted === true ? 'ours' : kindOf(error);
    if (kind === 'ours' || !isError(error)) {
      call[Symbol.dispose]();
      throw error;
    }
    call.failed(error);
    const another = this.#mayRepeat(kind);
    this.#note(call.instance, error);
    if (wait.isOver) throw this.#tooLate(call.instance, error);
    if (!another) throw this.#callError();
  }

  #note(instance: ServiceInstance, error: Error): void {
    this.#failures.push({ instance, error });
    this.#tried.add(instance.id);
  }

  /** Whether the request can be sent once more after this attempt. */
  #mayRepeat(kind: CallFailure): boolean {
    const { repeatable, idempotent } = this.request;
    return repeatable && (idempotent || kind === 'unreached') && this.#failures.length + 1 < this.#attempts;
  }

  #tooLate(instance: ServiceInstance, cause: Error): OperationTimeoutError {
    return new OperationTimeoutError(
      `the ${this.#timeout} ms for an answer are over, the last one waited for was that of ${nameOfInstance(instance)}`,
      { operation: this.request.name, cause },
      true,
    );
  }

  #callError(): ServiceCallError {
    const last = this.#failures.at(-1);
    const count = this.#failures.length === 1 ? '' : `; it was attempt ${this.#failures.length}`;
    const said = last === undefined ? '' : `${nameOfInstance(last.instance)}: ${reasonOf(last.error)}`;
    return new ServiceCallError(
      `no answer from ${said}${count}`,
      { operation: this.request.name, cause: last?.error },
      this.#failures,
    );
  }

  #noInstance(cause: Error): NoInstanceError {
    const { instances, stale } = this.providers.of(this.request.url.service).list;
    const known = instances.length === 0 ? 'none is registered' : `of ${instances.length} none takes calls`;
    const context = { operation: this.request.name, cause };
    return new NoInstanceError(`no instance to call: ${known}${stale ? ', by a list that may be old' : ''}`, context);
  }
}

/** What an error says of the instance. */
function kindOf(error: unknown): CallFailure {
  if (error instanceof OperationTimeoutError) return 'broken';
  if (error instanceof InvalidServiceInstanceError) return 'unreached';
  return failureOf(error);
}

function isServerError({ status }: Response): boolean {
  return status >= 500;
}
