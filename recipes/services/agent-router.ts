import type { Agent, ClientRequest, ClientRequestArgs } from 'node:http';
import { isIP, type Socket } from 'node:net';
import { AbortedError, InvalidArgumentError, OperationTimeoutError } from 'zookit';
import { checkDelay, checkNames } from '../common/options.js';
import { endWithRequest } from './agent-call.js';
import { connected } from './agent-connection.js';
import { isError, reasonOf } from './call-failure.js';
import type { ServiceCall } from './service-call.js';
import { type FailedAttempt, NoInstanceError, ServiceCallError } from './service-errors.js';
import { InvalidServiceInstanceError, type ServiceInstance } from './service-instance.js';
import {
  type ProviderMaker,
  providersNames,
  providersOf,
  type ServiceProviders,
  type ServiceProvidersOptions,
} from './service-providers.js';
import { baseOf, nameOfInstance, serviceNameIn } from './service-url.js';
import { Turns } from './turns.js';
import { WaitingRequest } from './waiting-request.js';

/** To which instances an agent takes its requests. */
export interface AgentRouting extends ServiceProvidersOptions {
  /** How many instances are tried at most until one takes the connection. Default 3. */
  readonly attempts?: number | undefined;
  /** How long a connection may take, milliseconds; then another instance is tried. Default 5000. */
  readonly connectTimeout?: number | undefined;
  /**
   * For libraries that know only `http://`: the agent is one for that, and hosts that end so are services, as with
   * `.service` in `http://pricing.service/path`. All other hosts are what they are for `http.Agent`. Default: none, and the
   * agent is one for `service://`.
   */
  readonly suffix?: string | undefined;
}

/** What can be given with {@link AgentRouting}. */
export const routingNames = [
  ...providersNames,
  'attempts',
  'connectTimeout',
  'suffix',
] as const satisfies readonly (keyof AgentRouting)[];

const ATTEMPTS = 3;
const CONNECT_TIMEOUT = 5_000;

/** Where a request goes. */
type Target = ClientRequestArgs & { readonly servername?: string };

/** What a connection is made by. */
export type ConnectOptions = Target & { readonly noDelay: boolean };

/** What the router needs of its agent, whose pool of connections it uses. */
export interface RoutedAgent {
  readonly agent: Agent;
  /** What was given to the class of the agent. */
  readonly options: object;
  readonly secure: boolean;
  /** Begins a connection, as the class of the agent would. */
  connect(options: ConnectOptions): Socket;
  /** Gives the request a connection of the pool, or a new one: that which `createConnection` returns. */
  add(request: ClientRequest, options: ClientRequestArgs): void;
}

/** Takes the requests of an agent to instances of services. */
export class AgentRouter {
  readonly providers: ServiceProviders;
  readonly #areOurs: boolean;
  readonly #attempts: number;
  readonly #connectTimeout: number;
  readonly #suffix: string | undefined;
  readonly #turns = new Turns();
  /** A connection on its way into the pool. */
  #prepared: Socket | undefined;

  /** @throws InvalidArgumentError. */
  constructor(
    from: ProviderMaker | ServiceProviders,
    routing: AgentRouting,
    private readonly routed: RoutedAgent,
  ) {
    const { attempts = ATTEMPTS, connectTimeout = CONNECT_TIMEOUT, suffix } = routing;
    const subject = { operation: 'ServiceAgent' };
    checkNames(routing, routingNames, subject);
    if (!(Number.isInteger(attempts) && attempts > 0))
      throw new InvalidArgumentError(`attempts is ${attempts}; it must be a whole number above 0`, subject);
    checkDelay('connectTimeout', connectTimeout, subject);
    if (suffix !== undefined && !/^\..+/.test(suffix))
      throw new InvalidArgumentError(`suffix is ${JSON.stringify(suffix)}; it must be like ".service"`, subject);
    this.#attempts = attempts;
    this.#connectTimeout = connectTimeout;
    this.#suffix = suffix;
    const { providers, areOurs } = providersOf(from, routing, subject.operation);
    this.providers = providers;
    this.#areOurs = areOurs;
  }

  /** Gives the request a connection to an instance, if it is for a service. */
  addRequest(request: ClientRequest, options: ClientRequestArgs): void {
    const host = options.host ?? '';
    const suffix = this.#suffix;
    if (suffix !== undefined && !host.endsWith(suffix)) this.routed.add(request, options);
    else void this.#route(request, options, suffix === undefined ? host : host.slice(0, -suffix.length));
  }

  /** The connection that was made for the request that is just being added. */
  takePrepared(): Socket | undefined {
    const prepared = this.#prepared;
    this.#prepared = undefined;
    return prepared;
  }

