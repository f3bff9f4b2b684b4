import { ClosedError, InvalidArgumentError, OperationTimeoutError, type WaitOptions, type ZooKeeper } from 'zookit';
import { Announcer } from '../common/announcer.js';
import { checkNames, type OptionSubject } from '../common/options.js';
import { after, defer, Wait } from '../common/waiting.js';
import { ConfigEditor } from './config-editor.js';
import { type ConfigLayer, type ConfigPaths, layersOf } from './config-layers.js';
import {
  type ConfigChange,
  type ConfigEventMap,
  ConfigListeners,
  type ConfigSourceName,
  whenSelected,
} from './config-listeners.js';
import { type LiveConfigOptions, type LiveConfigSetting, readSetting } from './config-options.js';
import { type ConfigOrigin, ConfigReader, ReadConfig, type StoredLayer } from './config-reader.js';
import { ConfigSnapshot } from './config-snapshot.js';
import type { ConfigUpdate, ConfigUpdateOptions } from './config-update.js';
import { type ConfigFormat, loadDecoder } from './decoders.js';
import { InvalidConfigError } from './errors.js';
import { type KeyPath, keysOfPath, valueAt } from './plain-values.js';
import { StoredConfig } from './stored-config.js';
import type { Fixed, ValueAt } from './value-at.js';

/** For how long `open()` waits for a server before it takes the snapshot, unless told otherwise, milliseconds. */
const SNAPSHOT_WAIT = 3_000;

/** How a listener is taken off. */
export interface ChangeOptions {
  /** Takes it off when it aborts. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * A configuration that follows znodes: decoded, merged of layers, validated, typed. A version that is not valid never
 * takes the place of a good one, and none is a mix of what stood before and after a transaction.
 *
 * - While connected: current.
 * - While disconnected, and until a new session has looked: the last value, and `stale` is true.
 * - Where no server can be reached at the start: the last good value of a snapshot on the disk, if there is one.
 *
 * Iterate it for the value now and for each later one; values that come too fast are passed over, the last one never.
 * Values are frozen.
 */
export class LiveConfig<T> implements AsyncIterable<T>, AsyncDisposable {
  /**
   * Follows the znode, or the layers, and resolves with the first good value there: with the default as `current`
   * where there is no znode yet; with the snapshot, if there is one, where no server answers in time or where what stands
   * there is not valid.
   *
   * @throws InvalidConfigError if the first value is not valid; OperationTimeoutError, AbortedError; NoAuthError;
   * InvalidPathError, InvalidArgumentError.
   */
  static open<T = unknown>(
    zk: ZooKeeper,
    paths: ConfigPaths,
    options: LiveConfigOptions<T> & ({ readonly defaultValue: T } | { readonly defaults: object }),
  ): Promise<LiveConfig<T>>;
  static open<T = unknown>(
    zk: ZooKeeper,
    paths: ConfigPaths,
    options?: LiveConfigOptions<T>,
  ): Promise<LiveConfig<T | undefined>>;
  static async open<T>(
    zk: ZooKeeper,
    paths: ConfigPaths,
    options: LiveConfigOptions<T> = {},
  ): Promise<LiveConfig<T | undefined>> {
    const operation = 'LiveConfig.open';
    const layers = layersOf(paths, operation);
    const subject = { operation, path: pathOf(layers) };
    const setting = readSetting<T | undefined>(zk, options, subject);
    const { timeout, signal } = options;
    using wait = new Wait({ timeout, signal }, subject);
    await wait.race(loadDecoder(setting.decoder, subject));
    const config = new LiveConfig<T | undefined>(zk, layers, setting);
    try {
      await config.#opened(wait);
      return config;
    } catch (error) {
      await config.close();
      throw error;
    }
  }

  /** The znode; of layers, that of the last one. */
  readonly path: string;
  readonly #announcer = new Announcer();
  readonly #first = defer();
  readonly #reader: ConfigReader<T>;
  readonly #listeners: ConfigListeners<T>;
  readonly #snapshot: ConfigSnapshot | undefined;
  readonly #stored: StoredConfig;
  #current: ReadConfig<T>;
  #source: ConfigSourceName = 'default';
  #isKnown = false;
  #invalid: InvalidConfigError | undefined;

