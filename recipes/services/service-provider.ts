import {
  InvalidArgumentError,
  OperationTimeoutError,
  type WaitOptions,
  type ZooKeeper,
  type ZooKeeperError,
} from 'zookit';
import type { OptionSubject } from '../common/options.js';
import { Wait } from '../common/waiting.js';
import { Candidate } from './candidate.js';
import { CandidatePool } from './candidate-pool.js';
import { LiveInstances } from './live-instances.js';
import {
  checkPickOptions,
  checkProviderOptions,
  DEFAULT_TIMEOUT,
  type PickOptions,
  type ServiceProviderOptions,
  setAsideOf,
  zoneOf,
} from './provider-options.js';
import { ServiceCall } from './service-call.js';
import type { ServiceInstance } from './service-instance.js';
import type { ServiceList, ServiceListChange } from './service-list.js';
import type { ServiceSerializer } from './service-serializer.js';
import type { ServiceStrategy } from './service-strategy.js';
import { strategies, type Strategy } from './strategies.js';

/** One for all: picks are made for each call. */
const NO_OPTIONS: PickOptions = {};

/**
 * The instances of a service, kept current by watches, to choose from without asking the server.
 *
 * - While connected: current. An empty list is what the server said.
 * - While disconnected, and until a new session has looked: the last list, marked `stale`; calls go on by it.
 *
 * Iterate it for the list now and for each later one, with what has changed; lists that come too fast are passed over, the
 * last one never.
 */
export class ServiceProvider<Payload = unknown> implements AsyncIterable<ServiceListChange<Payload>>, AsyncDisposable {
  readonly #live: LiveInstances<Payload>;
  readonly #pool: CandidatePool<Payload>;
  readonly #strategy: Strategy | ServiceStrategy<Payload>;
  readonly #timeout: number | undefined;
  /** For the errors of picks. */
  readonly #picking: OptionSubject;

