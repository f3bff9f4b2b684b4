import {
  AbortedError,
  childPath,
  type Data,
  LeaseLostError,
  type LeaseOptions,
  NodeExistsError,
  NoNodeError,
  RequestTooLargeError,
  type Transaction,
  type WaitOptions,
  type ZNode,
  type ZooKeeper,
  ZooKeeperError,
} from 'zookit';
import type { OptionSubject } from '../common/options.js';
import { canTryAgain, pause, type Wait } from '../common/waiting.js';
import type { Lock } from './mutex-lock.js';

/** How a job is run by {@link once}. The limits are those of the wait for others; who runs the job, runs it to its end. */
export interface OnceOptions<T> extends WaitOptions, LeaseOptions {
  /** How the result is written. Default: as JSON; `undefined` as null. */
  readonly serialize?: ((value: T) => Data) | undefined;
  /** How the result is read. Default: as JSON. */
  readonly deserialize?: ((node: ZNode) => T) | undefined;
  /**
   * For how long the result or the failure counts, milliseconds; then the job may run again. It needs ZooKeeper 3.5.3
   * with `extendedTypesEnabled`. Default: for ever.
   */
  readonly ttl?: number | undefined;
}

/** What all callers are told of a job that has failed. */
export interface OnceFailure {
  /** The name of the error: `TypeError`. */
  readonly name: string;
  readonly message: string;
  /** The `code` of the error, where it has one. */
  readonly code?: string | undefined;
}

/** The job has failed, for all who ask for its result. Where it was run by this very call, `cause` is its error. */
export class OnceFailedError extends ZooKeeperError {
  readonly code = 'ONCE_FAILED';

  constructor(
    message: string,
    context: { readonly operation?: string; readonly path?: string; readonly cause?: unknown },
    readonly failure: OnceFailure,
  ) {
    super(message, context);
  }
}

/** What a job has come to, as it is stored. */
export type Outcome = { readonly result: ZNode } | { readonly failure: ZNode };

/** Where the result of a job is stored. */
export function resultPathOf(path: string): string {
  return childPath(path, 'result');
}

/** Where its failure is stored. */
export function failurePathOf(path: string): string {
  return childPath(path, 'failure');
}

/** A job that is to be run once, and what becomes of it. */
export class OnceJob<T> {
  readonly #resultPath: string;
  readonly #failurePath: string;
  /** What the job itself has thrown here. */
  #cause: unknown;

  constructor(
    private readonly zk: ZooKeeper,
    private readonly path: string,
    private readonly work: (lock: Lock) => T | Promise<T>,
    private readonly options: OnceOptions<T>,
  ) {
    this.#resultPath = resultPathOf(path);
    this.#failurePath = failurePathOf(path);
  }

  /** What is stored, if anything is. */
  outcome(wait?: Wait): Promise<Outcome | undefined> {
    return insist(this.zk, async () => {
      wait?.check();
      const [result, failure] = await Promise.all([this.#read(this.#resultPath), this.#read(this.#failurePath)]);
      if (result !== undefined) return { result };
      return failure === undefined ? undefined : { failure };
    });
  }

  /** The result for the caller. @throws OnceFailedError. */
  settle(outcome: Outcome): T {
    const { deserialize = fromJson } = this.options;
    if ('result' in outcome) return deserialize(outcome.result) as T;
    const failure = failureIn(outcome.failure);
    const subject = { ...this.#subject, cause: this.#cause };
    throw new OnceFailedError(`the job has failed: ${failure.name}: ${failure.message}`, subject, failure);
  }

  /** Runs the job, and stores what comes of it. Resolves with what is stored then; undefined where the lock was lost. */
  async run(lock: Lock): Promise<Outcome | undefined> {
    try {
      if (this.options.ttl !== undefined) await this.#tryTtl(lock);
      await this.#runAndStore(lock);
    } catch (error) {
      // Where the lock was lost, somebody else goes on, or has done it.
      if (!isLoss(lock, error)) throw error;
    }
    return this.outcome();
  }

  async #runAndStore(lock: Lock): Promise<void> {
    const { signal, serialize = toJson } = this.options;
    let data: Data;
    try {
      data = serialize(await this.work(lock));
    } catch (cause) {
      if (signal?.aborted === true) throw new AbortedError('the job was stopped', { ...this.#subject, cause }, false);
      return this.#storeFailure(lock, cause);
    }
    try {
      await this.#store(lock, this.#resultPath, data);
    } catch (error) {
      if (!(error instanceof RequestTooLargeError)) throw error;
      await this.#storeFailure(lock, error);
    }
  }

  async #storeFailure(lock: Lock, cause: unknown): Promise<void> {
    await this.#store(lock, this.#failurePath, JSON.stringify(describe(cause)));
    this.#cause = cause;
  }

  #store(lock: Lock, path: string, data: Data): Promise<unknown> {
    return insist(this.zk, () => this.#creating(lock, path, data).commit());
  }

  /** Finds out whether the servers have TTLs before the job is run. Leaves nothing behind. */
  #tryTtl(lock: Lock): Promise<unknown> {
    return insist(this.zk, () => this.#creating(lock, this.#resultPath, null).delete(this.#resultPath).commit());
  }

  #creating(lock: Lock, path: string, data: Data): Transaction<readonly unknown[]> {
    const guarded = lock.guard(this.zk.transaction());
    const { ttl } = this.options;
    return ttl === undefined ? guarded.create(path, data) : guarded.create(path, data, { mode: 'ttl', ttl });
  }

  async #read(path: string): Promise<ZNode | undefined> {
    try {
      return await this.zk.getData(path);
    } catch (error) {
      if (error instanceof NoNodeError) return undefined;
      throw error;
    }
  }

  get #subject(): OptionSubject {
    return { operation: 'once', path: this.path };
  }
}

/** Does a step again after failures that pass. */
async function insist<R>(zk: ZooKeeper, step: () => Promise<R>): Promise<R> {
  for (let failures = 0; ;) {
    try {
      return await step();
    } catch (error) {
      if (!canTryAgain(zk, error)) throw error;
      await pause(zk, failures++);
    }
  }
}

/** Whether an error says that the lock was lost, or that there is an outcome: ours, whose answer was lost, or another one. */
function isLoss(lock: Lock, error: unknown): boolean {
  if (error instanceof NoNodeError) return error.path === lock.path;
  return error instanceof LeaseLostError || error instanceof NodeExistsError;
}

function toJson(value: unknown): Data {
  // Of `undefined` and functions it makes `undefined`, whatever its type says.
  return JSON.stringify(value) ?? null;
}

function fromJson(node: ZNode): unknown {
  return node.isNull ? undefined : node.json();
}

function describe(error: unknown): OnceFailure {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) };
  const code: unknown = Reflect.get(error, 'code');
  const { name, message } = error;
  return typeof code === 'string' ? { name, message, code } : { name, message };
}

function failureIn(node: ZNode): OnceFailure {
  try {
    const { name, message, code } = node.json<Record<string, unknown>>();
    const failure = { name: String(name), message: String(message) };
    return typeof code === 'string' ? { ...failure, code } : failure;
  } catch {
    return { name: 'Error', message: node.text() };
  }
}
