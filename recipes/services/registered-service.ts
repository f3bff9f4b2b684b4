import type { WaitOptions } from 'zookit';
import type { PersistentNode } from '../members/persistent-node.js';
import { checkServicePort, checkServiceWeight, type ServiceInstance } from './service-instance.js';
import type { ServiceSerializer } from './service-serializer.js';

/** What of a registered instance can change. */
export type ServiceUpdate<Payload> = Partial<
  Pick<
    ServiceInstance<Payload>,
    'address' | 'port' | 'sslPort' | 'payload' | 'enabled' | 'uriSpec' | 'weight' | 'zone'
  >
>;

/** Whether an instance is registered now; another object whenever that has changed, also when it was registered anew. */
export type RegistrationState = { readonly registered: true; readonly path: string } | { readonly registered: false };

/** How to take an instance off the list. */
export interface UnregisterOptions extends WaitOptions {
  /**
   * For how long it is still there, not enabled, so that callers take no more of it and end what they have begun,
   * milliseconds. Default 0.
   */
  readonly drain?: number | undefined;
}

/** An instance that is registered by this process. Iterate it to be told whenever it is in place, or not. */
export class RegisteredService<Payload = unknown> implements AsyncIterable<RegistrationState>, AsyncDisposable {
  #instance: ServiceInstance<Payload>;

  /** Made by `registry.register()`. */
  constructor(
    private readonly node: PersistentNode,
    instance: ServiceInstance<Payload>,
    private readonly serializer: ServiceSerializer,
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
    checkServiceWeight(instance.weight);
    const data = this.serializer.serialize(instance);
    this.#instance = instance;
    await this.node.setData(data, wait);
  }

  /** Whether it is in place now, and again whenever that has changed. Ends when it is unregistered. @throws OwnedByOtherError, what made it impossible. */
  async *[Symbol.asyncIterator](): AsyncGenerator<RegistrationState, void, undefined> {
    for await (const state of this.node)
      yield state.standing ? { registered: true, path: state.path } : { registered: false };
  }

  /** Takes it off the list. Resolves when nobody can find it any more, or its session is over. */
  async unregister(_options: UnregisterOptions = {}): Promise<void> {
    await this.node.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.unregister();
  }
}