  /** Closes the providers, unless they were given. */
  async close(): Promise<void> {
    if (this.#areOurs) await this.providers.close();
  }

  async #route(request: ClientRequest, options: ClientRequestArgs, host: string): Promise<void> {
    using waiting = new WaitingRequest(request);
    try {
      await this.#carry(request, options, serviceNameIn(host, 'ServiceAgent'), waiting.destroyed);
    } catch (error) {
      waiting.fail(isError(error) ? error : new Error(String(error)));
    }
  }

  /** Takes the request to the first instance that takes it. */
  async #carry(
    request: ClientRequest,
    options: ClientRequestArgs,
    service: string,
    signal: AbortSignal,
  ): Promise<void> {
    const failures: FailedAttempt[] = [];
    while (failures.length < this.#attempts) {
      const call = await this.#take(service, failures, signal);
      // There is no other one.
      if (failures.some(({ instance }) => instance.id === call.instance.id)) {
        call[Symbol.dispose]();
        break;
      }
      try {
        await this.#give(request, call, this.#targetOf(call.instance, options), signal);
        return;
      } catch (error) {
        if (signal.aborted || !isError(error)) {
          call[Symbol.dispose]();
          throw error;
        }
        call.failed(error);
        failures.push({ instance: call.instance, error });
      }
    }
    throw callError(service, failures);
  }

  async #take(service: string, failures: readonly FailedAttempt[], signal: AbortSignal): Promise<ServiceCall> {
    const exclude = new Set(failures.map(({ instance }) => instance.id));
    try {
      return await this.providers.take(service, { exclude, signal });
    } catch (error) {
      if (!(error instanceof OperationTimeoutError || error instanceof AbortedError)) throw error;
      if (failures.length > 0) throw callError(service, failures);
      throw new NoInstanceError('no instance to call', { operation: `ServiceAgent ${service}`, cause: error });
    }
  }

  /** Gives the request a connection to its target: a free one, a new one, or a place in the queue for one. */
  async #give(request: ClientRequest, call: ServiceCall, target: Target, signal: AbortSignal): Promise<void> {
    const { agent, options, secure } = this.routed;
    const name = agent.getName({ ...target, ...options });
    const isLimited = Number.isFinite(agent.maxTotalSockets) || Number.isFinite(agent.maxSockets);
    using _ = isLimited ? await this.#turns.take(Number.isFinite(agent.maxTotalSockets) ? '' : name) : undefined;
    let socket: Socket | undefined;
    if (this.#needsConnection(name)) {
      // The path of the request would be taken for that of a socket.
      const begun = this.routed.connect({ noDelay: true, ...target, ...options, path: null });
      socket = await connected(begun, secure ? 'secureConnect' : 'connect', this.#connectTimeout, signal);
    }
    endWithRequest(request, call);
    this.#prepared = socket;
    this.routed.add(request, target);
    // Meanwhile another one has come free.
    this.takePrepared()?.destroy();
  }

  #targetOf(instance: ServiceInstance, options: ClientRequestArgs): Target {
    const { protocol, hostname, port, pathname } = baseOf(instance, this.routed.secure);
    const { secure } = this.routed;
    if ((protocol === 'https:') !== secure)
      throw new InvalidServiceInstanceError(`${nameOfInstance(instance)} can be called over TLS alone`);
    // The head of the request may be written already.
    if (pathname !== '/')
      throw new InvalidServiceInstanceError(
        `${nameOfInstance(instance)} has a template with a path, which an agent cannot put before that of a request`,
      );
    const host = hostname.replace(/^\[|\]$/g, '');
    const target = { ...options, host, hostname: host, port: port === '' ? (secure ? 443 : 80) : Number(port) };
    return secure ? { ...target, servername: isIP(host) === 0 ? host : '' } : target;
  }

  /** Whether there is no free connection of this name, and room for a new one. */
  #needsConnection(name: string): boolean {
    const { sockets, freeSockets, maxSockets, maxTotalSockets } = this.routed.agent;
    const free = freeSockets[name] ?? [];
    if (free.some(({ destroyed }) => !destroyed)) return false;
    const all = [...Object.values(sockets), ...Object.values(freeSockets)];
    const total = all.reduce((sum, each) => sum + (each?.length ?? 0), 0);
    return (sockets[name]?.length ?? 0) + free.length < maxSockets && total < maxTotalSockets;
  }
}

function callError(service: string, failures: readonly FailedAttempt[]): ServiceCallError {
  const last = failures.at(-1);
  const said = last === undefined ? '' : ` to ${nameOfInstance(last.instance)}: ${reasonOf(last.error)}`;
  return new ServiceCallError(
    `no connection${said}`,
    { operation: `ServiceAgent ${service}`, cause: last?.error },
    failures,
  );
}
