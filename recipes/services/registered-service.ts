import { ClosedError, type WaitOptions, type ZooKeeper } from 'zookit';
import { checkDelay, checkNames, type OptionSubject, waitNames } from '../common/options.js';
import { sweepAfterWait } from '../common/sweeper.js';
import { Wait } from '../common/waiting.js';
import type { PersistentNodeOptions } from '../members/persistent-node-options.js';
import { Drain } from './drain.js';
import { HealthGate } from './health-gate.js';
import { InstanceNode } from './instance-node.js';
import type { ServiceInstance } from './service-instance.js';
import { type ServiceHealthOptions, type ServiceUpdate, updated } from './service-registration.js';
import type { ServiceSerializer } from './service-serializer.js';

/** Whether an instance is registered now. */
export type RegistrationState = { readonly registered: true; readonly path: string } | { readonly registered: false };

/** How to take an instance off the list. */
export interface UnregisterOptions extends WaitOptions {
  /**
   * For how long it is still there, not enabled, so that callers take no more of it and end what they have begun,
   * milliseconds. Default 0.
   */
  readonly drain?: number | undefined;
}

/** How an instance is kept registered. */
export interface RegistrationSpec {
  readonly path: string;
  readonly serializer: ServiceSerializer;
  readonly node: PersistentNodeOptions;
  readonly health: ServiceHealthOptions | undefined;
}

/**
 * An instance that is registered by this process.
 *
 * - While connected: registered, unless its health check fails, or another session has taken its id, which ends it.
 * - While disconnected: registered as long as the session lives. Changes are published after the reconnect.
 * - After an expiry: not registered until the new session has registered it again, by itself, as it was updated last.
 *
 * Iterate it to be told whenever it is in place, or not, also when it was registered anew.
 */
export class RegisteredService<Payload = unknown> implements AsyncIterable<RegistrationState>, AsyncDisposable {
  /** What the health check has said; undefined where there is none. */
  readonly health: HealthGate | undefined;
  readonly #node: InstanceNode;
  /** What the caller wants others to see; they see it disabled while it drains, or fails its check. */
  #wish: ServiceInstance<Payload>;
  #instance: ServiceInstance<Payload>;
  #isSick = false;
  #drain: Drain | undefined;
  #ended: Promise<void> | undefined;

  /** Made by `registry.register()`. */
  constructor(
    private readonly zk: ZooKeeper,
    private readonly spec: RegistrationSpec,
    instance: ServiceInstance<Payload>,
  ) {
    const { path, serializer, node: options, health } = spec;
    this.#wish = instance;
    this.#instance = instance;
    const data = serializer.serialize(instance);
    if (health !== undefined) {
      const { onFail: _, ...checking } = health;
      this.health = new HealthGate(checking);
    }
    this.#node = new InstanceNode(zk, { path, options, failed: () => this.#failed() }, data);
    if (this.health === undefined) this.#node.put();
    else this.#follow(this.health.start()).catch((error: unknown) => this.#node.fail(error as Error));
  }

  /** What is registered. */
  get instance(): ServiceInstance<Payload> {
    return this.#instance;
  }

  /** Whether it is certainly registered now. It may come true again: with a new session, or when the health check passes. */
  get held(): boolean {
    return this.#node.held;
  }

  /** Aborts when the registration of now may be gone. A new one after the next registration. */
  get signal(): AbortSignal {
    return this.#node.signal;
  }

