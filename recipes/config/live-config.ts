import {
  checkPath,
  type OneShotEvent,
  type WaitOptions,
  type ZNode,
  type ZooKeeper,
  NoNodeError,
  ZooKeeperError,
} from 'zookit';
import { Following } from '../common/following.js';
import { checkNames, waitNames } from '../common/options.js';
import { defer, type Deferred, Wait } from '../common/waiting.js';

/** What validates and types a value: the interface of Standard Schema, which zod, valibot, arktype and others have. */
export interface ConfigSchema<T> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<T> | Promise<SchemaResult<T>>;
  };
}

/** What a schema says of a value. */
export type SchemaResult<T> =
  | { readonly value: T; readonly issues?: undefined }
  | {
      readonly issues: readonly {
        readonly message: string;
        readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
      }[];
    };

/** How a {@link LiveConfig} behaves. */
export interface LiveConfigOptions<T> extends WaitOptions {
  /** Validates what is read, and types it. Without it any JSON is taken. */
  readonly schema?: ConfigSchema<T> | undefined;
  /** The value where there is no znode. Default: undefined. */
  readonly defaultValue?: T | undefined;
  /** Told of every version that is not valid. The last good value stays. */
  readonly onInvalid?: ((error: InvalidConfigError) => void) | undefined;
}

/** The data of a configuration is no JSON, or its schema does not take it. */
export class InvalidConfigError extends ZooKeeperError {
  readonly code = 'INVALID_CONFIG';
}

/**
 * A configuration that follows a znode: JSON, typed, validated. A version that is not valid never takes the place of a
 * good one.
 *
 * - While connected: current.
 * - While disconnected, and until a new session has looked: the last value, and `stale` is true.
 *
 * Iterate it for the value now and for each later one; values that come too fast are passed over, the last one never.
 */
export class LiveConfig<T> implements AsyncIterable<T>, AsyncDisposable {
  /**
   * Follows the znode, and resolves with the first good value there: with `undefined` or `defaultValue` as `current`
   * where there is no znode yet.
   *
   * @throws InvalidConfigError if the first value is not valid; OperationTimeoutError, AbortedError; NoAuthError.
   */
  static open<T = unknown>(
    zk: ZooKeeper,
    path: string,
    options: LiveConfigOptions<T> & { readonly defaultValue: T },
  ): Promise<LiveConfig<T>>;
  static open<T = unknown>(
    zk: ZooKeeper,
    path: string,
    options?: LiveConfigOptions<T>,
  ): Promise<LiveConfig<T | undefined>>;
  static async open<T>(
    zk: ZooKeeper,
    path: string,
    options: LiveConfigOptions<T> = {},
  ): Promise<LiveConfig<T | undefined>> {
    checkPath(path, 'LiveConfig.open');
    const subject = { operation: 'LiveConfig.open', path };
    checkNames(options, [...waitNames, 'schema', 'defaultValue', 'onInvalid'], subject);
    const { timeout, signal } = options;
    using wait = new Wait({ timeout, signal }, subject);
    const config = new LiveConfig<T | undefined>(zk, path, options);
    try {
      await wait.race(config.#first.promise);
      return config;
    } catch (error) {
      await config.close();
      throw error;
    }
  }

  readonly #following: Following;
  readonly #first: Deferred<void> = defer();
  #value: T | undefined;
  /** Which version of the znode was seen last: creations and changes both have a new zxid. */
  #seen: string | undefined;
  #invalid: InvalidConfigError | undefined;
  #failure: Error | undefined;
  #change: Deferred<void> = defer();

  private constructor(
    private readonly zk: ZooKeeper,
    readonly path: string,
    private readonly options: LiveConfigOptions<T>,
  ) {
    this.#value = options.defaultValue;
    this.#following = new Following(zk, {
      look: (changed) => this.#look(changed),
      looked: () => {
        if (this.#seen !== undefined) this.#first.resolve();
        this.#tell();
      },
      failed: (error) => {
        this.#failure = error;
        this.#first.reject(error);
        this.#tell();
      },
    });
    this.#following.start();
  }

  /** The last good value. */
  get current(): T {
    return this.#value as T;
  }

  /** Whether `current` may be out of date: there is no connection, or a change is known and not read yet. */
  get stale(): boolean {
    return !this.#following.isCurrent;
  }

  /** What is wrong with the version that the znode holds now, if it is not valid. */
  get invalid(): InvalidConfigError | undefined {
    return this.#invalid;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    let told: { readonly value: T } | undefined;
    while (!this.#following.closing.aborted) {
      const { promise } = this.#change;
      const value = this.current;
      if (told === undefined || told.value !== value) {
        told = { value };
        yield value;
      }
      if (this.#failure !== undefined) throw this.#failure;
      await promise;
    }
  }

  /** Stops following. Iterations end. */
  async close(): Promise<void> {
    const closed = this.#following.close();
    this.#tell();
    await closed;
    this.zk.unwatch(this.path, this.#following.wake);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #look(changed: () => void): Promise<void> {
    const node = await this.#read(changed);
    const version = node === undefined ? 'absent' : `${node.stat.czxid.toString()}/${node.stat.mzxid.toString()}`;
    if (version === this.#seen) return;
    try {
      this.#value = node === undefined ? this.options.defaultValue : await this.#decode(node);
      this.#invalid = undefined;
    } catch (error) {
      if (!(error instanceof InvalidConfigError)) throw error;
      this.#refuse(error);
    }
    this.#seen = version;
  }

  /** The last good value stays. */
  #refuse(error: InvalidConfigError): void {
    this.#invalid = error;
    this.#first.reject(error);
    const { onInvalid } = this.options;
    // On a turn of its own: what it throws is its own affair.
    if (onInvalid !== undefined) queueMicrotask(() => onInvalid(error));
  }

  async #read(changed: (event: OneShotEvent) => void): Promise<ZNode | undefined> {
    const options = { watch: changed, signal: this.#following.closing };
    for (;;) {
      try {
        return await this.zk.getData(this.path, options);
      } catch (error) {
        if (!(error instanceof NoNodeError)) throw error;
      }
      // Absent is a value; the watch tells when it is created. If that happened just now, read it.
      if ((await this.zk.exists(this.path, options)) === null) return undefined;
    }
  }

  async #decode(node: ZNode): Promise<T> {
    const value = this.#parse(node);
    const { schema } = this.options;
    if (schema === undefined) return value as T;
    const result = await this.#validate(schema, value);
    if (result.issues === undefined) return result.value;
    const issues = result.issues.map(({ message, path = [] }) =>
      path.length === 0 ? message : `${path.map(keyOf).join('.')}: ${message}`,
    );
    throw this.#invalidBecause(`the value is not valid: ${issues.join('; ')}`);
  }

  async #validate(schema: ConfigSchema<T>, value: unknown): Promise<SchemaResult<T>> {
    try {
      return await schema['~standard'].validate(value);
    } catch (cause) {
      throw this.#invalidBecause('its schema threw an error', cause);
    }
  }

  #parse(node: ZNode): unknown {
    try {
      return node.json();
    } catch (cause) {
      throw this.#invalidBecause('the data is no JSON', cause);
    }
  }

  #invalidBecause(problem: string, cause?: unknown): InvalidConfigError {
    return new InvalidConfigError(problem, { operation: 'LiveConfig', path: this.path, cause });
  }

  #tell(): void {
    const change = this.#change;
    this.#change = defer();
    change.resolve();
  }
}

function keyOf(step: PropertyKey | { readonly key: PropertyKey }): string {
  return String(typeof step === 'object' ? step.key : step);
}
