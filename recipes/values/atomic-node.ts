import {
  checkPath,
  InvalidArgumentError,
  NoNodeError,
  retries,
  type RetryPolicy,
  type ZNode,
  type ZooKeeper,
} from 'zookit';
import type { OptionSubject } from '../common/options.js';
import { after, defer, lookUntil, now, type Wait } from '../common/waiting.js';
import type { Lock } from '../locks/mutex-lock.js';
import { Mutex } from '../locks/mutex.js';
import { plant, replace, type Seen } from './conditional-write.js';
import { ContentionError } from './errors.js';

/** How values that several change at the same time are changed. */
export interface ContentionOptions {
  /**
   * What comes after a change for which somebody else was faster: a pause in milliseconds and another try, or
   * `undefined`: the change is made under the lock, or, where there is no `lockPath`, rejects with ContentionError.
   * Default: pauses that grow to half a second, without an end; with a `lockPath` five tries.
   */
  readonly retry?: RetryPolicy | undefined;
  /**
   * The path of a {@link Mutex} under which changes are made that were not possible without it (Curator:
   * PromotedToLock). Default: none.
   */
  readonly lockPath?: string | undefined;
  /**
   * Whether each write leaves an ephemeral znode below the value, in the same transaction, which is deleted when the
   * answer is there. By it the outcome of a write can be told whose answer was lost, as long as the session lives; without
   * it that is not always possible, and the write rejects with `mayHaveBeenApplied`. Default `false`.
   */
  readonly receipts?: boolean | undefined;
}

export const contentionNames = [
  'retry',
  'lockPath',
  'receipts',
] as const satisfies readonly (keyof ContentionOptions)[];

/** How much a change was contended for. */
export interface ContentionStats {
  /** Tries without the lock: 1 where nobody else has written. */
  readonly optimisticTries: number;
  /** Tries under the lock. */
  readonly promotedTries: number;
  /** How long the tries without the lock took, milliseconds. */
  readonly optimisticTime: number;
  /** How long the tries under the lock took, with the wait for it, milliseconds. */
  readonly promotedTime: number;
}

/** What is to take the place of what is there, with whatever else belongs to it. */
export interface Proposal {
  readonly data: Buffer;
}

/** What came of a change. */
export interface NodeChange<P extends Proposal | undefined> {
  /** What was there before. */
  readonly node: ZNode | undefined;
  /** What was written; undefined where there was nothing to change. */
  readonly written: P;
  readonly stats: ContentionStats;
}

/** Makes the new of the old; undefined: nothing is to change. Called again when somebody else was faster. */
export type Make<P extends Proposal | undefined> = (node: ZNode | undefined) => P | Promise<P>;

/** How a series of tries ended; without `outcome`, the policy has ended it. */
interface Tries<P extends Proposal | undefined> {
  readonly tries: number;
  readonly outcome?: Omit<NodeChange<P>, 'stats'>;
}

const BETWEEN_TRIES = { first: 10, longest: 500 } as const;
const TRIES_BEFORE_LOCK = 5;
const underLock = retries.exponential(BETWEEN_TRIES);

/** A znode whose data are changed as a whole: read, and written if nobody else has written in between. */
export class AtomicNode {
  readonly #mutex: Mutex | undefined;
  readonly #policy: RetryPolicy;

  constructor(
    private readonly zk: ZooKeeper,
    readonly path: string,
    private readonly options: ContentionOptions,
    private readonly subject: OptionSubject,
    /** What is put there before the first change, where there is nothing; undefined: the first change creates it. */
    private readonly seed?: Buffer,
  ) {
    checkPath(path, subject.operation);
    const { retry, lockPath, receipts } = options;
    if (retry !== undefined && typeof retry !== 'function')
      throw new InvalidArgumentError('retry must be a function, such as retries.exponential()', subject);
    if (receipts !== undefined && typeof receipts !== 'boolean')
      throw new InvalidArgumentError(`receipts is ${String(receipts)}; it must be true or false`, subject);
    this.#mutex = lockPath === undefined ? undefined : new Mutex(zk, lockPath);
    const attempts = lockPath === undefined ? undefined : TRIES_BEFORE_LOCK;
    this.#policy = retry ?? retries.exponential({ ...BETWEEN_TRIES, attempts });
  }

