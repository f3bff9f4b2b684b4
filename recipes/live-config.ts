import {
  checkPath,
  type OneShotEvent,
  type WaitOptions,
  type ZNode,
  type ZooKeeper,
  NoNodeError,
  ZooKeeperError,
} from 'zookit';
import { Following } from './following.js';
import { defer, type Deferred, Wait } from './waiting.js';

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
    const config = new LiveConfig<T | undefined>(zk, path, options as LiveConfigOptions<T | undefined>);
    try {
      using wait = new Wait(options, { operation: 'LiveConfig.open', path });
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
  #synced = false;
  #invalid: InvalidConfigError | undefined;
  #failure: Error | undefined;
  #change: Deferred<void> = defer();
  readonly #onSession = (): void => {
    if (this.zk.state !== 'connected') this.#synced = false;
  };

  private constructor(
    private readonly zk: ZooKeeper,
    readonly path: string,
    private readonly options: LiveConfigOptions<T>,
  ) {
    this.#value = options.defaultValue;
    this.#following = new Following(
      zk,
      (changed) => this.#look(changed),
      (error) => {
        this.#failure = error;
        this.#first.reject(error);
        this.#tell();
      },
    );
    zk.on('session', this.#onSession);
    this.#following.start();
  }

  /** The last good value. */
  get current(): T {
    return this.#value as T;
  }

  /** Whether `current` may be out of date, because there is no connection. */
  get stale(): boolean {
    return !this.#synced || this.zk.state !== 'connected';
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
      if (told?.value !== value || told === undefined) {
        told = { value };
        yield value;
      }
      if (this.#failure !== undefined) throw this.#failure;
      if (promise === this.#change.promise) await promise;
    }
  }

  /** Stops following. Iterations end. */
  async close(): Promise<void> {
    this.zk.off('session', this.#onSession);
    const closed = this.#following.close();
    this.#tell();
    await closed;
    this.zk.unwatch(this.path, this.#following.wake);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #look(changed: (event: OneShotEvent) => void): Promise<void> {
    const node = await this.#read(changed);
    this.#synced = true;
    const version = node === undefined ? 'absent' : `${node.stat.czxid.toString()}/${node.stat.mzxid.toString()}`;
    if (version === this.#seen) return;
    try {
      const value = node === undefined ? this.options.defaultValue : await this.#decode(node);
      this.#value = value;
      this.#invalid = undefined;
      this.#seen = version;
      this.#first.resolve();
      this.#tell();
    } catch (error) {
      if (!(error instanceof InvalidConfigError)) throw error;
      this.#seen = version;
      this.#invalid = error;
      this.#first.reject(error);
      const { onInvalid } = this.options;
      // On a turn of its own: what it throws is its own affair.
      if (onInvalid !== undefined) queueMicrotask(() => onInvalid(error));
    }
  }

  async #read(changed: (event: OneShotEvent) => void): Promise<ZNode | undefined> {
    for (;;) {
      try {
        return await this.zk.getData(this.path, { watch: changed });
      } catch (error) {
        if (!(error instanceof NoNodeError)) throw error;
      }
      // Absent is a value; the watch tells when it is created. If that happened just now, read it.
      if ((await this.zk.exists(this.path, { watch: changed })) === null) return undefined;
    }
  }

  async #decode(node: ZNode): Promise<T> {
    const value = this.#parse(node);
    const { schema } = this.options;
    if (schema === undefined) return value as T;
    const result = await schema['~standard'].validate(value);
    if (result.issues === undefined) return result.value;
    const issues = result.issues.map(({ message, path = [] }) =>
      `${path.map(keyOf).join('.')}: ${message}`.replace(/^: /, ''),
    );
    throw new InvalidConfigError(`the value is not valid: ${issues.join('; ')}`, {
      operation: 'LiveConfig',
      path: this.path,
    });
  }

  #parse(node: ZNode): unknown {
    try {
      return node.json();
    } catch (cause) {
      throw new InvalidConfigError('the data is no JSON', { operation: 'LiveConfig', path: this.path, cause });
    }
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