  /**
   * Resolves when it is registered, as it was updated last. @throws OperationTimeoutError, AbortedError; ClosedError after
   * `unregister()`; OwnedByOtherError; what made it impossible, as NoAuthError.
   */
  async published(options: WaitOptions = {}): Promise<void> {
    using wait = new Wait(options, this.#subject('published'));
    await this.#node.published(wait);
  }

  /**
   * Changes what others see, in place. While it is not registered, it is published when it is again, also when the wait is
   * ended. Throws as {@link published} does, and InvalidArgumentError.
   */
  async update(change: ServiceUpdate<Payload>, options: WaitOptions = {}): Promise<void> {
    const subject = this.#subject('update');
    using wait = new Wait(options, subject);
    if (this.#ended !== undefined) throw new ClosedError('it was unregistered', subject, false);
    this.#publish(updated(this.#wish, change, subject));
    await this.#node.published(wait);
  }

  /** Whether it is in place now, and again whenever that has changed. Ends when it is unregistered. @throws OwnedByOtherError, what made it impossible. */
  async *[Symbol.asyncIterator](): AsyncGenerator<RegistrationState, void, undefined> {
    const view = (): { readonly signal: AbortSignal | undefined } => ({ signal: this.held ? this.signal : undefined });
    for await (const { signal } of this.#node.each(view, (one, other) => one.signal === other.signal))
      yield signal === undefined ? { registered: false } : { registered: true, path: this.#node.path };
  }

  /**
   * Takes it off the list, and checks no more. Resolves when nobody can find it any more, or its session is over.
   *
   * With `drain` it is first published as not enabled, and stays so long. While disconnected, that begins with the
   * reconnect; after an expiry it is not registered again. Who calls it again waits for the same end, and can make the
   * drain shorter. A wait that is ended ends the drain, too.
   *
   * @throws OperationTimeoutError, AbortedError, and then it goes in the background; NoAuthError; InvalidArgumentError.
   */
  async unregister(options: UnregisterOptions = {}): Promise<void> {
    const subject = this.#subject('unregister');
    checkNames(options, [...waitNames, 'drain'], subject);
    const { drain, timeout, signal } = options;
    checkDelay('drain', drain, subject);
    using wait = new Wait({ timeout, signal }, subject);
    if (drain !== undefined) this.#drain?.atMost(drain);
    const ended = this.#end(drain ?? 0);
    try {
      await wait.race(ended);
    } catch (error) {
      if (wait.isOver) {
        this.#drain?.atMost(0);
        await sweepAfterWait(this.zk, wait, this.spec.path, ended);
      }
      throw error;
    }
  }

  /** Unregisters it without a drain; where one is under way, it is waited for. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end(0);
  }

  #end(drain: number): Promise<void> {
    this.#ended ??= this.#drainAndClose(drain);
    return this.#ended;
  }

  async #drainAndClose(milliseconds: number): Promise<void> {
    this.health?.close();
    try {
      if (milliseconds > 0) await this.#drainOut(new Drain(milliseconds));
    } finally {
      await this.#node.close();
    }
  }

  async #drainOut(drain: Drain): Promise<void> {
    this.#drain = drain;
    if (this.#isClientOver) return;
    this.#node.endWithSession();
    this.#publish();
    await Promise.race([this.#node.settled(), drain.over]);
    drain.begin();
    await drain.over;
  }

  /** Whoever closes the client waits for nothing more. */
  get #isClientOver(): boolean {
    return this.zk.state === 'closed' || this.zk.state === 'authFailed';
  }

  #failed(): void {
    this.health?.close();
    if (this.#isClientOver) this.#drain?.atMost(0);
  }

  async #follow(health: HealthGate): Promise<void> {
    for await (const { status } of health) {
      this.#isSick = status === 'failing';
      if (this.spec.health?.onFail === 'disable') {
        this.#publish();
        if (status === 'passing') this.#node.put();
      } else if (status === 'passing') this.#node.put();
      else this.#node.withdraw();
    }
  }

  /** Says to all how it is. Where it cannot be written down, nothing has changed. */
  #publish(wish: ServiceInstance<Payload> = this.#wish): void {
    const isHeldBack = this.#isSick || this.#drain !== undefined;
    const instance = wish.enabled && isHeldBack ? { ...wish, enabled: false } : wish;
    const data = this.spec.serializer.serialize(instance);
    this.#wish = wish;
    this.#instance = instance;
    this.#node.setData(data);
  }

  #subject(method: string): OptionSubject {
    return { operation: `RegisteredService.${method}`, path: this.spec.path };
  }
}