  /** What is there. */
  async read(wait: Wait, sync: boolean): Promise<ZNode | undefined> {
    const { node } = await lookUntil(
      this.zk,
      wait,
      async () => ({ node: await this.#look(wait, sync) }),
      () => undefined,
    );
    return node;
  }

  /** Writes what `make` makes of what is there, as often as need be. `repeatable` is that of {@link replace}. */
  async change<P extends Proposal | undefined>(make: Make<P>, repeatable: boolean, wait: Wait): Promise<NodeChange<P>> {
    const begin = now();
    const free = await this.#tryOften(make, repeatable, this.#policy, wait);
    const middle = now();
    const stats = { optimisticTries: free.tries, promotedTries: 0, optimisticTime: middle - begin, promotedTime: 0 };
    if (free.outcome !== undefined) return { ...free.outcome, stats };
    if (this.#mutex === undefined) throw new ContentionError(`others were faster ${free.tries} times`, this.subject);
    const lock = await this.#lock(this.#mutex, wait);
    try {
      // Others may change it without the lock, so it may take more than one try.
      const { outcome, tries } = await this.#tryOften(make, repeatable, underLock, wait);
      if (outcome === undefined)
        throw new ContentionError(`others were faster ${free.tries + tries} times`, this.subject);
      return { ...outcome, stats: { ...stats, promotedTries: tries, promotedTime: now() - middle } };
    } finally {
      // The change is done, whenever the lock is back.
      lock.release().catch(() => undefined);
    }
  }

  async #tryOften<P extends Proposal | undefined>(
    make: Make<P>,
    repeatable: boolean,
    policy: RetryPolicy,
    wait: Wait,
  ): Promise<Tries<P>> {
    const begin = now();
    const rule = { repeatable, receipts: this.options.receipts === true };
    for (let tries = 1; ; tries++) {
      const node = await this.#start(wait);
      const proposal = await wait.race(Promise.resolve(make(node)));
      const isDone =
        proposal === undefined || (await replace(this.zk, this.path, seenIn(node), proposal.data, rule, wait));
      if (isDone) return { tries, outcome: { node, written: proposal } };
      const error = new ContentionError('somebody else was faster', this.subject);
      const pause = policy({ attempt: tries, elapsed: now() - begin, error });
      if (pause === undefined) return { tries };
      await sleep(pause, wait);
    }
  }

  /** Writes the data where there is no znode, or one that holds null. Resolves with whether that was so. */
  async initialize(data: Buffer, wait: Wait): Promise<boolean> {
    const node = await this.read(wait, false);
    if (node?.isNull === false) return false;
    return await replace(this.zk, this.path, seenIn(node), data, { repeatable: true, receipts: false }, wait);
  }

  async #lock(mutex: Mutex, wait: Wait): Promise<Lock> {
    try {
      return await mutex.acquire({ signal: wait.signal });
    } catch (error) {
      wait.check();
      throw error;
    }
  }

  /** What a change begins with. Of two who create the same, both have done it: so the change itself finds a version. */
  async #start(wait: Wait): Promise<ZNode | undefined> {
    const node = await this.read(wait, false);
    if (node !== undefined || this.seed === undefined) return node;
    await plant(this.zk, this.path, this.seed, wait);
    return await this.read(wait, false);
  }

  async #look(wait: Wait, sync: boolean): Promise<ZNode | undefined> {
    try {
      return await this.zk.getData(this.path, { sync, signal: wait.signal });
    } catch (error) {
      if (error instanceof NoNodeError) return undefined;
      throw error;
    }
  }
}

/** As {@link replace} needs it. */
export function seenIn(node: ZNode | undefined): Seen {
  return node === undefined ? undefined : { version: node.stat.version, czxid: node.stat.czxid };
}

async function sleep(milliseconds: number, wait: Wait): Promise<void> {
  const over = defer();
  const stop = after(milliseconds, () => over.resolve());
  try {
    await wait.race(over.promise);
  } finally {
    stop();
  }
}
