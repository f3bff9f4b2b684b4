import { randomUUID } from 'node:crypto';
import {
  checkPath,
  childPath,
  NoNodeError,
  OperationTimeoutError,
  type RequestLimits,
  type WaitOptions,
  type ZNode,
  type ZooKeeper,
} from 'zookit';
import { childrenOf } from '../common/children.js';
import { checkNames, type OptionSubject } from '../common/options.js';
import { sweepAfterWait } from '../common/sweeper.js';
import { Wait } from '../common/waiting.js';
import type { ConflictRule, PersistentNodeOptions } from '../members/persistent-node-options.js';
import { checkSerializer } from '../values/serializer.js';
import { type AddressChoice, checkAddressChoice, chosenAddress } from './own-address.js';
import type { ServiceProviderOptions } from './provider-options.js';
import { RegisteredService } from './registered-service.js';
import { type DependencySpec, ServiceDependencies } from './service-dependencies.js';
import { checkServicePart, type ServiceInstance } from './service-instance.js';
import { ServiceProvider } from './service-provider.js';
import { checkRegistration, instanceOf, modeOf, type ServiceRegistration } from './service-registration.js';
import { curatorSerializer, readInstance, type ServiceSerializer } from './service-serializer.js';
import type { RegisteredTask } from './registered-task.js';
import { registerTask, type TaskRegistration } from './swarm-task.js';

/** Where the services stand unless told otherwise. */
const BASE_PATH = '/services';

/** How a {@link ServiceRegistry} behaves. */
export interface ServiceRegistryOptions {
  /** The znode below which all services stand. Default `/services`. */
  readonly basePath?: string | undefined;
  /** How instances stand in their znodes. Default: `curatorSerializer()`, the JSON of Curator's discovery. */
  readonly serializer?: ServiceSerializer | undefined;
  /** Where others reach the instances of this process, unless a registration says it. */
  readonly address?: AddressChoice | undefined;
}

/**
 * Registers services and finds them. Paths and JSON are those of Curator's discovery, so that Java services are found
 * and find ours: `BASE/<name>/<id>`.
 */
export class ServiceRegistry {
  readonly basePath: string;
  readonly #serializer: ServiceSerializer;
  readonly #address: AddressChoice | undefined;

  /** @throws InvalidPathError, InvalidArgumentError. Does not connect. */
  constructor(
    private readonly zk: ZooKeeper,
    options: ServiceRegistryOptions = {},
  ) {
    const { basePath = BASE_PATH, serializer = curatorSerializer(), address } = options;
    const subject = { operation: 'ServiceRegistry', path: basePath };
    checkNames(options, ['basePath', 'serializer', 'address'], subject);
    checkPath(basePath, 'ServiceRegistry');
    checkSerializer(serializer, subject);
    checkAddressChoice(address, subject);
    this.basePath = basePath;
    this.#serializer = serializer;
    this.#address = address;
  }

