import { InvalidArgumentError, type WaitOptions, type ZNode, type ZooKeeper } from 'zookit';
import { checkNames, type OptionSubject } from '../common/options.js';
import { Wait } from '../common/waiting.js';
import { AtomicNode, contentionNames, type ContentionOptions, type Proposal } from './atomic-node.js';
import type { ConditionalChange, ValueChange } from './atomic-value.js';
import {
  checkOneOf,
  type CounterFormat,
  type CounterInput,
  type CounterNumbers,
  type Format,
  formats,
  inputOf,
  outputs,
} from './counter-format.js';
import { CounterOverflowError, InvalidValueError } from './errors.js';
import { readOptions, type ValueReadOptions } from './read-options.js';

/** How a {@link Counter} behaves. */
export interface CounterOptions<As extends keyof CounterNumbers = 'number'> extends ContentionOptions {
  /**
   * How the number is written into the znode. `int64`: eight bytes, as Curator's DistributedAtomicLong; `int32`: four, as
   * its SharedCount and DistributedAtomicInteger, and as kazoo's Counter with `support_curator`; `text`: decimal digits,
   * as kazoo's Counter. Default `int64`.
   */
  readonly format?: CounterFormat | undefined;
  /** The type in which numbers are given. What does not fit into it is an error, never another number. Default `number`. */
  readonly as?: As | undefined;
  /** The number where there is no znode yet, or one without data. Default 0. */
  readonly initial?: CounterInput | undefined;
}

/** What is to be written. */
interface Counted extends Proposal {
  readonly after: bigint;
}

/**
 * A whole number in a znode that several count up and down (Curator: DistributedAtomicLong, DistributedAtomicInteger;
 * kazoo: Counter). None of the changes is lost, none is made twice, and a number that leaves its range is an error.
 *
 * Znode: `PATH`, persistent, with the number in one of the layouts of Curator and kazoo.
 *
 * - A change is made at most once. Over a lost connection it goes on. Where the answer to a write was lost, and it cannot
 *   be told whether it was applied, the change rejects with ConnectionLossError or SessionExpiredError, which say
 *   `mayHaveBeenApplied`; with `receipts` that is so only after an expiry.
 * - No session owns the number: an expiry changes nothing.
 */
export class Counter<As extends keyof CounterNumbers = 'number'> {
  readonly #node: AtomicNode;
  readonly #format: Format;
  readonly #initial: bigint;
  readonly #as: keyof CounterNumbers;

  /** @throws InvalidPathError, InvalidArgumentError. Does not connect. */
  constructor(
    zk: ZooKeeper,
    readonly path: string,
    options: CounterOptions<As> = {},
  ) {
    const subject = { operation: 'Counter', path };
    checkNames(options, [...contentionNames, 'format', 'as', 'initial'], subject);
    const { format = 'int64', as = 'number', initial = 0 } = options;
    checkOneOf('format', format, formats, subject);
    checkOneOf('as', as, outputs, subject);
    this.#format = formats[format];
    this.#as = as;
    this.#initial = this.#checked(this.#input('initial', initial, 'new'), 'new');
    this.#node = new AtomicNode(zk, path, options, subject, this.#format.write(this.#initial));
  }

