import { childPath, NoNodeError, type WaitOptions, type ZooKeeper } from 'zookit';
import { Following } from './following.js';
import { decodeInstance, InvalidServiceInstanceError, type ServiceInstance } from './service-instance.js';
import { defer, type Deferred, Wait } from './waiting.js';

/** What a provider knows of a service. */
export interface ServiceList<Payload = unknown> {
  readonly instances: readonly ServiceInstance<Payload>[];
  /** Whether the list may be out of date, because there is no connection. */
  readonly stale: boolean;
}

/**
 * The instances of a service, kept current by watches.
 *
 * - While connected: current. An empty list is what the server said.
 * - While disconnected, and until a new session has looked: the last list, marked `stale`.
 */
export class ServiceProvider<Payload = unknown> implements AsyncIterable<ServiceList<Payload>>, AsyncDisposable {
  readonly #following: Following;
  /** By the name of the znode; undefined for those whose data is no instance. */
  #known = new Map<string, ServiceInstance<Payload> | undefined>();
  /** The watches on instances, by the same name. */
  readonly #watches = new Map<string, () => void>();
  #loaded = false;
  #current = false;
  #failure: Error | undefined;
  #change: Deferred<void> = defer();
  #turn = 0;
  readonly #onSession = (): void => this.#sessionChanged();

  /** Made by `registry.provider()`. Begins to look at once. */
  constructor(
    private readonly zk: ZooKeeper,
    readonly name: string,
    private readonly path: string,
  ) {
    this.#following = new Following(
      zk,
      (changed) => this.#look(changed),
      (error) => {
        this.#failure = error;
        this.#tell();
      },
    );
    zk.on('session', this.#onSession);
    this.#following.start();
  }

  /** The instances known now, without asking the server. */
  get list(): ServiceList<Payload> {
    const instances = [...this.#known.values()].filter((each) => each !== undefined);
    return { instances, stale: !this.#current || this.zk.state !== 'connected' };
  }

  /**
   * One of the instances that want to be called, each in turn. Waits while there is none.
   *
   * @throws OperationTimeoutError, AbortedError when the wait is ended; what made looking impossible, as NoAuthError or ClosedError.
   */
  async pick(options: WaitOptions = {}): Promise<ServiceInstance<Payload>> {
    using wait = new Wait(options, { operation: `ServiceProvider.pick ${this.name}`, path: this.path });
    for (;;) {
      const usable = this.list.instances.filter(({ enabled }) => enabled);
      const picked = usable[this.#turn++ % usable.length];
      if (picked !== undefined) return picked;
      if (this.#failure !== undefined) throw this.#failure;
      await wait.race(this.#change.promise);
    }
  }

  /** Resolves when the server was asked for the first time. Throws as {@link pick} does. */
  async ready(options: WaitOptions = {}): Promise<this> {
    using wait = new Wait(options, { operation: `ServiceProvider.ready ${this.name}`, path: this.path });
    while (!this.#loaded) {
      if (this.#failure !== undefined) throw this.#failure;
      await wait.race(this.#change.promise);
    }
    return this;
  }

  /** The list now, and again whenever it has changed; lists that come too fast are passed over, the last one never. */
  async *[Symbol.asyncIterator](): AsyncGenerator<ServiceList<Payload>, void, undefined> {
    while (!this.#following.closing.aborted) {
      const { promise } = this.#change;
      if (this.#loaded) yield this.list;
      if (this.#failure !== undefined) throw this.#failure;
      await promise;
    }
  }

  /** Stops looking. Iterations end. */
  async close(): Promise<void> {
    this.zk.off('session', this.#onSession);
    const closed = this.#following.close();
    this.#tell();
    await closed;
    this.zk.unwatch(this.path, this.#following.wake);
    for (const [name, watch] of this.#watches) this.zk.unwatch(childPath(this.path, name), watch);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #look(changed: () => void): Promise<void> {
    const names = await this.#children(changed);
    const known = new Map(names.map((name) => [name, this.#known.get(name)]));
    await Promise.all(names.filter((name) => !this.#watches.has(name)).map((name) => this.#read(name, known)));
    this.#known = known;
    this.#loaded = true;
    this.#current = true;
    this.#tell();
  }

  async #children(changed: () => void): Promise<string[]> {
    try {
      return await this.zk.getChildren(this.path, { watch: changed });
    } catch (error) {
      if (!(error instanceof NoNodeError)) throw error;
      // Nobody has registered yet. If somebody does right now, this look sees it, and the next one counts.
      if ((await this.zk.exists(this.path, { watch: changed })) !== null) changed();
      return [];
    }
  }

  /** Reads an instance that is new, has changed, or is watched no longer. */
  async #read(name: string, known: Map<string, ServiceInstance<Payload> | undefined>): Promise<void> {
    const path = childPath(this.path, name);
    const watch = (): void => {
      this.#watches.delete(name);
      this.#following.wake();
    };
    this.#watches.set(name, watch);
    try {
      const node = await this.zk.getData(path, { watch });
      known.set(name, decodeInstance<Payload>(node.text(), path));
    } catch (error) {
      // What is no instance is remembered as such, so that it is not read again and again.
      known.set(name, undefined);
      if (error instanceof InvalidServiceInstanceError) return;
      this.#watches.delete(name);
      if (!(error instanceof NoNodeError)) throw error;
    }
  }

  /** In a new session all is read again, since its watches have ended; until then the old list stands. */
  #sessionChanged(): void {
    if (this.zk.state !== 'connected') this.#current = false;
    this.#tell();
  }

  #tell(): void {
    const change = this.#change;
    this.#change = defer();
    change.resolve();
  }
}