  /**
   * Registers an instance and keeps it registered, over lost connections and new sessions, until it is unregistered or
   * the client is closed. Resolves when others can find it; with a health check that is when that has passed.
   *
   * @throws InvalidArgumentError, InvalidPathError; OperationTimeoutError, AbortedError, and then it is not registered;
   * NoAuthError; OwnedByOtherError by the rule of `onConflict`.
   */
  async register<Payload = unknown>(
    service: ServiceRegistration<Payload>,
    options: WaitOptions = {},
  ): Promise<RegisteredService<Payload>> {
    checkRegistration(service, { operation: 'ServiceRegistry.register', path: this.basePath });
    const { name, id = randomUUID() } = service;
    const path = childPath(this.#pathOf(name), id);
    const subject = { operation: 'ServiceRegistry.register', path };
    checkPath(path, subject.operation);
    using wait = new Wait(options, subject);
    const address = await wait.race(chosenAddress(service.address ?? this.#address, subject));
    const instance = instanceOf({ ...service, id }, address, subject);
    const node = this.#nodeOptions(service, instance, path);
    const spec = { path, serializer: this.#serializer, node, health: service.health };
    const registered = new RegisteredService(this.zk, spec, instance);
    try {
      await registered.published({ signal: wait.signal });
    } catch (error) {
      const unhealthy = registered.health?.state.error;
      await sweepAfterWait(this.zk, wait, path, registered.unregister());
      const isTimeOver = wait.isOver && options.signal?.aborted !== true;
      if (isTimeOver && unhealthy !== undefined) throw neverHealthy(unhealthy, options, subject);
      // Says it in the words of this wait.
      wait.check();
      throw error;
    }
    return registered;
  }

  /**
   * Registers this process as the task of a Docker Swarm that it is, at the address that its callers share with it, and ends
   * it in order at SIGTERM: callers are told, the drain time passes, it is unregistered, and the process ends. Resolves when
   * others can find it.
   *
   * @throws NotASwarmTaskError; TaskAddressError; AbortedError, if the process is told to end before it is registered; and
   * as {@link register}.
   */
  async registerTask<Payload = unknown>(
    task: TaskRegistration<Payload> = {},
    options: WaitOptions = {},
  ): Promise<RegisteredTask<Payload>> {
    const subject = { operation: 'ServiceRegistry.registerTask', path: this.basePath };
    return registerTask(this.zk, (service, wait) => this.register(service, wait), task, options, subject);
  }

  /** The names of all services, also of those without instances at the moment. */
  async names(limits: RequestLimits = {}): Promise<string[]> {
    return (await childrenOf(this.zk, this.basePath, limits)).sort();
  }

  /** An instance of a service now, read from the server; undefined where there is none that can be read. */
  async instance<Payload = unknown>(
    name: string,
    id: string,
    limits: RequestLimits = {},
  ): Promise<ServiceInstance<Payload> | undefined> {
    checkServicePart(id, 'id');
    const path = childPath(this.#pathOf(name), id);
    try {
      return readInstance<Payload>(this.#serializer, await this.zk.getData(path, limits), path);
    } catch (error) {
      if (error instanceof NoNodeError) return undefined;
      throw error;
    }
  }

  /** The instances of a service now, read from the server. Those that are no instances are left out. */
  async instances<Payload = unknown>(name: string, limits: RequestLimits = {}): Promise<ServiceInstance<Payload>[]> {
    const path = this.#pathOf(name);
    try {
      const nodes = [...(await this.zk.getChildrenData(path, limits))];
      return nodes
        .map(([id, node]) => readInstance<Payload>(this.#serializer, node, childPath(path, id)))
        .filter((instance) => instance !== undefined);
    } catch (error) {
      if (error instanceof NoNodeError) return [];
      throw error;
    }
  }

  /**
   * A list of the instances of a service that is kept current, to pick from without asking the server. Close it. Each call
   * makes another one: have one for each service that you call. @throws InvalidArgumentError.
   */
  provider<Payload = unknown>(name: string, options: ServiceProviderOptions<Payload> = {}): ServiceProvider<Payload> {
    return new ServiceProvider<Payload>(this.zk, name, this.#pathOf(name), this.#serializer, options);
  }

  /**
   * The services that this process needs: waits until they are there, and tells when one comes or goes. Close it.
   * @throws InvalidArgumentError.
   */
  dependencies(specs: readonly DependencySpec[]): ServiceDependencies {
    return new ServiceDependencies(this, specs);
  }

  #nodeOptions(
    { onConflict, margin, loseOn }: ServiceRegistration,
    instance: ServiceInstance,
    path: string,
  ): PersistentNodeOptions {
    const isSame = (other: ServiceInstance | undefined): boolean =>
      other?.name === instance.name && other.id === instance.id;
    const ruleFor = onConflict ?? ((other): ConflictRule => (isSame(other) ? 'replace' : 'fail'));
    const rule =
      typeof ruleFor === 'function'
        ? (node: ZNode): ConflictRule => ruleFor(readInstance(this.#serializer, node, path))
        : ruleFor;
    return { mode: modeOf(instance), onConflict: rule, margin, loseOn };
  }

  #pathOf(name: string): string {
    checkServicePart(name, 'name');
    return childPath(this.basePath, name);
  }
}

function neverHealthy(cause: Error, { timeout = 0 }: WaitOptions, subject: OptionSubject): OperationTimeoutError {
  const problem = `the health check has not passed within ${timeout} ms: ${cause.message}`;
  return new OperationTimeoutError(problem, { ...subject, cause }, false);
}