  private constructor(
    private readonly zk: ZooKeeper,
    /** What it is made of, the lowest first. */
    readonly layers: readonly [ConfigLayer, ...ConfigLayer[]],
    private readonly setting: LiveConfigSetting<T>,
  ) {
    this.path = pathOf(layers);
    const { shape, watches, snapshot, onListenerError, defaultValue } = setting;
    this.#current = new ReadConfig(defaultValue, false, []);
    this.#reader = new ConfigReader(setting, this.path);
    this.#listeners = new ConfigListeners(this.path, onListenerError);
    if (snapshot !== undefined)
      this.#snapshot = new ConfigSnapshot(snapshot, { root: zk.root, shape, layers }, () => !this.stale);
    this.#stored = new StoredConfig(
      zk,
      layers,
      { shape, watches },
      {
        take: (stored) => this.#take(stored),
        refuse: (error) => this.#refuse(error),
        looked: () => this.#looked(),
        failed: (error) => this.#fail(error),
      },
    );
  }

  /** The last good value. The same object as long as nothing is written; nobody can change it. */
  get current(): T {
    return this.#current.value as T;
  }

  /** Where `current` comes from. */
  get source(): ConfigSourceName {
    return this.#source;
  }

  /**
   * Whether `current` may be out of date: there is no connection, or a change is known and not read yet, or it is that of
   * the snapshot.
   */
  get stale(): boolean {
    return this.#source === 'snapshot' || !this.#isKnown || this.#announcer.isClosed || !this.#stored.isCurrent;
  }

  /** What is wrong with the version that is stored now, if it is not valid. */
  get invalid(): InvalidConfigError | undefined {
    return this.#invalid;
  }

  /** What stands at a place of `current`, such as `'db.hosts.0'`; undefined where nothing does. Keys with dots are given as a list. */
  get<const Path extends string, Value = T>(path: Path): ValueAt<Fixed<Value>, Path>;
  get(path: KeyPath): unknown;
  get(path: KeyPath): unknown {
    return valueAt(this.current, keysOfPath(path));
  }

  /** The layer that has the last word at a place, as it was read; undefined where none says anything, as with what a schema adds. */
  origin(path: KeyPath): ConfigOrigin | undefined {
    return this.#current.originOf(keysOfPath(path));
  }

  /**
   * Resolves when `current` is that of the server: at once, but for a start by the snapshot and for a time without a
   * connection.
   *
   * @throws OperationTimeoutError, AbortedError; what has ended it; ClosedError.
   */
  async ready(options: WaitOptions = {}): Promise<void> {
    using wait = new Wait(options, { operation: 'LiveConfig.ready', path: this.path });
    await this.#announcer.until(() => !this.stale, wait);
  }

  /**
   * Makes the new value of the one that is stored, by a {@link ConfigEditor} with the shape, the decoder and the encryption of
   * this configuration. It is written only if this configuration would take it, defaults and placeholders included. For
   * other options (history, parts, ACL) use an editor of your own. `current` shows the change when it is read.
   *
   * @throws InvalidArgumentError if it is made of layers, which are written one by one, or if its decoder cannot write; and
   * as {@link ConfigEditor.update} does.
   */
  async update<Stored = T>(
    change: (before: Stored | undefined) => Stored | undefined | Promise<Stored | undefined>,
    options: ConfigUpdateOptions = {},
  ): Promise<ConfigUpdate<Stored>> {
    if (this.layers.length > 1)
      throw new InvalidArgumentError(
        'it is made of layers; write one of them with a ConfigEditor',
        this.#subject('update'),
      );
    const { shape, decoder, encryption } = this.setting;
    const schema = this.#reader.asSchema<Stored>();
    const editor = new ConfigEditor<Stored>(this.zk, this.path, {
      shape,
      codec: decoder as ConfigFormat,
      encryption,
      schema,
    });
    return await editor.update(change, options);
  }

  /** Calls `listener` at each event of the kind. What it throws, or rejects with, goes to `onListenerError`. */
  on<E extends keyof ConfigEventMap<T>>(event: E, listener: (event: ConfigEventMap<T>[E]) => unknown): this {
    this.#listeners.add(event, listener);
    return this;
  }

  /** Takes a listener off. */
  off<E extends keyof ConfigEventMap<T>>(event: E, listener: (event: ConfigEventMap<T>[E]) => unknown): this {
    this.#listeners.remove(event, listener);
    return this;
  }

