import { childPath, ClosedError, NoNodeError, type WaitOptions, type ZooKeeper } from 'zookit';
import { Following } from '../common/following.js';
import type { ServiceInstance } from './service-instance.js';
import { readInstance, type ServiceSerializer } from './service-serializer.js';
import { defer, type Deferred, Wait } from '../common/waiting.js';

/** How a {@link ServiceProvider} behaves. */
export type ServiceProviderOptions = Readonly<Record<never, never>>;

/** What a provider knows of a service. */
export interface ServiceList<Payload = unknown> {
  readonly instances: readonly ServiceInstance<Payload>[];
  /** Whether the list may be out of date: there is no connection, or a change is known and not read yet. */
  readonly stale: boolean;
}

/** A znode that was read, and the watch on it. */
interface Entry<Payload> {
  readonly instance: ServiceInstance<Payload> | undefined;
  readonly changed: () => void;
}

/**
 * The instances of a service, kept current by watches.
 *
 * - While connected: current. An empty list is what the server said.
 * - While disconnected, and until a new session has looked: the last list, marked `stale`.
 */
export class ServiceProvider<Payload = unknown> implements AsyncIterable<ServiceList<Payload>>, AsyncDisposable {
  readonly #following: Following;
  /** What was read, by the name of the znode. */
  readonly #entries = new Map<string, Entry<Payload>>();
  #instances: readonly ServiceInstance<Payload>[] = [];
  #loaded = false;
  #failure: Error | undefined;
  #change: Deferred<void> = defer();
  #turn = 0;

  /** Made by `registry.provider()`. Begins to look at once. */
  constructor(
    private readonly zk: ZooKeeper,
    readonly name: string,
    private readonly path: string,
    private readonly serializer: ServiceSerializer,
    _options: ServiceProviderOptions,
  ) {
    this.#following = new Following(zk, {
      look: (changed) => this.#look(changed),
      looked: () => this.#tell(),
      failed: (error) => this.#fail(error),
    });
    this.#following.start();
  }

  /** The instances known now, without asking the server. */
  get list(): ServiceList<Payload> {
    return { instances: this.#instances, stale: !this.#following.isCurrent };
  }

  /**
   * One of the instances that want to be called, each in turn. Waits while there is none.
   *
   * @throws OperationTimeoutError, AbortedError when the wait is ended; what made looking impossible, as NoAuthError or ClosedError.
   */
  async pick(options: WaitOptions = {}): Promise<ServiceInstance<Payload>> {
    using wait = new Wait(options, { operation: `ServiceProvider.pick ${this.name}`, path: this.path });
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure;
      const usable = this.#instances.filter(({ enabled }) => enabled);
      const picked = usable[this.#turn++ % usable.length];
      if (picked !== undefined) return picked;
      await wait.race(this.#change.promise);
    }
  }

  /** Resolves when the server was asked for the first time. Throws as {@link pick} does. */
  async ready(options: WaitOptions = {}): Promise<this> {
    using wait = new Wait(options, { operation: `ServiceProvider.ready ${this.name}`, path: this.path });
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#loaded) return this;
      await wait.race(this.#change.promise);
    }
  }

  /** The list now, and again whenever it has changed; lists that come too fast are passed over, the last one never. */
  async *[Symbol.asyncIterator](): AsyncGenerator<ServiceList<Payload>, void, undefined> {
    let told: ServiceList<Payload> | undefined;
    while (!this.#following.closing.aborted) {
      const { promise } = this.#change;
      const { list } = this;
      if (this.#loaded && !isSameList(list, told)) {
        told = list;
        yield list;
      }
      if (this.#failure !== undefined) throw this.#failure;
      await promise;
    }
  }

  /** Stops looking. Iterations end. */
  async close(): Promise<void> {
    const closed = this.#following.close();
    this.#fail(new ClosedError('the provider was closed', { operation: 'ServiceProvider', path: this.path }, false));
    await closed;
    this.zk.unwatch(this.path, this.#following.wake);
    for (const [name, { changed }] of this.#entries) this.zk.unwatch(childPath(this.path, name), changed);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #look(changed: () => void): Promise<void> {
    const names = await this.#children(changed);
    await Promise.all(names.map((name) => this.#read(name)));
    const entries = names.map((name) => this.#entries.get(name)).filter((each) => each !== undefined);
    this.#instances = entries.map(({ instance }) => instance).filter((each) => each !== undefined);
    this.#loaded = true;
  }

  async #children(changed: () => void): Promise<string[]> {
    const options = { watch: changed, signal: this.#following.closing };
    try {
      return (await this.zk.getChildren(this.path, options)).sort();
    } catch (error) {
      if (!(error instanceof NoNodeError)) throw error;
      // Nobody has registered yet. If somebody does right now, this look sees it, and the next one counts.
      if ((await this.zk.exists(this.path, options)) !== null) changed();
      return [];
    }
  }

  /** Reads an instance, unless it was read before and its watch has told nothing since. */
  async #read(name: string): Promise<void> {
    if (this.#entries.has(name)) return;
    const path = childPath(this.path, name);
    const changed = (): void => {
      this.#entries.delete(name);
      this.#following.wake();
    };
    try {
      const node = await this.zk.getData(path, { watch: changed, signal: this.#following.closing });
      this.#entries.set(name, { instance: readInstance<Payload>(this.serializer, node, path), changed });
    } catch (error) {
      if (!(error instanceof NoNodeError)) throw error;
    }
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#tell();
  }

  #tell(): void {
    const change = this.#change;
    this.#change = defer();
    change.resolve();
  }
}

function isSameList(a: ServiceList, b: ServiceList | undefined): boolean {
  return (
    a.stale === b?.stale &&
    a.instances.length === b.instances.length &&
    a.instances.every((instance, index) => instance === b.instances[index])
  );
}
