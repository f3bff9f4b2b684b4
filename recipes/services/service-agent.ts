import { Agent, type AgentOptions, type ClientRequest, type ClientRequestArgs } from 'node:http';
import { Agent as SecureAgent, type AgentOptions as SecureAgentOptions, type RequestOptions } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { AgentRouter, type AgentRouting } from './agent-router.js';
import type { ProviderMaker, ServiceProviders } from './service-providers.js';

/** How a {@link ServiceAgent} behaves. */
export interface ServiceAgentOptions extends AgentRouting {
  /** What `http.Agent` takes. Default: `{ keepAlive: true }`. */
  readonly agent?: AgentOptions | undefined;
}

/** How a {@link SecureServiceAgent} behaves. */
export interface SecureServiceAgentOptions extends AgentRouting {
  /**
   * What `https.Agent` takes, as `ca`, `cert` and `key`. Default: `{ keepAlive: true }`. The certificate of an instance is
   * checked against its address, or against `servername`, if that is given here.
   */
  readonly agent?: SecureAgentOptions | undefined;
}

type Callback = (error: Error | null, stream: Duplex) => void;

/** How a request asks its agent for a connection: Node's agents have it, and its types do not. */
type AddRequest = (this: Agent, request: ClientRequest, options: ClientRequestArgs) => void;
const { addRequest } = Agent.prototype as unknown as { readonly addRequest: AddRequest };

/**
 * An agent for `http.request('service://pricing/path', { agent })`: each request goes to an instance of its own choice,
 * over a connection that is kept for the next one. When a connection cannot be made, another instance is tried; what
 * comes after that is for the caller to repeat. How each request ends, the provider is told.
 *
 * With `suffix`, it is one for libraries that know only `http://`.
 *
 * Requests get as their error: NoInstanceError, where nobody takes calls; ServiceCallError, where no instance takes the
 * connection; what made looking for instances impossible, as NoAuthError; ClosedError.
 */
export class ServiceAgent extends Agent implements AsyncDisposable {
  /** What addresses begin with that this agent is for. */
  readonly protocol: string;
  readonly #router: AgentRouter;

  /**
   * @param from a registry, or the providers of another caller, to share what is known of the instances
   * @throws InvalidArgumentError. Does not connect.
   */
  constructor(from: ProviderMaker | ServiceProviders, options: ServiceAgentOptions = {}) {
    const { agent, ...routing } = options;
    const given = { keepAlive: true, ...agent };
    super(given);
    this.protocol = routing.suffix === undefined ? 'service:' : 'http:';
    this.#router = new AgentRouter(from, routing, {
      agent: this,
      options: given,
      secure: false,
      connect: (target) => super.createConnection(target) as Socket,
      add: (request, target) => addRequest.call(this, request, target),
    });
  }

  /** The providers by which the instances are chosen. */
  get providers(): ServiceProviders {
    return this.#router.providers;
  }

  /** Called by Node for each request. @internal */
  addRequest(request: ClientRequest, options: ClientRequestArgs): void {
    this.#router.addRequest(request, options);
  }

  /** Called by Node. @internal */
  override createConnection(options: ClientRequestArgs, callback?: Callback): Duplex | null | undefined {
    return this.#router.takePrepared() ?? super.createConnection(options, callback);
  }

  /** Ends all connections, those in use, too, and closes the providers, unless they were given. */
  async close(): Promise<void> {
    this.destroy();
    await this.#router.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** As {@link ServiceAgent}, over TLS: for `https.request('services://pricing/path', { agent })`. */
export class SecureServiceAgent extends SecureAgent implements AsyncDisposable {
  /** What addresses begin with that this agent is for. */
  readonly protocol: string;
  readonly #router: AgentRouter;

  /**
   * @param from a registry, or the providers of another caller, to share what is known of the instances
   * @throws InvalidArgumentError. Does not connect.
   */
  constructor(from: ProviderMaker | ServiceProviders, options: SecureServiceAgentOptions = {}) {
    const { agent, ...routing } = options;
    const given = { keepAlive: true, ...agent };
    super(given);
    this.protocol = routing.suffix === undefined ? 'services:' : 'https:';
    this.#router = new AgentRouter(from, routing, {
      agent: this,
      options: given,
      secure: true,
      connect: (target) => super.createConnection(target) as Socket,
      add: (request, target) => addRequest.call(this, request, target),
    });
  }

  /** The providers by which the instances are chosen. */
  get providers(): ServiceProviders {
    return this.#router.providers;
  }

  /** Called by Node for each request. @internal */
  addRequest(request: ClientRequest, options: ClientRequestArgs): void {
    this.#router.addRequest(request, options);
  }

  /** Called by Node. @internal */
  override createConnection(options: RequestOptions, callback?: Callback): Duplex | null | undefined {
    return this.#router.takePrepared() ?? super.createConnection(options, callback);
  }

  /** Ends all connections, those in use, too, and closes the providers, unless they were given. */
  async close(): Promise<void> {
    this.destroy();
    await this.#router.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