  /**
   * Calls `listener` at each change; with a path or a function that selects a part, only when that part has become another
   * one, by what it holds. Returns what takes it off.
   */
  onChange(listener: (change: ConfigChange<T>) => unknown, options?: ChangeOptions): () => void;
  onChange<const Path extends string, Value = T>(
    path: Path,
    listener: (selected: ValueAt<Fixed<Value>, Path>, previous: ValueAt<Fixed<Value>, Path>) => unknown,
    options?: ChangeOptions,
  ): () => void;
  onChange<S>(
    select: ((value: T) => S) | readonly string[],
    listener: (selected: S, previous: S) => unknown,
    options?: ChangeOptions,
  ): () => void;
  onChange(
    selection: string | readonly string[] | ((value: never) => unknown),
    second?: ((selected: never, previous: never) => unknown) | ChangeOptions,
    third?: ChangeOptions,
  ): () => void {
    const [listener, options] =
      typeof second === 'function' ? [whenSelected<T>(selection, second), third] : [selection, second];
    const { signal, ...rest } = options ?? {};
    checkNames(rest, ['signal'], this.#subject('onChange'));
    return this.#listeners.addUntil('change', listener as (change: ConfigChange<T>) => unknown, signal);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    const isSame = (one: ReadConfig<T>, other: ReadConfig<T>): boolean => one.value === other.value;
    for await (const { value } of this.#announcer.each(() => this.#current, isSame)) yield value as T;
  }

  /** Stops following. Iterations end, and no listener is called any more. What is to be kept in the snapshot is written before it resolves. */
  async close(): Promise<void> {
    this.#listeners.clear();
    this.#announcer.end(new ClosedError('it was closed', this.#subject('close'), false));
    await Promise.all([this.#stored.close(), this.#snapshot?.close()]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Resolves when there is a value. */
  async #opened(wait: Wait): Promise<void> {
    const { snapshot } = this.setting;
    if (snapshot === undefined) {
      await wait.race(this.#first.promise);
      return;
    }
    const patience = defer();
    const stop = after(snapshot.wait ?? SNAPSHOT_WAIT, () => patience.resolve());
    let failure: Error | undefined;
    try {
      await wait.race(Promise.race([this.#first.promise, patience.promise]));
    } catch (error) {
      if (!(error instanceof OperationTimeoutError) && !(error instanceof InvalidConfigError)) throw error;
      failure = error;
    } finally {
      stop();
    }
    if (this.#isKnown || (await this.#beginWithSnapshot())) return;
    if (failure !== undefined) throw failure;
    await wait.race(this.#first.promise);
  }

  /** Whether there is a value then. */
  async #beginWithSnapshot(): Promise<boolean> {
    const stored = await this.#snapshot?.read();
    if (stored === undefined) return this.#isKnown;
    try {
      const read = await this.#reader.read(stored);
      // The server may have been faster.
      if (!this.#isKnown) this.#publish(read, 'snapshot');
    } catch (error) {
      if (!(error instanceof InvalidConfigError)) throw error;
      this.#snapshot?.refuse(error);
    }
    return this.#isKnown;
  }

  async #take(stored: readonly StoredLayer[]): Promise<void> {
    const read = await this.#reader.read(stored);
    if (this.#announcer.isClosed) return;
    this.#invalid = undefined;
    this.#publish(read, read.isStored ? 'server' : 'default');
    this.#snapshot?.keep(stored);
    this.#first.resolve();
  }

  #publish(read: ReadConfig<T>, source: ConfigSourceName): void {
    const previous = this.#current;
    this.#current = read;
    this.#source = source;
    this.#isKnown = true;
    this.#listeners.changed(read.value as T, previous.value as T, source);
    this.#announcer.tell();
  }

  /** The last good value stays. */
  #refuse(error: InvalidConfigError): void {
    if (this.#announcer.isClosed) return;
    this.#invalid = error;
    const { onInvalid } = this.setting;
    if (onInvalid !== undefined) this.#listeners.call(() => onInvalid(error));
    this.#listeners.tell('invalid', error);
    this.#first.reject(error);
  }

  #looked(): void {
    if (!this.stale && this.#invalid === undefined) this.#snapshot?.confirm();
    this.#announcer.tell();
  }

  #fail(error: Error): void {
    if (this.#announcer.isClosed) return;
    this.#first.reject(error);
    this.#listeners.tell('failed', error);
    this.#announcer.fail(error);
  }

  #subject(method: string): OptionSubject {
    return { operation: `LiveConfig.${method}`, path: this.path };
  }
}

function pathOf(layers: readonly [ConfigLayer, ...ConfigLayer[]]): string {
  return (layers.at(-1) ?? layers[0]).path;
}
