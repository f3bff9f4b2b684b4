import type { WaitOptions, ZooKeeper } from 'zookit';
import { after, defer, now } from '../common/waiting.js';
import type { RegisteredService } from './registered-service.js';
import type { ServiceInstance } from './service-instance.js';
import type { ServiceUpdate } from './service-registration.js';
import type { SwarmTask } from './swarm-place.js';

/** How a task ends. */
export interface TaskEndOptions {
  /**
   * For how long it is still listed, but not enabled, before it is unregistered, milliseconds. Callers who are connected know
   * at once; the time is for calls on their way, and for callers who are slow. Default 3,000.
   */
  readonly drain?: number | undefined;
  /** What is to be done when callers have let go: `server.close()`, most likely. It is waited for. */
  readonly onDrain?: (() => void | Promise<void>) | undefined;
  /** Whether to close the client in the end. Default `false`. It must not be a view made by `chroot()`. */
  readonly closeClient?: boolean | undefined;
  /**
   * How long all of it may take, milliseconds, also without a server. Half of what is left beside the drain time is for the
   * servers, the rest for `onDrain` and for closing. Keep it below the `stop_grace_period` of the service. Default: the
   * drain time and 5,000 more.
   */
  readonly stopTimeout?: number | undefined;
}

/** The same with all defaults. */
export interface TaskEnd {
  readonly drain: number;
  readonly onDrain: () => void | Promise<void>;
  readonly closeClient: boolean;
  readonly stopTimeout: number;
}

/** A task that is registered by itself. Dispose of it, or call {@link stop}, to end it in order. */
export class RegisteredTask<Payload = unknown> implements AsyncDisposable {
  readonly #stopping = new AbortController();
  #stopped: Promise<void> | undefined;

  /** Made by `registry.registerTask()`. */
  constructor(
    private readonly zk: ZooKeeper,
    /** The registration. */
    readonly service: RegisteredService<Payload>,
    /** Which task it is; null for a process that is none. */
    readonly task: SwarmTask | null,
    private readonly end: TaskEnd,
    /** Takes back what is done at a signal. */
    private readonly forget: () => void,
  ) {}

  /** What is registered. */
  get instance(): ServiceInstance<Payload> {
    return this.service.instance;
  }

  /** Whether it is certainly registered now: as that of a {@link RegisteredService}. */
  get held(): boolean {
    return this.service.held;
  }

  /** Aborts when the end begins, by a signal or by {@link stop}: before callers are told. */
  get stopping(): AbortSignal {
    return this.#stopping.signal;
  }

  /** Changes what others see. As {@link RegisteredService.update}. */
  async update(change: ServiceUpdate<Payload>, wait: WaitOptions = {}): Promise<void> {
    await this.service.update(change, wait);
  }

  /**
   * What a signal does, but for the end of the process: tells callers to call others, waits the drain time, unregisters, calls
   * `onDrain`, closes the client if that was asked for. Goes on where a step fails, and takes no longer than `stopTimeout`.
   * Further calls wait for the same end.
   *
   * @throws what the first step that failed has thrown; what could not be unregistered goes with its session.
   */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #stop(): Promise<void> {
    const { drain, onDrain, closeClient, stopTimeout } = this.end;
    const deadline = now() + stopTimeout;
    const left = (): number => Math.max(0, deadline - now());
    this.#stopping.abort();
    const problems: unknown[] = [];
    const step = async (work: () => void | Promise<void>): Promise<void> => {
      try {
        await work();
      } catch (error) {
        problems.push(error);
      }
    };
    await step(() => this.service.unregister({ drain, timeout: drain + (stopTimeout - drain) / 2 }));
    await step(() => atMost(left(), onDrain));
    if (closeClient) await step(() => this.zk.close({ timeout: left() }));
    this.forget();
    if (problems.length > 0) throw problems[0];
  }
}

/** Waits no longer than so many milliseconds for what the caller does. */
async function atMost(milliseconds: number, work: () => void | Promise<void>): Promise<void> {
  const over = defer();
  const cancel = after(milliseconds, () => over.resolve());
  try {
    await Promise.race([work(), over.promise]);
  } finally {
    cancel();
  }
}
