import { randomUUID } from 'node:crypto';
import { networkInterfaces } from 'node:os';
import { checkPath, childPath, type LeaseOptions, NoNodeError, type WaitOptions, type ZooKeeper } from 'zookit';
import { checkNames, leaseNames } from '../common/options.js';
import { PersistentNode } from '../members/persistent-node.js';
import {
  checkServicePart,
  checkServicePort,
  decodeInstance,
  encodeInstance,
  InvalidServiceInstanceError,
  type ServiceInstance,
} from './service-instance.js';
import { ServiceProvider } from './service-provider.js';
import { sweepAfterWait } from '../common/sweeper.js';
import { timeOfDay, Wait } from '../common/waiting.js';

/** Where the services stand unless told otherwise. */
const BASE_PATH = '/services';

/** How a {@link ServiceRegistry} behaves. */
export interface ServiceRegistryOptions {
  /** The znode below which all services stand. Default `/services`. */
  readonly basePath?: string | undefined;
}

/** What is registered. */
export interface ServiceRegistration<Payload = unknown> extends LeaseOptions {
  readonly name: string;
  /** Default: a new UUID. Who registers with the id of another one takes its place, and ends its registration. */
  readonly id?: string | undefined;
  /** Default: the first address of this host that is neither internal nor link-local, IPv4 first. */
  readonly address?: string | undefined;
  readonly port?: number | undefined;
  readonly sslPort?: number | undefined;
  /** Anything that JSON can hold. For Java readers: null, a string, or an object with the `@class` that they expect. */
  readonly payload?: Payload | undefined;
  readonly uriSpec?: ServiceInstance['uriSpec'] | undefined;
  /** Default `true`. */
  readonly enabled?: boolean | undefined;
}

/** What can be given with a registration, beside the options of a lease. */
const registrationNames = [
  'name',
  'id',
  'address',
  'port',
  'sslPort',
  'payload',
  'uriSpec',
  'enabled',
] as const satisfies readonly (keyof ServiceRegistration)[];

/** What of a registered instance can change. */
export type ServiceUpdate<Payload> = Partial<
  Pick<ServiceInstance<Payload>, 'address' | 'port' | 'sslPort' | 'payload' | 'enabled' | 'uriSpec'>
>;

/**
 * Registers services and finds them. Paths and JSON are those of Curator's discovery, so that Java services are found
 * and find ours: `BASE/<name>/<id>`, ephemeral.
 */
export class ServiceRegistry {
  readonly basePath: string;

  /** @throws InvalidPathError. Does not connect. */
  constructor(
    private readonly zk: ZooKeeper,
    options: ServiceRegistryOptions = {},
  ) {
    checkNames(options, ['basePath'], { operation: 'ServiceRegistry', path: options.basePath ?? BASE_PATH });
    this.basePath = options.basePath ?? BASE_PATH;
    checkPath(this.basePath, 'ServiceRegistry');
  }

