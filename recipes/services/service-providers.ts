import { AbortedError, ClosedError, InvalidArgumentError, OperationTimeoutError } from 'zookit';
import { checkNames } from '../common/options.js';
import type { PickOptions, ServiceProviderOptions } from './provider-options.js';
import type { ServiceCall } from './service-call.js';
import type { ServiceProvider } from './service-provider.js';

const subject = { operation: 'ServiceProviders' };

/** Who makes providers: a `ServiceRegistry`. */
export interface ProviderMaker {
  provider(name: string, options?: ServiceProviderOptions): ServiceProvider;
}

/** How the providers of several services are made. */
export interface ServiceProvidersOptions {
  /**
   * The options of each provider, or a function from the name of a service to those of its provider. A strategy of your
   * own needs the function, because one strategy serves one provider.
   */
  readonly provider?: ServiceProviderOptions | ((service: string) => ServiceProviderOptions) | undefined;
}

/** What can be given to whoever makes {@link ServiceProviders}. */
export const providersNames = ['provider'] as const satisfies readonly (keyof ServiceProvidersOptions)[];

/**
 * The providers of all services that are called: each is made at the first call of its service, and shared by all who
 * call, so that what one of them learns of an instance holds for the others.
 */
export class ServiceProviders implements AsyncDisposable {
  readonly #providers = new Map<string, ServiceProvider>();
  readonly #closing = new Set<Promise<void>>();
  #isClosed = false;

  /** @throws InvalidArgumentError. Does not connect. */
  constructor(
    private readonly registry: ProviderMaker,
    private readonly options: ServiceProvidersOptions = {},
  ) {
    checkNames(options, providersNames, subject);
    const { provider } = options;
    if (provider === undefined || typeof provider === 'function') return;
    if (typeof provider.strategy === 'object')
      throw new InvalidArgumentError(
        'a strategy of your own serves one provider: let the option "provider" be a function that makes one for each',
        subject,
      );
  }

  /** The provider of a service. @throws InvalidArgumentError for what is no name; ClosedError. */
  of(name: string): ServiceProvider {
    if (this.#isClosed)
      throw new ClosedError('the providers were closed', { operation: `ServiceProviders.of ${name}` }, false);
    const known = this.#providers.get(name);
    if (known !== undefined) return known;
    const { provider } = this.options;
    const made = this.registry.provider(name, typeof provider === 'function' ? provider(name) : provider);
    this.#providers.set(name, made);
    return made;
  }

  /** As `take()` of the provider. One that has failed, as without the permission to read, is made anew for the next call. */
  async take(name: string, options: PickOptions): Promise<ServiceCall> {
    const provider = this.of(name);
    try {
      return await provider.take(options);
    } catch (error) {
      if (!isOfTheCaller(error) && this.#providers.get(name) === provider) {
        this.#providers.delete(name);
        this.#close(provider);
      }
      throw error;
    }
  }

  /** Closes all of them. Who waits for an instance is told by a ClosedError. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const provider of this.#providers.values()) this.#close(provider);
    this.#providers.clear();
    await Promise.all(this.#closing);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #close(provider: ServiceProvider): void {
    const closed = provider.close().finally(() => this.#closing.delete(closed));
    this.#closing.add(closed);
  }
}

/** Whether it says nothing of the provider. */
function isOfTheCaller(error: unknown): boolean {
  return (
    error instanceof OperationTimeoutError || error instanceof AbortedError || error instanceof InvalidArgumentError
  );
}

/** The providers to use: those that are given, to be closed by whoever made them, or new ones, to be closed by us. */
export function providersOf(
  from: ProviderMaker | ServiceProviders,
  { provider }: ServiceProvidersOptions,
  operation: string,
): { readonly providers: ServiceProviders; readonly areOurs: boolean } {
  if (!(from instanceof ServiceProviders))
    return { providers: new ServiceProviders(from, { provider }), areOurs: true };
  if (provider === undefined) return { providers: from, areOurs: false };
  throw new InvalidArgumentError('the option "provider" is one of the ServiceProviders that are given', { operation });
}