  /** Made by `registry.provider()`. Begins to look at once. @throws InvalidArgumentError. */
  constructor(
    zk: ZooKeeper,
    readonly name: string,
    /** The znode below which its instances stand. */
    readonly path: string,
    serializer: ServiceSerializer,
    options: ServiceProviderOptions<Payload>,
  ) {
    checkProviderOptions(options, { operation: `ServiceRegistry.provider ${name}`, path });
    const { strategy = 'roundRobin', timeout = DEFAULT_TIMEOUT, filter, onInvalid, onSetAside } = options;
    this.#picking = { operation: `ServiceProvider.pick ${name}`, path };
    this.#strategy = typeof strategy === 'string' ? new strategies[strategy]() : strategy;
    this.#timeout = timeout === Infinity ? undefined : timeout;
    this.#pool = new CandidatePool<Payload>({
      zone: zoneOf(options.zone),
      setAside: setAsideOf(options.setAside),
      slowStart: options.slowStart ?? 0,
      changed: (all) => this.#strategy.changed?.(all),
      wasSetAside: (instance, error) => tell(onSetAside, instance, error),
    });
    const spec = { path, serializer, filter, onInvalid: (error: ZooKeeperError) => tell(onInvalid, error) };
    this.#live = new LiveInstances(zk, spec, this.#pool);
  }

  /** The instances known now, without asking the server. None, and stale, before the first look: see {@link ready}. */
  get list(): ServiceList<Payload> {
    return this.#live.list;
  }

  /** The instances that are set aside at the moment, because calls have failed there. */
  get setAside(): readonly ServiceInstance<Payload>[] {
    return this.#pool.setAside.map(({ instance }) => instance);
  }

  /**
   * One of the instances that may be called, by the strategy, from the list as it is known: no round trip. Waits while there
   * is none. What becomes of the call is for you to tell: {@link noteSuccess}, {@link noteFailure}. Better: {@link use}.
   *
   * @throws OperationTimeoutError, AbortedError when the wait is ended; what made looking impossible, as NoAuthError;
   * ClosedError; InvalidArgumentError, also where the strategy needs a key; what a strategy of yours throws.
   */
  async pick(options?: PickOptions): Promise<ServiceInstance<Payload>> {
    return (await this.#pick(options)).instance;
  }

  /** As {@link pick}, but at once: undefined where there is none. Throws as {@link pick} does. */
  tryPick(options: Omit<PickOptions, keyof WaitOptions> = NO_OPTIONS): ServiceInstance<Payload> | undefined {
    checkPickOptions(options, this.#picking);
    this.#live.check();
    return this.#choose(options)?.instance;
  }

  /** As {@link pick}: for a call that counts as outstanding until it is ended. End it in any case: `using call = ...`. */
  async take(options?: PickOptions): Promise<ServiceCall<Payload>> {
    const candidate = await this.#pick(options);
    candidate.outstanding++;
    return new ServiceCall(candidate.instance, candidate);
  }

  /**
   * Takes an instance, runs `work` with it, and tells how that went: a rejection counts as a failure of the instance, unless
   * the signal of the options is aborted by then, or `work` has ended the call itself. Throws what `work` throws, and as
   * {@link pick} does.
   */
  async use<Result>(
    work: (instance: ServiceInstance<Payload>, call: ServiceCall<Payload>) => Result | Promise<Result>,
    options?: PickOptions,
  ): Promise<Result> {
    using call = await this.take(options);
    try {
      const result = await work(call.instance, call);
      call.succeeded();
      return result;
    } catch (error) {
      if (options?.signal?.aborted !== true) call.failed(error);
      throw error;
    }
  }

  /** A call of an instance that was picked has failed: after some of them it is set aside for a while. */
  noteFailure(instance: ServiceInstance<Payload>, error?: unknown): void {
    const candidate = this.#pool.of(instance);
    if (candidate !== undefined) this.#pool.failed(candidate, error);
  }

  /** A call of an instance that was picked went well: its failures are forgotten. */
  noteSuccess(instance: ServiceInstance<Payload>): void {
    const candidate = this.#pool.of(instance);
    if (candidate !== undefined) this.#pool.succeeded(candidate);
  }

  /**
   * Resolves when the server was asked for the first time. Waits as long as that takes, unless told otherwise.
   *
   * @throws OperationTimeoutError, AbortedError when the wait is ended; what made looking impossible, as NoAuthError;
   * ClosedError.
   */
  async ready(options: WaitOptions = {}): Promise<this> {
    using wait = new Wait(options, { operation: `ServiceProvider.ready ${this.name}`, path: this.path });
    await this.#live.until(() => this.#live.isLoaded, wait);
    return this;
  }

  /** The list now, and again whenever it has changed, with the differences. Throws what made looking impossible. */
  [Symbol.asyncIterator](): AsyncGenerator<ServiceListChange<Payload>, void, undefined> {
    return this.#live.changes();
  }

  /** Stops looking. Iterations end, and whoever waits gets ClosedError. Calls that were taken can still be ended. */
  async close(): Promise<void> {
    await this.#live.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #pick(options: PickOptions = NO_OPTIONS): Promise<Candidate<Payload>> {
    checkPickOptions(options, this.#picking);
    this.#live.check();
    const chosen = options.signal?.aborted === true ? undefined : this.#choose(options);
    return chosen ?? (await this.#awaitOne(options));
  }

  /** Chooses from what is known. */
  #choose(options: Pick<PickOptions, 'key' | 'exclude'>): Candidate<Payload> | undefined {
    // A part of the first list would send all callers to those that were read first.
    if (!this.#live.isLoaded) return undefined;
    const { exclude } = options;
    const candidates =
      exclude === undefined || exclude.size === 0 ? this.#pool.candidates : this.#pool.without(exclude);
    if (candidates.length === 0) return undefined;
    const chosen = this.#strategy.pick(candidates, options);
    if (chosen === undefined) return undefined;
    if (!(chosen instanceof Candidate))
      throw new InvalidArgumentError('the strategy has picked what is none of the candidates', this.#picking);
    this.#pool.chose(chosen as Candidate<Payload>);
    return chosen as Candidate<Payload>;
  }

  async #awaitOne(options: PickOptions): Promise<Candidate<Payload>> {
    const { timeout = this.#timeout, signal } = options;
    using wait = new Wait({ timeout, signal }, this.#picking);
    try {
      for (;;) {
        wait.check();
        this.#live.check();
        const chosen = this.#choose(options);
        if (chosen !== undefined) return chosen;
        await wait.race(this.#live.changed);
      }
    } catch (error) {
      if (!(error instanceof OperationTimeoutError && wait.isOver)) throw error;
      throw new OperationTimeoutError(`no instance within ${timeout} ms: ${this.#whyNone()}`, this.#picking, false);
    }
  }

  #whyNone(): string {
    if (!this.#live.isLoaded) return 'the server was not asked yet';
    const { size } = this.#pool;
    return size === 0 ? 'none is registered' : `${size} are registered, and none is enabled and taken by the filter`;
  }
}

/** Calls a hook on a turn of its own: what it throws is its own affair. */
function tell<Args extends unknown[]>(hook: ((...args: Args) => void) | undefined, ...args: Args): void {
  if (hook !== undefined) queueMicrotask(() => hook(...args));
}