  /**
   * Registers an instance and keeps it registered, over lost connections and new sessions, until it is unregistered or
   * the client is closed. Resolves when others can find it.
   *
   * @throws InvalidArgumentError; OperationTimeoutError, AbortedError, and then it is not registered; NoAuthError.
   */
  async register<Payload = unknown>(
    service: ServiceRegistration<Payload>,
    options: WaitOptions = {},
  ): Promise<RegisteredService<Payload>> {
    const instance = instanceOf(service);
    const path = childPath(this.#pathOf(instance.name), instance.id);
    const subject = { operation: 'ServiceRegistry.register', path };
    checkNames(service, [...leaseNames, ...registrationNames], subject);
    using wait = new Wait(options, subject);
    const node = new PersistentNode(this.zk, path, encodeInstance(instance), {
      margin: service.margin,
      loseOn: service.loseOn,
    }).start();
    try {
      await wait.race(node.published());
    } catch (error) {
      await sweepAfterWait(this.zk, wait, path, node.close());
      throw error;
    }
    return new RegisteredService(node, instance);
  }

  /** The names of all services, also of those without instances at the moment. */
  async names(): Promise<string[]> {
    return (await this.#children(this.basePath)).sort();
  }

  /** The instances of a service now, read from the server. Those that are no instances are left out. */
  async instances<Payload = unknown>(name: string): Promise<ServiceInstance<Payload>[]> {
    const path = this.#pathOf(name);
    const instances: ServiceInstance<Payload>[] = [];
    try {
      for (const [id, node] of await this.zk.getChildrenData(path)) {
        try {
          instances.push(decodeInstance<Payload>(node.text(), childPath(path, id)));
        } catch (error) {
          if (!(error instanceof InvalidServiceInstanceError)) throw error;
        }
      }
    } catch (error) {
      if (!(error instanceof NoNodeError)) throw error;
    }
    return instances;
  }

  /** A list of the instances of a service that is kept current, to pick from without asking the server. Close it. */
  provider<Payload = unknown>(name: string): ServiceProvider<Payload> {
    return new ServiceProvider<Payload>(this.zk, name, this.#pathOf(name));
  }

  #pathOf(name: string): string {
    checkServicePart(name, 'name');
    return childPath(this.basePath, name);
  }

  async #children(path: string): Promise<string[]> {
    try {
      return await this.zk.getChildren(path);
    } catch (error) {
      if (error instanceof NoNodeError) return [];
      throw error;
    }
  }
}

/** An instance that is registered by this process. */
export class RegisteredService<Payload = unknown> implements AsyncDisposable {
  #instance: ServiceInstance<Payload>;

  /** Made by `registry.register()`. */
  constructor(
    private readonly node: PersistentNode,
    instance: ServiceInstance<Payload>,
  ) {
    this.#instance = instance;
  }

  /** What is registered. */
  get instance(): ServiceInstance<Payload> {
    return this.#instance;
  }

  /**
   * Whether it is certainly registered now. After an expiry it comes true again with the new session; not, if another
   * process has registered with the same id.
   */
  get held(): boolean {
    return this.node.held;
  }

  /** Aborts when the registration of now may be gone. A new one after the next registration. */
  get signal(): AbortSignal {
    return this.node.signal;
  }

  /**
   * Changes what others see, in place. While disconnected it is published after the reconnect, also when the wait is
   * ended. @throws InvalidArgumentError, OperationTimeoutError, AbortedError; ClosedError after `unregister()`;
   * OwnedByOtherError.
   */
  async update(change: ServiceUpdate<Payload>, wait: WaitOptions = {}): Promise<void> {
    const given = Object.entries(change).filter(([, value]) => value !== undefined);
    const instance = { ...this.#instance, ...(Object.fromEntries(given) as ServiceUpdate<Payload>) };
    checkServicePort(instance.port, 'port');
    checkServicePort(instance.sslPort, 'sslPort');
    const data = encodeInstance(instance);
    this.#instance = instance;
    await this.node.setData(data, wait);
  }

  /** Takes it off the list. Resolves when nobody can find it any more, or its session is over. */
  async unregister(): Promise<void> {
    await this.node.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.unregister();
  }
}

function instanceOf<Payload>(service: ServiceRegistration<Payload>): ServiceInstance<Payload> {
  const { name, id = randomUUID(), address = ownAddress(), port = null, sslPort = null } = service;
  checkServicePart(name, 'name');
  checkServicePart(id, 'id');
  checkServicePort(port, 'port');
  checkServicePort(sslPort, 'sslPort');
  return {
    name,
    id,
    address,
    port,
    sslPort,
    payload: service.payload ?? null,
    registrationTimeUTC: timeOfDay(),
    serviceType: 'DYNAMIC',
    uriSpec: service.uriSpec ?? null,
    enabled: service.enabled ?? true,
  };
}

/** Where others reach this host, as far as it can know. */
function ownAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  const usable = addresses.filter(
    ({ internal, address }) => !internal && !address.startsWith('fe80:') && !address.startsWith('169.254.'),
  );
  return (usable.find(({ family }) => family === 'IPv4') ?? usable[0])?.address ?? '127.0.0.1';
}
