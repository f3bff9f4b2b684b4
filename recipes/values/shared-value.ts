import {
  checkPath,
  type Long,
  NoNodeError,
  type OneShotEvent,
  type WaitOptions,
  type ZNode,
  type ZooKeeper,
} from 'zookit';
import { LiveView } from '../common/live-view.js';
import { checkNames, type OptionSubject, waitNames } from '../common/options.js';
import { Wait } from '../common/waiting.js';
import { AtomicNode, seenIn } from './atomic-node.js';
import { plant, replace } from './conditional-write.js';
import { InvalidValueError } from './errors.js';
import { checkSerializer, deserialized, type Serializer, serializers } from './serializer.js';

/** How a {@link SharedValue} behaves. */
export interface SharedValueOptions<T> extends WaitOptions {
  /** The value that is written where there is no znode, and that counts as long as there is none. */
  readonly initial: T;
  /** How values are written and read. Default: JSON. */
  readonly serializer?: Serializer<T> | undefined;
  /** Called with each value that is seen after the first one; values that come too fast are passed over, the last one never. */
  readonly onChange?: ((value: VersionedValue<T>) => void) | undefined;
}

/** A value as it was seen. */
export interface VersionedValue<T> {
  readonly value: T;
  /** The version of the znode's data; undefined: there was no znode. */
  readonly version: number | undefined;
  /** The zxid of the write; undefined: there was no znode. */
  readonly zxid: Long | undefined;
}

/**
 * A value in a znode of which each who opens it has a copy that is kept current (Curator: SharedValue, SharedCount).
 *
 * Znode: `PATH`, persistent, with what the serializer makes of the value. With `serializers.int32` it is Curator's
 * SharedCount, and kazoo's Counter with `support_curator`.
 *
 * - While connected: current, as fast as the watch tells.
 * - While disconnected, and until a new session has looked: the last value, and `stale` is true.
 *
 * Iterate it for the value now and for each later one; values that come too fast are passed over, the last one never.
 */
export class SharedValue<T> implements AsyncIterable<VersionedValue<T>>, AsyncDisposable {
  /**
   * Creates the znode with the initial value where there is none, follows it, and resolves with the first value.
   *
   * @throws InvalidValueError if the data there are none; InvalidPathError, InvalidArgumentError; OperationTimeoutError,
   * AbortedError; NoAuthError.
   */
  static async open<T>(zk: ZooKeeper, path: string, options: SharedValueOptions<T>): Promise<SharedValue<T>> {
    const subject = { operation: 'SharedValue.open', path };
    checkPath(path, subject.operation);
    checkNames(options, [...waitNames, 'initial', 'serializer', 'onChange'], subject);
    const { timeout, signal, serializer = serializers.json<T>() } = options;
    checkSerializer(serializer, subject);
    using wait = new Wait({ timeout, signal }, subject);
    await plant(zk, path, Buffer.from(serializer.serialize(options.initial)), wait);
    const shared = new SharedValue(zk, path, serializer, options);
    try {
      await shared.#live.until(() => shared.#isOpen, wait);
      return shared;
    } catch (error) {
      await shared.close();
      throw error;
    }
  }

  readonly #node: AtomicNode;
  readonly #live: LiveView;
  #current: VersionedValue<T>;
  /** What the current value was read of. */
  #seen: ZNode | undefined;
  #isKnown = false;
  #invalid: InvalidValueError | undefined;

  private constructor(
    private readonly zk: ZooKeeper,
    readonly path: string,
    private readonly serializer: Serializer<T>,
    private readonly options: SharedValueOptions<T>,
  ) {
    this.#current = { value: options.initial, version: undefined, zxid: undefined };
    this.#node = new AtomicNode(zk, path, {}, this.#subject('set'));
    this.#live = new LiveView(zk, this.#subject('follow'), (changed) => this.#look(changed));
    this.#live.start();
  }

  /** The last value that was seen. */
  get current(): T {
    return this.#current.value;
  }

  /** The last value that was seen, with its version: for {@link trySet}. The same object until another one is seen. */
  get versioned(): VersionedValue<T> {
    return this.#current;
  }

  /** Whether `current` may be out of date: there is no connection, or a change is known and not read yet. */
  get stale(): boolean {
    return !this.#live.isCurrent;
  }

