import type { WaitOptions, ZNode, ZooKeeper } from 'zookit';
import { checkNames, type OptionSubject } from '../common/options.js';
import { Wait } from '../common/waiting.js';
import {
  AtomicNode,
  contentionNames,
  type ContentionOptions,
  type ContentionStats,
  type NodeChange,
  type Proposal,
} from './atomic-node.js';
import { readOptions, type ValueReadOptions } from './read-options.js';
import { checkSerializer, deserialized, type Serializer, serializers } from './serializer.js';

/** How an {@link AtomicValue} behaves. */
export interface AtomicValueOptions<T> extends ContentionOptions {
  /** How values are written and read. Default: JSON. */
  readonly serializer?: Serializer<T> | undefined;
}

/** What came of a change. */
export interface ValueChange<Before, After = Before> {
  /** The value before; undefined where there was none. */
  readonly before: Before;
  /** The value after: the new one, or the old one where nothing was written. */
  readonly after: After;
  readonly stats: ContentionStats;
}

/** What came of a change that has a condition. */
export interface ConditionalChange<Before, After = Before> extends ValueChange<Before, After> {
  /** Whether the condition was met and the value written. */
  readonly succeeded: boolean;
}

/**
 * A value in a znode that several change at the same time: each change is made of the newest value, and none is lost
 * (Curator: DistributedAtomicValue). First without a lock, by the version of the znode; where others are faster too often,
 * under a lock, if there is a `lockPath`.
 *
 * Znode: `PATH`, persistent, with what the serializer makes of the value. Where there is none, or it holds null,
 * there is no value.
 *
 * - A change is made at most once. Over a lost connection it goes on. Where the answer to a write was lost, and it cannot
 *   be told whether it was applied, the change rejects with ConnectionLossError or SessionExpiredError, which say
 *   `mayHaveBeenApplied`; with `receipts` that is so only after an expiry.
 * - No session owns the value: an expiry changes nothing.
 */
export class AtomicValue<T> {
  readonly #node: AtomicNode;
  readonly #serializer: Serializer<T>;

  /** @throws InvalidPathError, InvalidArgumentError. Does not connect. */
  constructor(
    zk: ZooKeeper,
    readonly path: string,
    options: AtomicValueOptions<T> = {},
  ) {
    const subject = { operation: 'AtomicValue', path };
    checkNames(options, [...contentionNames, 'serializer'], subject);
    this.#node = new AtomicNode(zk, path, options, subject);
    if (options.serializer !== undefined) checkSerializer(options.serializer, subject);
    this.#serializer = options.serializer ?? serializers.json<T>();
  }

  /**
   * The value; undefined where there is none. Costs one round trip.
   *
   * @throws InvalidValueError if the data are none; OperationTimeoutError, AbortedError; NoAuthError.
   */
  async get(options: ValueReadOptions = {}): Promise<T | undefined> {
    const { sync, wait } = readOptions(options, this.#subject('get'));
    using _ = wait;
    return this.#decode(await this.#node.read(wait, sync));
  }

  /**
   * Makes the new value of the old one. `change` is called again when somebody else was faster; what it throws ends it.
   * Two round trips where nobody else writes.
   *
   * @throws ContentionError when the policy ends it; InvalidValueError; OperationTimeoutError, AbortedError;
   * ConnectionLossError and SessionExpiredError with `mayHaveBeenApplied`; NoAuthError.
   */
  async update(
    change: (before: T | undefined) => T | Promise<T>,
    options: WaitOptions = {},
  ): Promise<ValueChange<T | undefined, T>> {
    using wait = new Wait(options, this.#subject('update'));
    const make = async (node: ZNode | undefined): Promise<Made<T>> => {
      const before = this.#decode(node);
      return this.#made(before, await change(before));
    };
    return resultOf(await this.#node.change(make, false, wait));
  }

  /** Sets the value, whatever it was; `before` is undefined where it was none. Throws as {@link update} does. */
  async set(value: T, options: WaitOptions = {}): Promise<ValueChange<T | undefined, T>> {
    using wait = new Wait(options, this.#subject('set'));
    const make = (node: ZNode | undefined): Made<T> => this.#made(this.#decodeAny(node), value);
    return resultOf(await this.#node.change(make, true, wait));
  }

  /**
   * Sets the value if it is the expected one: if their data are the same. `undefined` expects none. Throws as
   * {@link update} does.
   */
  async compareAndSet(
    expected: T | undefined,
    value: T,
    options: WaitOptions = {},
  ): Promise<ConditionalChange<T | undefined>> {
    using wait = new Wait(options, this.#subject('compareAndSet'));
    const wanted = expected === undefined ? undefined : this.#encode(expected);
    const make = (node: ZNode | undefined): Made<T> | undefined => {
      const isExpected = wanted === undefined ? isNone(node) : node?.data.equals(wanted) === true;
      return isExpected ? this.#made(expected, value) : undefined;
    };
    const { node, written, stats } = await this.#node.change(make, false, wait);
    const before = this.#decodeAny(node);
    return { succeeded: written !== undefined, before, after: written === undefined ? before : value, stats };
  }

  /** Sets the value where there is none. Resolves with whether that was so. Throws as {@link update} does. */
  async initialize(value: T, options: WaitOptions = {}): Promise<boolean> {
    using wait = new Wait(options, this.#subject('initialize'));
    return await this.#node.initialize(this.#encode(value), wait);
  }

  #made(before: T | undefined, after: T): Made<T> {
    return { data: this.#encode(after), before, after };
  }

  #encode(value: T): Buffer {
    const data = this.#serializer.serialize(value);
    return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  }

  #decode(node: ZNode | undefined): T | undefined {
    return isNone(node) ? undefined : deserialized(this.#serializer, node, this.#subject('get'));
  }

  /** As {@link #decode}; what is no value is none. */
  #decodeAny(node: ZNode | undefined): T | undefined {
    try {
      return this.#decode(node);
    } catch {
      return undefined;
    }
  }

  #subject(method: string): OptionSubject {
    return { operation: `AtomicValue.${method}`, path: this.path };
  }
}

/** A value that is to be written. */
interface Made<T> extends Proposal {
  readonly before: T | undefined;
  readonly after: T;
}

function resultOf<T>({ written, stats }: NodeChange<Made<T>>): ValueChange<T | undefined, T> {
  return { before: written.before, after: written.after, stats };
}

/** Whether there is no value. A znode that was created as a parent of others holds null. */
function isNone(node: ZNode | undefined): node is undefined {
  return node === undefined || node.isNull;
}