  /**
   * The number. Costs one round trip.
   *
   * @throws InvalidValueError if the data are no number of this format; CounterOverflowError if it does not fit into the
   * type; OperationTimeoutError, AbortedError; NoAuthError.
   */
  async get(options: ValueReadOptions = {}): Promise<CounterNumbers[As]> {
    const { sync, wait } = readOptions(options, this.#subject('get'));
    using _ = wait;
    return this.#output(this.#read(await this.#node.read(wait, sync)), 'get');
  }

  /**
   * Adds a number, which may be negative. Two round trips where nobody else counts.
   *
   * @throws CounterOverflowError if the sum leaves the range of the format or of the type, and nothing is written;
   * InvalidValueError; ContentionError when the policy ends it; OperationTimeoutError, AbortedError; ConnectionLossError
   * and SessionExpiredError with `mayHaveBeenApplied`; NoAuthError.
   */
  add(delta: CounterInput, options: WaitOptions = {}): Promise<ValueChange<CounterNumbers[As]>> {
    return this.#add('add', delta, 1n, options);
  }

  /** Takes a number away. Throws as {@link add} does. */
  subtract(delta: CounterInput, options: WaitOptions = {}): Promise<ValueChange<CounterNumbers[As]>> {
    return this.#add('subtract', delta, -1n, options);
  }

  /** Adds 1. Throws as {@link add} does. */
  increment(options: WaitOptions = {}): Promise<ValueChange<CounterNumbers[As]>> {
    return this.#add('increment', 1, 1n, options);
  }

  /** Takes 1 away. Throws as {@link add} does. */
  decrement(options: WaitOptions = {}): Promise<ValueChange<CounterNumbers[As]>> {
    return this.#add('decrement', 1, -1n, options);
  }

  /** Sets the number, whatever it was. `before` is the initial one where the data were none. Throws as {@link add} does. */
  async set(value: CounterInput, options: WaitOptions = {}): Promise<ValueChange<CounterNumbers[As]>> {
    const after = this.#checked(this.#input('value', value, 'set'), 'set');
    const { before, stats, ...change } = await this.#change('set', () => after, true, options);
    return { before, after: change.after, stats };
  }

  /** Sets the number if it is the expected one. Throws as {@link add} does. */
  async compareAndSet(
    expected: CounterInput,
    value: CounterInput,
    options: WaitOptions = {},
  ): Promise<ConditionalChange<CounterNumbers[As]>> {
    const name = 'compareAndSet';
    const wanted = this.#input('expected', expected, name);
    const after = this.#checked(this.#input('value', value, name), name);
    return await this.#change(name, (before) => (before === wanted ? after : undefined), false, options);
  }

  /** Sets the number where there is no znode. Resolves with whether that was so. Throws as {@link add} does. */
  async initialize(value: CounterInput, options: WaitOptions = {}): Promise<boolean> {
    const name = 'initialize';
    const after = this.#checked(this.#input('value', value, name), name);
    using wait = new Wait(options, this.#subject(name));
    return await this.#node.initialize(this.#format.write(after), wait);
  }

  async #add(
    name: string,
    delta: CounterInput,
    sign: 1n | -1n,
    options: WaitOptions,
  ): Promise<ValueChange<CounterNumbers[As]>> {
    const signed = sign * this.#input('delta', delta, name);
    const { before, after, stats } = await this.#change(
      name,
      (number) => this.#checked(number + signed, name),
      false,
      options,
    );
    return { before, after, stats };
  }

  /** `count` makes the new number of the old one; undefined: it stays. */
  async #change(
    name: string,
    count: (before: bigint) => bigint | undefined,
    repeatable: boolean,
    options: WaitOptions,
  ): Promise<ConditionalChange<CounterNumbers[As]>> {
    using wait = new Wait(options, this.#subject(name));
    let before = this.#initial;
    const make = (node: ZNode | undefined): Counted | undefined => {
      before = repeatable ? this.#readAny(node) : this.#read(node);
      const after = count(before);
      return after === undefined ? undefined : { data: this.#format.write(after), after };
    };
    const { written, stats } = await this.#node.change(make, repeatable, wait);
    return {
      succeeded: written !== undefined,
      before: this.#output(before, name),
      after: this.#output(written?.after ?? before, name),
      stats,
    };
  }

  #read(node: ZNode | undefined): bigint {
    if (node === undefined || node.data.length === 0) return this.#initial;
    const value = this.#format.read(node.data);
    if (value !== undefined) return value;
    const problem = `the data are no counter of this format: ${node.data.length} bytes; they must be ${this.#format.data}`;
    throw new InvalidValueError(problem, this.#subject('get'));
  }

  /** As {@link #read}; what is no number, or does not fit, counts as the initial one. */
  #readAny(node: ZNode | undefined): bigint {
    try {
      const value = this.#read(node);
      return outputs[this.#as](value) === undefined ? this.#initial : value;
    } catch {
      return this.#initial;
    }
  }

  #input(name: string, value: CounterInput, method: string): bigint {
    const number = inputOf(value);
    if (number !== undefined) return number;
    const problem = `${name} is ${String(value)}; it must be a whole number: a safe integer, a bigint or a Long`;
    throw new InvalidArgumentError(problem, this.#subject(method));
  }

  /** Refuses to write what would not be read again. */
  #checked(value: bigint, method: string): bigint {
    if (!this.#format.fits(value)) {
      const problem = `${value} is out of range, which is ${this.#format.range}`;
      throw new CounterOverflowError(problem, this.#subject(method));
    }
    this.#output(value, method);
    return value;
  }

  #output(value: bigint, method: string): CounterNumbers[As] {
    const number = outputs[this.#as](value);
    // What belongs to `as` is what it makes.
    if (number !== undefined) return number as CounterNumbers[As];
    const problem = `${value} does not fit into a ${this.#as} exactly; the option as: 'bigint' takes any`;
    throw new CounterOverflowError(problem, this.#subject(method));
  }

  #subject(method: string): OptionSubject {
    return { operation: `Counter.${method}`, path: this.path };
  }
}