  /** What is wrong with the data that the znode holds now, if they are no value. The last good value stays. */
  get invalid(): InvalidValueError | undefined {
    return this.#invalid;
  }

  /**
   * Sets the value, whatever it was. When it resolves, `current` shows it, or a later one. At most once, as
   * {@link AtomicValue}: @throws ConnectionLossError and SessionExpiredError with `mayHaveBeenApplied`;
   * OperationTimeoutError, AbortedError; NoAuthError.
   */
  async set(value: T, options: WaitOptions = {}): Promise<void> {
    using wait = new Wait(options, this.#subject('set'));
    const data = this.#encode(value);
    await this.#node.change(() => ({ data }), true, wait);
    await this.#catchUp(wait);
  }

  /**
   * Sets the value if it is still the one that was seen as `previous`. Resolves with whether that was so; either way,
   * `current` is then up to date. Throws as {@link set} does.
   */
  async trySet(previous: VersionedValue<T>, value: T, options: WaitOptions = {}): Promise<boolean> {
    using wait = new Wait(options, this.#subject('trySet'));
    const data = this.#encode(value);
    const isNewest = previous === this.#current || isSame(previous.zxid, this.#current.zxid);
    if (!isNewest) return false;
    const rule = { repeatable: false, receipts: false };
    const succeeded = await replace(this.zk, this.path, seenIn(this.#seen), data, rule, wait);
    // Who was refused has missed something, and looks also where no watch has told of it yet.
    if (!succeeded) this.#live.wake();
    await this.#catchUp(wait);
    return succeeded;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<VersionedValue<T>, void, undefined> {
    yield* this.#live.each(() => this.#current);
  }

  /** Stops following. The value stays; iterations end. */
  async close(): Promise<void> {
    await this.#live.close();
    this.zk.unwatch(this.path, this.#live.wake);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #look(changed: () => void): Promise<void> {
    const node = await this.#read(changed);
    if (this.#isKnown && isSame(node?.stat.mzxid, this.#seen?.stat.mzxid)) return;
    try {
      const value = node === undefined ? this.options.initial : this.#decode(node);
      const next = { value, version: node?.stat.version, zxid: node?.stat.mzxid };
      this.#invalid = undefined;
      this.#seen = node;
      this.#current = next;
      if (this.#isKnown) this.#announce(next);
      this.#isKnown = true;
    } catch (error) {
      if (!(error instanceof InvalidValueError)) throw error;
      this.#invalid = error;
    }
  }

  async #read(changed: (event: OneShotEvent) => void): Promise<ZNode | undefined> {
    const options = { watch: changed, signal: this.#live.closing };
    for (;;) {
      try {
        return await this.zk.getData(this.path, options);
      } catch (error) {
        if (!(error instanceof NoNodeError)) throw error;
      }
      // The watch tells when it is created. If that happened just now, read it.
      if ((await this.zk.exists(this.path, options)) === null) return undefined;
    }
  }

  /** Lets the copy come up with what was written, as long as the wait and the connection last. */
  async #catchUp(wait: Wait): Promise<void> {
    while (!this.#live.isCurrent && this.zk.state === 'connected' && !this.#isOver) {
      try {
        await wait.race(this.#live.changed);
      } catch {
        // What was written is written.
        return;
      }
    }
  }

  get #isOver(): boolean {
    return this.#live.failure !== undefined;
  }

  /** Whether there is a value. Throws what is wrong with the first one. */
  get #isOpen(): boolean {
    if (!this.#isKnown && this.#invalid !== undefined) throw this.#invalid;
    return this.#isKnown;
  }

  #encode(value: T): Buffer {
    return Buffer.from(this.serializer.serialize(value));
  }

  #decode(node: ZNode): T {
    return deserialized(this.serializer, node, this.#subject('read'));
  }

  /** On a turn of its own: what it throws is its own affair. */
  #announce(value: VersionedValue<T>): void {
    const { onChange } = this.options;
    if (onChange !== undefined) queueMicrotask(() => onChange(value));
  }

  #subject(method: string): OptionSubject {
    return { operation: `SharedValue.${method}`, path: this.path };
  }
}

/** Whether both are of the same write, or none is of any. */
function isSame(a: Long | undefined, b: Long | undefined): boolean {
  return a === undefined || b === undefined ? a === b : a.equals(b);
}
