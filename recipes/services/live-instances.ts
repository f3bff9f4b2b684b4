import { ClosedError, nameOf, ZooKeeperError, type ZooKeeper } from 'zookit';
import type { CachedZNode } from '../caches/cached-znode.js';
import type { CacheChange } from '../caches/changes.js';
import { ZNodeCache } from '../caches/znode-cache.js';
import { Announcer } from '../common/announcer.js';
import { now } from '../common/waiting.js';
import type { CandidatePool } from './candidate-pool.js';
import { InvalidServiceInstanceError, type ServiceInstance } from './service-instance.js';
import { changeOf, type KeyedList, orderOf, type ServiceList, type ServiceListChange } from './service-list.js';
import type { ServiceSerializer } from './service-serializer.js';

/** For how long an iteration waits, at most, until changes that are being read are complete, milliseconds. */
const LONGEST_GATHERING = 200;

/** Which instances are followed. */
export interface InstancesSpec<Payload> {
  /** The znode below which they stand. */
  readonly path: string;
  readonly serializer: ServiceSerializer;
  readonly filter: ((instance: ServiceInstance<Payload>) => boolean) | undefined;
  /** Told of what is passed over. */
  readonly onInvalid: (error: ZooKeeperError) => void;
}

/** A ChildrenCache that keeps the instances alone: their data would be as much memory again. */
class InstanceCache<Payload> extends ZNodeCache<ServiceInstance<Payload>> {
  constructor(zk: ZooKeeper, { path, serializer }: InstancesSpec<Payload>) {
    const decode = ({ data }: { readonly data: Buffer }, at: string): ServiceInstance<Payload> =>
      serializer.deserialize(data, at) as ServiceInstance<Payload>;
    super(
      zk,
      path,
      { decode },
      { name: 'ServiceProvider', optionNames: ['decode'], withRoot: false, keepsData: false, fixed: { depth: 1 } },
    );
  }
}

/** Keeps a pool in line with what is registered, and tells of its lists. */
export class LiveInstances<Payload> extends Announcer {
  readonly #cache: InstanceCache<Payload>;
  #isLoaded = false;
  #hasChanged = true;
  #keyed: KeyedList<Payload> | undefined;
  /** What iterations were told last. */
  #told: KeyedList<Payload> | undefined;
  /** Since when changes are being read that were not told. */
  #movingSince = 0;

  /** Begins to look at once. */
  constructor(
    private readonly zk: ZooKeeper,
    private readonly spec: InstancesSpec<Payload>,
    private readonly pool: CandidatePool<Payload>,
  ) {
    super();
    this.#cache = new InstanceCache(zk, spec);
    this.#cache.on('change', (change) => this.#onChange(change));
    this.#cache.on('stale', (isStale) => {
      if (isStale) this.#movingSince = now();
      this.tell();
    });
    this.#cache.on('failed', (error) => this.fail(error));
    this.#cache.start();
  }

  /** Whether the first list is complete. */
  get isLoaded(): boolean {
    return this.#isLoaded;
  }

  /** What is known now. The same object as long as nothing has changed. */
  get list(): ServiceList<Payload> {
    return this.#look().list;
  }

  /** The list now, and again whenever it has changed, with the differences. */
  async *changes(): AsyncGenerator<ServiceListChange<Payload>, void, undefined> {
    let before: KeyedList<Payload> | undefined;
    for await (const after of this.each(() => this.#settled())) {
      yield changeOf(before, after);
      before = after;
    }
  }

  /** Stops looking. */
  async close(): Promise<void> {
    const closed = this.#cache.close();
    const subject = { operation: 'ServiceProvider', path: this.spec.path };
    this.end(new ClosedError('the provider was closed', subject, false));
    await closed;
  }

  #onChange(change: CacheChange<ServiceInstance<Payload>>): void {
    if (change.type === 'added' || change.type === 'changed') this.#put(change.path, change.znode);
    else if (change.type === 'removed') this.#remove(change.path);
    else if (change.type === 'unreadable') this.#pass(change.path, change.error);
    else if (change.type === 'ready') this.#isLoaded = true;
    if (this.#isLoaded) this.tell();
  }

  #put(path: string, { value, invalid }: CachedZNode<ServiceInstance<Payload>>): void {
    if (invalid !== undefined) {
      this.#pass(path, invalid.cause);
      this.#remove(path);
      return;
    }
    this.pool.put(nameOf(path), value, value.enabled && this.#isWanted(value, path), this.#isLoaded);
    this.#hasChanged = true;
  }

  #remove(path: string): void {
    if (this.pool.remove(nameOf(path))) this.#hasChanged = true;
  }

  #isWanted(instance: ServiceInstance<Payload>, path: string): boolean {
    try {
      return this.spec.filter?.(instance) !== false;
    } catch (error) {
      this.#pass(path, error);
      return false;
    }
  }

  /** Passes over a znode, and tells why. */
  #pass(path: string, cause: unknown): void {
    const error =
      cause instanceof ZooKeeperError
        ? cause
        : new InvalidServiceInstanceError(cause instanceof Error ? cause.message : 'it cannot be read', {
            operation: 'ServiceProvider',
            path,
            cause,
          });
    this.spec.onInvalid(error);
  }

  #look(): KeyedList<Payload> {
    const stale = !this.#isLoaded || this.#cache.stale;
    const last = this.#keyed;
    if (last !== undefined && !this.#hasChanged && last.list.stale === stale) return last;
    const staleSince = stale ? this.#cache.staleSince : undefined;
    if (!this.#isLoaded) return { list: { instances: [], stale, staleSince }, keys: [] };
    this.#keyed = this.#listed(this.#hasChanged ? undefined : last, stale, staleSince);
    this.#hasChanged = false;
    return this.#keyed;
  }

  /** A list of the same instances as `last`, or of what is known now. */
  #listed(last: KeyedList<Payload> | undefined, stale: boolean, staleSince: number | undefined): KeyedList<Payload> {
    if (last !== undefined) return { list: { ...last.list, stale, staleSince }, keys: last.keys };
    const sorted = [...this.pool].sort((one, other) => orderOf(one.key, other.key));
    const instances = sorted.map(({ instance }) => instance);
    return { list: { instances, stale, staleSince }, keys: sorted.map(({ key }) => key) };
  }

  /** What iterations tell: not what is about to change again, unless that takes long. */
  #settled(): KeyedList<Payload> | undefined {
    if (!this.#isLoaded) return undefined;
    const isReading = this.#cache.stale && this.zk.state === 'connected';
    const mayWait = !this.#hasChanged || now() - this.#movingSince < LONGEST_GATHERING;
    if (isReading && mayWait) return this.#told;
    if (isReading) this.#movingSince = now();
    this.#told = this.#look();
    return this.#told;
  }
}
