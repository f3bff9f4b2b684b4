import { ClosedError, InvalidArgumentError, OperationTimeoutError, type WaitOptions } from 'zookit';
import { Announcer } from '../common/announcer.js';
import { checkNames } from '../common/options.js';
import { Wait } from '../common/waiting.js';
import type { ServiceProviderOptions } from './provider-options.js';
import { MissingDependenciesError, type MissingDependency } from './service-errors.js';
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
      return this.#follow(this.providers.of(name), provider?.filter);
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
   * Resolves when all dependencies were looked at, and all that are required are up. With `timeout: 0` it is decided at
   * the first look... 
   */
  async ready(options: WaitOptions = {}): Promise<this> {
    using wait = new Wait(options, { operation: 'ServiceDependencies.ready' });
    try {
      await this.#announcer.until(() => this.areUp && this.states.every(({ state }) => state !== 'unknown'), wait);
      return this;
    } catch (error) {
      if (error instanceof OperationTimeoutError && !this.areUp) throw this.#missingError(error);
      throw error;
    }
  }
}
