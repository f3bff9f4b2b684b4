import { setMaxListeners } from 'node:events';
import {
  AbortedError,
  InvalidArgumentError,
  OperationTimeoutError,
  SessionExpiredError,
  type WaitOptions,
  type ZooKeeper,
} from 'zookit';
import { checkNames, type OptionSubject } from '../common/options.js';
import { pause, Wait } from '../common/waiting.js';
import { ItemLostError } from './claim.js';
import type { QueueItem } from './queue-item.js';

/** What is done with each value. It may settle the item itself; otherwise that follows from how it ends. */
export type QueueHandler<T> = (value: T, item: QueueItem<T>) => unknown;

/** How a queue is consumed. */
export interface ConsumeOptions<T> {
  /** How many items are under work at the same time. Default 1. */
  readonly concurrency?: number | undefined;
  /**
   * What becomes of an item whose handler throws (Curator: ErrorMode). `'requeue'`, the default: it goes back to the end
   * of the queue by `nack()`. `'delete'`: it counts as done.
   */
  readonly onError?: 'requeue' | 'delete' | undefined;
  /** Told of what a handler has thrown, and of items that were lost before they could be settled. Default: a warning of the process. */
  readonly onFailure?: ((error: unknown, item: QueueItem<T>) => void) | undefined;
  /** Stops consuming, as `stop()` does. */
  readonly signal?: AbortSignal | undefined;
}

/** As much of a queue as its consumer needs. */
interface Source<T> {
  readonly path: string;
  take(options: WaitOptions): Promise<QueueItem<T>>;
}

/**
 * Works on a queue until it is stopped. Lost connections and expired sessions do not end it: what was under work when a
 * session ended is handed out again. An async disposable: `await using` stops it.
 */
export class QueueConsumer<T> implements AsyncDisposable {
  /**
   * Resolves when it was stopped and its last item is settled. Rejects when it could not go on: ClosedError,
   * AuthFailedError, NoAuthError, SessionExpiredError with `renewSession: false`.
   */
  readonly ended: Promise<void>;
  readonly #stopping = new AbortController();

  /** Made by `consume()`. */
  constructor(
    private readonly zk: ZooKeeper,
    private readonly source: Source<T>,
    private readonly handler: QueueHandler<T>,
    private readonly options: ConsumeOptions<T>,
  ) {
    const { concurrency = 1, signal } = checkConsumption(handler, options, source.path);
    // As many listen to it as work at the same time.
    setMaxListeners(0, this.#stopping.signal);
    const stop = (): void => this.#stopping.abort();
    if (signal?.aborted === true) stop();
    else signal?.addEventListener('abort', stop);
    this.ended = this.#run(concurrency).finally(() => signal?.removeEventListener('abort', stop));
    // Nobody may be waiting for it; those who do are told all the same.
    this.ended.catch(() => undefined);
  }

  /**
   * Takes no more items. Resolves when those under work are settled; a wait that is ended leaves them to their handlers.
   *
   * @throws OperationTimeoutError, AbortedError. Why it has ended is told by {@link ended}.
   */
  async stop(options: WaitOptions = {}): Promise<void> {
    using wait = new Wait(options, { operation: 'QueueConsumer.stop', path: this.source.path });
    this.#stopping.abort();
    await wait.race(this.ended.catch(() => undefined));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #run(concurrency: number): Promise<void> {
    let failure: { readonly error: unknown } | undefined;
    const workers = Array.from({ length: concurrency }, async () => {
      try {
        await this.#work();
      } catch (error) {
        failure ??= { error };
        this.#stopping.abort();
      }
    });
    await Promise.all(workers);
    if (failure !== undefined) throw failure.error;
  }

  async #work(): Promise<void> {
    const { signal } = this.#stopping;
    for (let failures = 0; !signal.aborted;) {
      let item: QueueItem<T>;
      try {
        item = await this.source.take({ signal });
      } catch (error) {
        if (signal.aborted && error instanceof AbortedError) return;
        throw error;
      }
      if (await this.#handle(item)) failures = 0;
      // What fails at once must not go round and round.
      else await pause(this.zk, failures++, signal);
    }
  }

  /** Whether all went well. */
  async #handle(item: QueueItem<T>): Promise<boolean> {
    let isWell = true;
    try {
      for (const [index, value] of item.values.entries()) {
        try {
          await this.handler(value, item);
        } catch (error) {
          isWell = false;
          this.#tell(error, item);
          if (this.options.onError !== 'delete' && !item.isSettled) await item.nackFrom(index);
        }
        if (item.isSettled) break;
      }
      // Where the handler has settled it, this waits for that.
      await item.ack();
    } catch (error) {
      if (!isLoss(error)) throw error;
      this.#tell(error, item);
      return false;
    }
    return isWell;
  }

  #tell(error: unknown, item: QueueItem<T>): void {
    const { onFailure } = this.options;
    // On a turn of its own: what it throws is its own affair.
    if (onFailure !== undefined) queueMicrotask(() => onFailure(error, item));
    else process.emitWarning(`zookit: ${item.path} could not be worked on: ${String(error)}`);
  }
}

/** Whether the error says that an item is not ours any more. */
export function isLoss(error: unknown): boolean {
  return error instanceof ItemLostError || error instanceof SessionExpiredError;
}

/** Whether the error says that the wait is over, by its time or by its signal. */
export function isEndOfWait(error: unknown): boolean {
  return error instanceof AbortedError || error instanceof OperationTimeoutError;
}

function checkConsumption<T>(handler: QueueHandler<T>, options: ConsumeOptions<T>, path: string): ConsumeOptions<T> {
  const subject: OptionSubject = { operation: 'consume', path };
  checkNames(options, ['concurrency', 'onError', 'onFailure', 'signal'], subject);
  const { concurrency = 1, onError = 'requeue', onFailure, signal } = options;
  const problems = [
    typeof handler === 'function' || 'the handler is no function',
    (Number.isInteger(concurrency) && concurrency >= 1) ||
      `the concurrency is ${String(concurrency)}; it must be a whole number from 1 on`,
    ['requeue', 'delete'].includes(onError) || `onError is ${onError}; it must be "requeue" or "delete"`,
    onFailure === undefined || typeof onFailure === 'function' || 'onFailure is no function',
    signal === undefined || signal instanceof AbortSignal || 'the signal is no AbortSignal',
  ];
  for (const problem of problems) if (typeof problem === 'string') throw new InvalidArgumentError(problem, subject);
  return options;
}
