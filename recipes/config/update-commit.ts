import {
  BadVersionError,
  NodeExistsError,
  NoNodeError,
  ServerError,
  type Transaction,
  UnansweredError,
  type ZooKeeper,
} from 'zookit';
import { canTryAgain, pause, type Wait } from '../common/waiting.js';
import { type LogState, readLog, wasMade } from './update-log.js';

/** An update that is to be made, at most once. */
export interface PlannedUpdate {
  /** The path of the configuration. */
  readonly path: string;
  readonly id: string;
  /** The log as it was when the update began. */
  readonly log: LogState;
  /** Adds all that belongs to the update, the log too. Called for each try, and always adds the same. */
  readonly add: (transaction: Transaction<readonly unknown[]>) => void;
}

/**
 * Makes an update: one transaction on condition of what was read. Resolves with whether it was made: not if somebody else
 * has written since. After a lost connection the same is tried again; where it is then refused, the log tells whether the
 * first try was applied. If the log does not reach back so far, it rejects with the error of that try, which has
 * `mayHaveBeenApplied`.
 */
export async function commitUpdate(zk: ZooKeeper, planned: PlannedUpdate, wait: Wait): Promise<boolean> {
  return await new UpdateCommit(zk, planned, wait).run();
}

class UpdateCommit {
  /** Why it is not known whether an earlier try was applied. */
  #doubt: UnansweredError | undefined;

  constructor(
    private readonly zk: ZooKeeper,
    private readonly planned: PlannedUpdate,
    private readonly wait: Wait,
  ) {}

  async run(): Promise<boolean> {
    try {
      for (let failures = 0; ; failures++) {
        const outcome = await this.#try();
        if (outcome !== undefined) return outcome;
        await this.wait.race(pause(this.zk, failures, this.wait.signal));
      }
    } catch (error) {
      throw this.#named(error);
    }
  }

  /** Undefined: to be tried again. */
  async #try(): Promise<boolean | undefined> {
    this.wait.check();
    try {
      const transaction: Transaction<readonly unknown[]> = this.zk.transaction();
      this.planned.add(transaction);
      await transaction.commit({ signal: this.wait.signal });
      return true;
    } catch (error) {
      if (error instanceof UnansweredError && error.mayHaveBeenApplied) this.#doubt ??= error;
      this.wait.check();
      if (isConflict(error)) return this.#doubt === undefined ? false : await this.#tell(this.#doubt);
      if (canTryAgain(this.zk, error)) return undefined;
      if (this.#doubt === undefined || !(error instanceof ServerError)) throw error;
      const made = await this.#tell(this.#doubt);
      // This try was refused, and the one before it was not applied: that is known now.
      if (made === false) this.#doubt = undefined;
      if (made === false) throw error;
      return made;
    }
  }

  /** Whether an earlier try was applied, now that a further one was refused. Undefined: could not be read this time. */
  async #tell(doubt: UnansweredError): Promise<boolean | undefined> {
    try {
      const { id, path, log } = this.planned;
      const made = wasMade(id, log, await readLog(this.zk, path, this.wait.signal));
      if (made !== undefined) return made;
    } catch (error) {
      this.wait.check();
      if (canTryAgain(this.zk, error)) return undefined;
    }
    throw doubt;
  }

  /** What went wrong; never as if nothing could have been written where something may have been. */
  #named(error: unknown): unknown {
    if (this.#doubt === undefined) return error;
    return error instanceof UnansweredError ? Object.assign(error, { mayHaveBeenApplied: true }) : this.#doubt;
  }
}

/** Whether what was read is out of date, whichever znode it was. */
function isConflict(error: unknown): boolean {
  return error instanceof BadVersionError || error instanceof NoNodeError || error instanceof NodeExistsError;
}
