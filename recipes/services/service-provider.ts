import {
  ClosedError,
  InvalidArgumentError,
  nameOf,
  OperationTimeoutError,
  type WaitOptions,
  type ZooKeeper,
  ZooKeeperError,
} from 'zookit';
import type { CachedZNode } from '../caches/cached-znode.js';
import type { CacheChange } from '../caches/changes.js';
import { ChildrenCache } from '../caches/children-cache.js';
import { Announcer } from '../common/announcer.js';
import type { OptionSubject } from '../common/options.js';
import { now, Wait } from '../common/waiting.js';
import { Candidate } from './candidate.js';
import { CandidatePool } from './candidate-pool.js';
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
import { InvalidServiceInstanceError, type ServiceInstance } from './service-instance.js';
import { changeOf, type KnownInstances, type ServiceList, type ServiceListChange } from './service-list.js';
import type { ServiceSerializer } from './service-serializer.js';
import type { ServiceStrategy } from './service-strategy.js';
import { strategies, type Strategy } from './strategies.js';

/** For how long an iteration waits, at most, until changes that are being read are complete, milliseconds. */
const LONGEST_GATHERING = 200;

/** A list, and what it was made of. */
interface Snapshot<Payload> {
  readonly list: ServiceList<Payload>;
  readonly known: KnownInstances<Payload>;
}

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
  readonly #cache: ChildrenCache<ServiceInstance<Payload>>;
  readonly #announcer = new Announcer();
  readonly #pool: CandidatePool<Payload>;
  readonly #strategy: Strategy | ServiceStrategy<Payload>;
  readonly #timeout: number | undefined;
  /** For the errors of picks. */
  readonly #picking: OptionSubject;
  /** By the path of the znode. */
  readonly #instances = new Map<string, ServiceInstance<Payload>>();
  #isLoaded = false;
  #hasChanged = true;
  #snapshot: Snapshot<Payload> | undefined;
  #told: Snapshot<Payload> | undefined;
  /** Since when changes are being read. */
  #movingSince = 0;

  /** Made by `registry.provider()`. Begins to look at once. @throws InvalidArgumentError. */
  constructor(
    private readonly zk: ZooKeeper,
    readonly name: string,
    /** The znode below which its instances stand. */
    readonly path: string,
    serializer: ServiceSerializer,
    private readonly options: ServiceProviderOptions<Payload>,
  ) {
    checkProviderOptions(options, { operation: `ServiceRegistry.provider ${name}`, path });
    this.#picking = { operation: `ServiceProvider.pick ${name}`, path };
    const { strategy = 'roundRobin', zone, setAside, slowStart = 0, timeout = DEFAULT_TIMEOUT } = options;
    this.#strategy = typeof strategy === 'string' ? new strategies[strategy]() : strategy;
    this.#timeout = timeout === Infinity ? undefined : timeout;
    this.#pool = new CandidatePool<Payload>({
      zone: zoneOf(zone),
      setAside: setAsideOf(setAside),
      slowStart,
      changed: (all) => this.#strategy.changed?.(all),
      wasSetAside: (instance, error) => this.#report(options.onSetAside, instance, error),
    });
    this.#cache = new ChildrenCache<ServiceInstance<Payload>>(zk, path, {
      decode: (node, at) => instanceOf<Payload>(serializer, node.data, at),
    });
    this.#cache.on('change', (change) => this.#onChange(change));
    this.#cache.on('stale', (isStale) => {
      if (isStale) this.#movingSince = now();
      this.#announcer.tell();
    });
    this.#cache.on('failed', (error) => this.#announcer.fail(error));
    this.#cache.start();
  }

  /** The instances known now, without asking the server. None, and stale, before the first look: see {@link ready}. */
  get list(): ServiceList<Payload> {
    return this.#look().list;
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
  tryPick(options: Omit<PickOptions, keyof WaitOptions> = {}): ServiceInstance<Payload> | undefined {
    checkPickOptions(options, this.#picking);
    this.#announcer.check();
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
    await this.#announcer.until(() => this.#isLoaded, wait);
    return this;
  }

  /** The list now, and again whenever it has changed, with the differences. Throws what made looking impossible. */
  async *[Symbol.asyncIterator](): AsyncGenerator<ServiceListChange<Payload>, void, undefined> {
    let before: KnownInstances<Payload> = new Map<string, ServiceInstance<Payload>>();
    for await (const { list, known } of this.#announcer.each(() => this.#settled())) {
      yield changeOf(before, known, list);
      before = known;
    }
  }

  /** Stops looking. Iterations end, and whoever waits gets ClosedError. Calls that were taken can still be ended. */
  async close(): Promise<void> {
    const closed = this.#cache.close();
    this.#announcer.end(
      new ClosedError('the provider was closed', { operation: 'ServiceProvider', path: this.path }, false),
    );
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #pick(options: PickOptions = {}): Promise<Candidate<Payload>> {
    checkPickOptions(options, this.#picking);
    this.#announcer.check();
    const chosen = options.signal?.aborted === true ? undefined : this.#choose(options);
    return chosen ?? (await this.#awaitOne(options));
  }

  /** Chooses from what is known. */
  #choose(options: Pick<PickOptions, 'key' | 'exclude'>): Candidate<Payload> | undefined {
    // A part of the first list would send all callers to those that were read first.
    if (!this.#isLoaded) return undefined;
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
        this.#announcer.check();
        const chosen = this.#choose(options);
        if (chosen !== undefined) return chosen;
        await wait.race(this.#announcer.changed);
      }
    } catch (error) {
      if (!(error instanceof OperationTimeoutError && wait.isOver)) throw error;
      throw new OperationTimeoutError(`no instance within ${timeout} ms: ${this.#whyNone()}`, this.#picking, false);
    }
  }

  #whyNone(): string {
    if (!this.#isLoaded) return 'the server was not asked yet';
    const known = this.#instances.size;
    return known === 0 ? 'none is registered' : `${known} are registered, and none is enabled and taken by the filter`;
  }

  #onChange(change: CacheChange<ServiceInstance<Payload>>): void {
    if (change.type === 'added' || change.type === 'changed') this.#put(change.path, change.znode);
    else if (change.type === 'removed') this.#remove(change.path);
    else if (change.type === 'unreadable') this.#reportInvalid(change.error);
    else if (change.type === 'ready') this.#isLoaded = true;
    if (this.#isLoaded) this.#announcer.tell();
  }

  #put(path: string, { value, invalid }: CachedZNode<ServiceInstance<Payload>>): void {
    if (invalid !== undefined) {
      this.#reportInvalid(invalid.cause);
      this.#remove(path);
      return;
    }
    this.#instances.set(path, value);
    this.#hasChanged = true;
    this.#pool.put(nameOf(path), value, value.enabled && this.#passes(value, path), this.#isLoaded);
  }

  #remove(path: string): void {
    if (!this.#instances.delete(path)) return;
    this.#hasChanged = true;
    this.#pool.remove(nameOf(path));
  }

  #passes(instance: ServiceInstance<Payload>, path: string): boolean {
    try {
      return this.options.filter?.(instance) !== false;
    } catch (cause) {
      this.#reportInvalid(
        new InvalidServiceInstanceError('the filter threw', { operation: 'ServiceProvider', path, cause }),
      );
      return false;
    }
  }

  #reportInvalid(problem: unknown): void {
    const error =
      problem instanceof ZooKeeperError
        ? problem
        : new InvalidServiceInstanceError('the data of an instance cannot be read', {
            operation: 'ServiceProvider',
            path: this.path,
            cause: problem,
          });
    this.#report(this.options.onInvalid, error);
  }

  /** On a turn of its own: what a hook throws is its own affair. */
  #report<Args extends unknown[]>(hook: ((...args: Args) => void) | undefined, ...args: Args): void {
    if (hook !== undefined) queueMicrotask(() => hook(...args));
  }

  /** What is known now. The same object as long as nothing has changed. */
  #look(): Snapshot<Payload> {
    const stale = !this.#isLoaded || this.#cache.stale;
    let snapshot = this.#snapshot;
    if (snapshot !== undefined && !this.#hasChanged && snapshot.list.stale === stale) return snapshot;
    const known = snapshot === undefined || this.#hasChanged ? this.#inOrder() : snapshot.known;
    const instances = snapshot?.known === known ? snapshot.list.instances : [...known.values()];
    snapshot = { list: { instances, stale, staleSince: stale ? this.#cache.staleSince : undefined }, known };
    if (!this.#isLoaded) return snapshot;
    this.#hasChanged = false;
    this.#snapshot = snapshot;
    return snapshot;
  }

  /** The instances by path, in the order of their names. */
  #inOrder(): KnownInstances<Payload> {
    if (!this.#isLoaded) return new Map<string, ServiceInstance<Payload>>();
    return new Map([...this.#instances].sort(([one], [other]) => (one < other ? -1 : 1)));
  }

  /** What iterations tell: not what is about to change again, unless that takes long. */
  #settled(): Snapshot<Payload> | undefined {
    if (!this.#isLoaded) return undefined;
    const isGathering =
      this.#cache.stale && this.zk.state === 'connected' && now() - this.#movingSince < LONGEST_GATHERING;
    if (!isGathering) this.#told = this.#look();
    return this.#told;
  }
}

/** The instance in a znode, whose name it is known by where the data have no id. */
function instanceOf<Payload>(serializer: ServiceSerializer, data: Buffer, path: string): ServiceInstance<Payload> {
  const instance = serializer.deserialize(data, path) as ServiceInstance<Payload>;
  return instance.id === '' ? { ...instance, id: nameOf(path) } : instance;
}
