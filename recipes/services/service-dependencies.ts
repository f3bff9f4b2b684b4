import { ClosedError, InvalidArgumentError, OperationTimeoutError, type WaitOptions } from 'zookit';
import { Announcer } from '../common/announcer.js';
import { checkNames } from '../common/options.js';
import { Wait } from '../common/waiting.js';
import type { ServiceProviderOptions } from './provider-options.js';
import { MissingDependenciesError, type MissingDependency } from './service-errors.js';
import type { ServiceInstance } from './service-instance.js';
import type { ServiceList } from './service-list.js';
import type { ServiceProvider } from './service-provider.js';
import { type ProviderMaker, ServiceProviders } from './service-providers.js';

/** A service that this process needs. */
export interface DependencySpec {
  readonly name: string;
  /** Whether the process cannot do without it: `ready()` waits for it. Default `true`. */
  readonly required?: boolean | undefined;
  /** How many instances that may be called there have to be. Default 1. */
  readonly atLeast?: number | undefined;
  /** How its instances are chosen: what its `filter` refuses does not count. */
  readonly provider?: ServiceProviderOptions | undefined;
}

/** How a dependency is. Never changed: after a change there is another one. */
export interface Dependency {
  readonly name: string;
  readonly required: boolean;
  readonly atLeast: number;
  /** `up`: there are as many instances as there have to be. `unknown`: the server has not been asked yet. */
  readonly state: 'unknown' | 'up' | 'down';
  /** How many instances may be called. */
  readonly instances: number;
  /** Whether that may be out of date: then it stays as it was last. */
  readonly stale: boolean;
}

/** A dependency has come, or gone. */
export interface DependencyChange {
  readonly type: 'up' | 'down';
  readonly dependency: Dependency;
}

type Listener = (dependency: Dependency) => void;

const OPERATION = 'ServiceRegistry.dependencies';

/**
 * The services that this process needs, and whether they are there: `up` with as many instances as there have to be,
 * `down` with fewer. Made by `registry.dependencies()`, which begins to look at once.
 *
 * - While connected: as the lists of instances are.
 * - While disconnected, and until a new session has looked: as it was, and `stale`. That ZooKeeper is silent says nothing
 *   of the services.
 *
 * Iterate it for the changes, in the beginning with what is known by then; states that come too fast are passed over, the
 * last one never.
 */
export class ServiceDependencies implements AsyncIterable<DependencyChange>, AsyncDisposable {
  /** The providers of the dependencies, and of what else is asked of them: to call by, as with `serviceFetch()`. */
  readonly providers: ServiceProviders;
  readonly #dependencies = new Map<string, Dependency>();
  readonly #announcer = new Announcer();
  readonly #listeners = { up: new Set<Listener>(), down: new Set<Listener>() };
  readonly #following: Promise<unknown>;

  /** Use `registry.dependencies()`. @throws InvalidArgumentError. */
  constructor(registry: ProviderMaker, specs: readonly DependencySpec[]) {
    const byName = new Map(specs.map((spec) => [checkSpec(spec).name, spec]));
    if (byName.size < specs.length)
      throw new InvalidArgumentError('a dependency is declared twice', { operation: OPERATION });
    this.providers = new ServiceProviders(registry, { provider: (service) => byName.get(service)?.provider ?? {} });
    const followed = specs.map(({ name, required = true, atLeast = 1, provider }) => {
      this.#dependencies.set(name, { name, required, atLeast, state: 'unknown', instances: 0, stale: true });
      return this.#follow(this.providers.of(name), provider?.filter ?? (() => true));
    });
    this.#following = Promise.all(followed);
  }

