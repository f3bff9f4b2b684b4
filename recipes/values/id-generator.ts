import { InvalidArgumentError, type WaitOptions, type ZooKeeper } from 'zookit';
import { checkNames, type OptionSubject } from '../common/options.js';
import { canTryAgain, pause, Wait } from '../common/waiting.js';
import { contentionNames, type ContentionOptions } from './atomic-node.js';
import { Counter } from './counter.js';
import { checkOneOf, type CounterNumbers, outputs } from './counter-format.js';
import { CounterOverflowError } from './errors.js';

/** How an {@link IdGenerator} behaves. */
export interface IdGeneratorOptions<As extends keyof CounterNumbers = 'number'> extends ContentionOptions {
  /** How many numbers are fetched at once. What a process has fetched and not used when it ends is never used. Default 100. */
  readonly blockSize?: number | undefined;
  /** The type in which numbers are given. Default `number`. */
  readonly as?: As | undefined;
}

const STANDARD_BLOCK = 100;

/**
 * Gives numbers that nobody else is given, in blocks that are fetched from a counter (Curator: CachedAtomicLong).
 *
 * Znode: `PATH`, persistent, eight bytes, big endian: the last number that belongs to any block. The first number is 1.
 *
 * - Numbers of one generator grow; among several generators a larger number need not be a later one.
 * - While disconnected: the rest of the block is given; then `next()` waits for the connection.
 * - Where it is not known whether a block was fetched, another one is: numbers may be left out, none comes twice.
 */
export class IdGenerator<As extends keyof CounterNumbers = 'number'> {
  readonly #counter: Counter<'bigint'>;
  readonly #as: keyof CounterNumbers;
  readonly #blockSize: number;
  /** The next number of the block, and the last one. */
  #next = 1n;
  #last = 0n;
  #fetching: Promise<void> | undefined;

  /** @throws InvalidPathError, InvalidArgumentError. Does not connect. */
  constructor(
    private readonly zk: ZooKeeper,
    readonly path: string,
    options: IdGeneratorOptions<As> = {},
  ) {
    const subject = this.#subject('new');
    checkNames(options, [...contentionNames, 'blockSize', 'as'], subject);
    const { blockSize = STANDARD_BLOCK, as = 'number', ...contention } = options;
    if (!Number.isSafeInteger(blockSize) || blockSize < 1)
      throw new InvalidArgumentError(`blockSize is ${String(blockSize)}; it must be a whole number from 1 on`, subject);
    checkOneOf('as', as, outputs, subject);
    this.#counter = new Counter(zk, path, { ...contention, as: 'bigint' });
    this.#blockSize = blockSize;
    this.#as = as;
  }

  /**
   * The next number. Costs nothing within a block, and two round trips to fetch one; who asks meanwhile waits for the same.
   *
   * @throws CounterOverflowError at the end of the range or of the type; InvalidValueError; ContentionError when the
   * policy ends it; OperationTimeoutError, AbortedError; NoAuthError.
   */
  async next(options: WaitOptions = {}): Promise<CounterNumbers[As]> {
    using wait = new Wait(options, this.#subject('next'));
    while (this.#next > this.#last) {
      this.#fetching ??= this.#fetch();
      await wait.race(this.#fetching);
    }
    const id = outputs[this.#as](this.#next++);
    if (id === undefined) {
      const problem = `${this.#next - 1n} does not fit into a ${this.#as} exactly; the option as: 'bigint' takes any`;
      throw new CounterOverflowError(problem, this.#subject('next'));
    }
    // What belongs to `as` is what it makes.
    return id as CounterNumbers[As];
  }

  async #fetch(): Promise<void> {
    try {
      for (let failures = 0; ;) {
        try {
          const { before, after } = await this.#counter.add(this.#blockSize);
          this.#next = before + 1n;
          this.#last = after;
          return;
        } catch (error) {
          if (!canTryAgain(this.zk, error)) throw error;
          await pause(this.zk, failures++);
        }
      }
    } finally {
      this.#fetching = undefined;
    }
  }

  #subject(method: string): OptionSubject {
    return { operation: `IdGenerator.${method}`, path: this.path };
  }
}
