import { randomUUID } from 'node:crypto';
import {
  BadVersionError,
  childPath,
  type Long,
  NodeExistsError,
  NoNodeError,
  parentOf,
  type SessionInfo,
  UnansweredError,
  type ZNode,
  type ZooKeeper,
  ZooKeeperError,
} from 'zookit';
import { sweep } from '../common/sweeper.js';
import { canTryAgain, lookUntil, pause, type Wait } from '../common/waiting.js';

/** Which state of a znode was seen; undefined: there was none. */
export type Seen = { readonly version: number; readonly czxid: Long } | undefined;

/** How {@link replace} writes. */
export interface WriteRule {
  /** Whether a write of the same data by somebody else does as well: it is then taken for ours. */
  readonly repeatable: boolean;
  /** Whether the write leaves an ephemeral znode beside it by which its outcome can be told. */
  readonly receipts: boolean;
}

/** The version that a server takes for any: what has it cannot be written on condition. */
const ANY_VERSION = -1;

/**
 * Puts data in the place of what was seen, at most once. Resolves with whether that was done: not if somebody else has
 * written since. After a lost connection it is tried again, on the same condition; where a refusal then does not tell
 * whether the first try was applied, it rejects with the error of that try, which has `mayHaveBeenApplied`.
 */
export async function replace(
  zk: ZooKeeper,
  path: string,
  seen: Seen,
  data: Buffer,
  rule: WriteRule,
  wait: Wait,
): Promise<boolean> {
  if (seen?.version === ANY_VERSION) {
    const problem = 'the version has come to -1, which stands for any: no condition can be put on it';
    throw new BadVersionError(`${problem}; write to the znode once while nobody else does`, { path });
  }
  return await new Replacement(zk, path, seen, data, rule, wait).run();
}

/** Sees to it that there is a znode; what is there stays as it is. Done twice, it does no harm. */
export async function plant(zk: ZooKeeper, path: string, data: Buffer, wait: Wait): Promise<void> {
  await lookUntil<true>(
    zk,
    wait,
    async () => {
      try {
        await zk.create(path, data, { parents: 'container', signal: wait.signal });
      } catch (error) {
        if (!(error instanceof NodeExistsError)) throw error;
      }
      return true;
    },
    () => undefined,
  );
}

class Replacement {
  readonly #session: SessionInfo;
  readonly #receipt: string | undefined;
  /** Why it is not known whether an earlier try was applied. */
  #doubt: UnansweredError | undefined;

  constructor(
    private readonly zk: ZooKeeper,
    private readonly path: string,
    private readonly seen: Seen,
    private readonly data: Buffer,
    private readonly rule: WriteRule,
    private readonly wait: Wait,
  ) {
    this.#session = zk.session;
    this.#receipt = rule.receipts ? childPath(path, `receipt-${randomUUID()}`) : undefined;
  }

  async run(): Promise<boolean> {
    try {
      for (let failures = 0; ; failures++) {
        const outcome = await this.#try();
        if (outcome !== undefined) return outcome;
        await this.wait.race(pause(this.zk, failures, this.wait.signal));
      }
    } catch (error) {
      throw this.#named(error);
    } finally {
      this.#sweepReceipt();
    }
  }

  /** Undefined: to be tried again. */
  async #try(): Promise<boolean | undefined> {
    this.wait.check();
    try {
      await this.#write();
      return true;
    } catch (error) {
      if (error instanceof UnansweredError && error.mayHaveBeenApplied) this.#doubt ??= error;
      this.wait.check();
      if (isConflict(error)) return this.#doubt === undefined ? false : await this.#tell(this.#doubt);
      if (!canTryAgain(this.zk, error)) throw error;
      return undefined;
    }
  }

  async #write(): Promise<void> {
    const { zk, path, data, seen } = this;
    const { signal } = this.wait;
    if (this.#receipt === undefined) {
      if (seen === undefined) await zk.create(path, data, { parents: 'container', signal });
      else await zk.setData(path, data, seen.version, { signal });
      return;
    }
    if (seen === undefined) await zk.ensurePath(parentOf(path), 'container', { signal });
    const writing =
      seen === undefined ? zk.transaction().create(path, data) : zk.transaction().setData(path, data, seen.version);
    await writing.create(this.#receipt, null, { mode: 'ephemeral' }).commit({ signal });
  }

  /** Whether an earlier try was applied, now that a further one was refused. Undefined: could not be read this time. */
  async #tell(doubt: UnansweredError): Promise<boolean | undefined> {
    try {
      if (this.#receipt !== undefined) {
        if (await this.zk.has(this.#receipt, { signal: this.wait.signal })) return true;
        // With its session it would be gone in any case.
        if (this.zk.session === this.#session) return false;
      }
      const node = await this.zk.getData(this.path, { signal: this.wait.signal });
      const outcome = this.#outcomeIn(node);
      if (outcome !== undefined) return outcome;
    } catch (error) {
      this.wait.check();
      if (canTryAgain(this.zk, error)) return undefined;
    }
    throw doubt;
  }

  /** What the znode shows of our write. Undefined: nothing that would tell it from the write of another. */
  #outcomeIn({ stat, data }: ZNode): boolean | undefined {
    const isNext =
      this.seen === undefined
        ? stat.version === 0
        : stat.czxid.equals(this.seen.czxid) && stat.version === ((this.seen.version + 1) | 0);
    if (!isNext) return undefined;
    if (data.equals(this.data)) return this.rule.repeatable ? true : undefined;
    // A znode that was created may have been deleted and created again; of a change there is one for each version.
    return this.seen === undefined ? undefined : false;
  }

  /** What went wrong; never as if nothing could have been written where something may have been. */
  #named(error: unknown): unknown {
    if (this.#doubt === undefined) return error;
    return error instanceof UnansweredError ? Object.assign(error, { mayHaveBeenApplied: true }) : this.#doubt;
  }

  #sweepReceipt(): void {
    if (this.#receipt === undefined) return;
    // Ephemeral: where it cannot be deleted, it goes with the session.
    sweep(this.zk, this.#receipt, this.zk.session).catch(() => undefined);
  }
}

/** Whether somebody else was faster. */
function isConflict(error: unknown): boolean {
  if (!(error instanceof ZooKeeperError)) return false;
  // In a transaction, only the first operation is about the value.
  if (error.transaction !== undefined && error.transaction.index !== 0) return false;
  return error instanceof BadVersionError || error instanceof NoNodeError || error instanceof NodeExistsError;
}
