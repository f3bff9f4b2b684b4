import { randomUUID } from 'node:crypto';
import { networkInterfaces } from 'node:os';
import { checkPath, childPath, type LeaseOptions, NoNodeError, type WaitOptions, type ZooKeeper } from 'zookit';
import { checkNames, leaseNames } from '../common/options.js';
import { PersistentNode } from '../members/persistent-node.js';
import { RegisteredService } from './registered-service.js';
import { checkServicePart, checkServicePort, checkServiceWeight, type ServiceInstance } from './service-instance.js';
import type { ServiceProviderOptions } from './provider-options.js';
import { ServiceProvider } from './service-provider.js';
import { curatorSerializer, readInstance, type ServiceSerializer } from './service-serializer.js';
import { sweepAfterWait } from '../common/sweeper.js';
import { timeOfDay, Wait } from '../common/waiting.js';

/** Where the services stand unless told otherwise. */
const BASE_PATH = '/services';

/** How a {@link ServiceRegistry} behaves. */
export interface ServiceRegistryOptions {
  /** The znode below which all services stand. Default `/services`. */
  readonly basePath?: string | undefined;
  /** How instances stand in their znodes. Default: the JSON of Curator's discovery. */
  readonly serializer?: ServiceSerializer | undefined;
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
  /** How much of the calls it wants beside the others, more than 0. Default: null, which counts as 1. */
  readonly weight?: number | undefined;
  /** Where it runs, for callers who prefer what is near. */
  readonly zone?: string | undefined;
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
  'weight',
  'zone',
] as const satisfies readonly (keyof ServiceRegistration)[];

/**
 * Registers services and finds them. Paths and JSON are those of Curator's discovery, so that Java services are found
 * and find ours: `BASE/<name>/<id>`, ephemeral.
 */
export class ServiceRegistry {
  readonly basePath: string;
  readonly #serializer: ServiceSerializer;

  /** @throws InvalidPathError, InvalidArgumentError. Does not connect. */
  constructor(
    private readonly zk: ZooKeeper,
    options: ServiceRegistryOptions = {},
  ) {
    checkNames(options, ['basePath', 'serializer'], { operation: 'ServiceRegistry', path: options.basePath ?? BASE_PATH });
    this.basePath = options.basePath ?? BASE_PATH;
    checkPath(this.basePath, 'ServiceRegistry');
    this.#serializer = options.serializer ?? curatorSerializer;
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
    const node = new PersistentNode(this.zk, path, this.#serializer.serialize(instance), {
      margin: service.margin,
      loseOn: service.loseOn,
    }).start();
    try {
      await wait.race(node.published());
    } catch (error) {
      await sweepAfterWait(this.zk, wait, path, node.close());
      throw error;
    }
    return new RegisteredService(node, instance, this.#serializer);
  }

  /** The names of all services, also of those without instances at the moment. */
  async names(): Promise<string[]> {
    return (await this.#children(this.basePath)).sort();
  }

  /** An instance of a service now, read from the server; undefined where there is none that can be read. */
  async instance<Payload = unknown>(name: string, id: string): Promise<ServiceInstance<Payload> | undefined> {
    checkServicePart(id, 'id');
    const path = childPath(this.#pathOf(name), id);
    try {
      return readInstance<Payload>(this.#serializer, await this.zk.getData(path), path);
    } catch (error) {
      if (error instanceof NoNodeError) return undefined;
      throw error;
    }
  }

  /** The instances of a service now, read from the server. Those that are no instances are left out. */
  async instances<Payload = unknown>(name: string): Promise<ServiceInstance<Payload>[]> {
    const path = this.#pathOf(name);
    const instances: ServiceInstance<Payload>[] = [];
    try {
      for (const [id, node] of await this.zk.getChildrenData(path)) {
        const instance = readInstance<Payload>(this.#serializer, node, childPath(path, id));
        if (instance !== undefined) instances.push(instance);
      }
    } catch (error) {
      if (!(error instanceof NoNodeError)) throw error;
    }
    return instances;
  }

  /**
   * A list of the instances of a service that is kept current, to pick from without asking the server. Close it. Each call
   * makes another one: have one for each service that you call. @throws InvalidArgumentError.
   */
  provider<Payload = unknown>(
    name: string,
    options: ServiceProviderOptions<Payload> = {},
  ): ServiceProvider<Payload> {
    return new ServiceProvider<Payload>(this.zk, name, this.#pathOf(name), this.#serializer, options);
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

function instanceOf<Payload>(service: ServiceRegistration<Payload>): ServiceInstance<Payload> {
  const { name, id = randomUUID(), address = ownAddress(), port = null, sslPort = null, weight = null } = service;
  checkServicePart(name, 'name');
  checkServicePart(id, 'id');
  checkServicePort(port, 'port');
  checkServicePort(sslPort, 'sslPort');
  checkServiceWeight(weight);
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
    weight,
    zone: service.zone ?? null,
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