  /** How each of them is, in the order in which they were declared. */
  get states(): readonly Dependency[] {
    return [...this.#dependencies.values()];
  }

  /** Whether all that are required are up, as far as is known. */
  get areUp(): boolean {
    return this.#missing().length === 0;
  }

  /**
   * Resolves when all dependencies were looked at, and all that are required are up.
   *
   * @throws MissingDependenciesError, which names all that are missing, when the time is over; AbortedError; what made
   * looking impossible, as NoAuthError; ClosedError.
   */
  async ready(options: WaitOptions = {}): Promise<this> {
    using wait = new Wait(options, { operation: 'ServiceDependencies.ready' });
    try {
      await this.#announcer.until(() => this.areUp && !this.states.some(({ state }) => state === 'unknown'), wait);
      return this;
    } catch (error) {
      if (error instanceof OperationTimeoutError && !this.areUp) throw this.#missingError(error);
      throw error;
    }
  }

  /** Calls `listener` whenever a dependency has come up or gone down, also at the first look. One that throws disturbs no other. */
  on(event: DependencyChange['type'], listener: Listener): this {
    this.#listeners[event].add(listener);
    return this;
  }

  /** Takes a listener off. */
  off(event: DependencyChange['type'], listener: Listener): this {
    this.#listeners[event].delete(listener);
    return this;
  }

  /** Throws what made looking impossible, as NoAuthError; ends when it is closed. */
  async *[Symbol.asyncIterator](): AsyncGenerator<DependencyChange, void, undefined> {
    const told = new Map<string, Dependency['state']>();
    for await (const states of this.#announcer.each(() => this.states, isSame)) {
      for (const dependency of states) {
        const { name, state } = dependency;
        if (state === 'unknown' || told.get(name) === state) continue;
        told.set(name, state);
        yield { type: state, dependency };
      }
    }
  }

  /** Stops looking, and closes the providers. Iterations end; who waits gets ClosedError. Never rejects. */
  async close(): Promise<void> {
    this.#announcer.end(new ClosedError('the dependencies were closed', { operation: OPERATION }, false));
    await this.providers.close();
    await this.#following;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #follow(provider: ServiceProvider, filter: (instance: ServiceInstance) => boolean): Promise<void> {
    try {
      for await (const list of provider) this.#take(provider.name, list, filter);
    } catch (error) {
      this.#announcer.fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #take(name: string, { instances, stale }: ServiceList, filter: (instance: ServiceInstance) => boolean): void {
    const before = this.#dependencies.get(name);
    if (before === undefined) return;
    const count = instances.filter((instance) => instance.enabled && mayBeCalled(instance, filter)).length;
    const counted: Dependency = { ...before, instances: count, stale, state: count < before.atLeast ? 'down' : 'up' };
    // An old list shows who was there, and not who has gone.
    const now = stale ? { ...before, stale } : counted;
    this.#dependencies.set(name, now);
    this.#announcer.tell();
    if (now.state !== before.state && now.state !== 'unknown') this.#call(now.state, now);
  }

  #call(event: DependencyChange['type'], dependency: Dependency): void {
    for (const listener of this.#listeners[event]) {
      try {
        listener(dependency);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  #missing(): MissingDependency[] {
    return this.states
      .filter(({ required, state }) => required && state !== 'up')
      .map(({ name, atLeast, instances }) => ({ name, atLeast, instances }));
  }

  #missingError(cause: Error): MissingDependenciesError {
    const missing = this.#missing();
    const said = missing.map(({ name, atLeast, instances }) => `${name} (${instances} of ${atLeast})`).join(', ');
    const context = { operation: 'ServiceDependencies.ready', cause };
    return new MissingDependenciesError(`what is required is not there: ${said}`, context, missing);
  }
}

/** As a provider has it: one on which the filter throws is not called. */
function mayBeCalled(instance: ServiceInstance, filter: (instance: ServiceInstance) => boolean): boolean {
  try {
    return filter(instance);
  } catch {
    return false;
  }
}

function isSame(one: readonly Dependency[], other: readonly Dependency[]): boolean {
  return one.every(({ state }, index) => state === other[index]?.state);
}

function checkSpec(spec: DependencySpec): DependencySpec {
  const fail = (problem: string): never => {
    throw new InvalidArgumentError(problem, { operation: OPERATION });
  };
  checkNames(spec, ['name', 'required', 'atLeast', 'provider'], { operation: OPERATION });
  const { name, required, atLeast } = spec;
  if (typeof name !== 'string' || name === '') fail(`the name of a dependency is ${JSON.stringify(name)}`);
  if (required !== undefined && typeof required !== 'boolean')
    fail(`required is ${String(required)} for ${name}; it must be true or false`);
  if (atLeast !== undefined && !(Number.isInteger(atLeast) && atLeast > 0))
    fail(`atLeast is ${atLeast} for ${name}; it must be a whole number above 0`);
  return spec;
}
