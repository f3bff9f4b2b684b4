import { BadVersionError, NodeExistsError, NoNodeError, type ZooKeeper } from 'zookit';
import { canTryAgain, pause } from '../common/waiting.js';
import { type CronRecord, type CronState, decodeCronState, encodeCronState } from './cron-record.js';
import type { ElectionTerm } from './election-term.js';
import { NotLeaderError } from './errors.js';
import { readZNode } from './participants.js';

/** What the state becomes. */
export type CronChange = (state: CronState) => CronState;

/** What is known of a cron by all: read by anybody, written by the leader alone. */
export async function readCronState(zk: ZooKeeper, path: string): Promise<CronState | undefined> {
  const node = await readZNode(zk, path);
  return node === undefined ? undefined : decodeCronState(node.text());
}

/**
 * The state as one leader writes it. Each write is a transaction with a check of the leader's znode: the server refuses
 * who leads no more. Writes come one after the other.
 */
export class CronLog {
  #writing: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly zk: ZooKeeper,
    private readonly path: string,
    private readonly term: ElectionTerm,
    /** How many records are kept. */
    private readonly length: number,
  ) {}

  /**
   * Changes the state, or makes the first one out of what is given. Over lost connections it goes on as long as the term
   * lasts: so the change must be fit to be done twice. Resolves with the state before it.
   *
   * @throws NotLeaderError when the term is over; what does not pass, as NoAuthError.
   */
  change(change: CronChange, first: CronState): Promise<CronState> {
    const changing = this.#writing.then(() => this.#change(change, first));
    this.#writing = changing.catch(() => undefined);
    return changing;
  }

  async #change(change: CronChange, first: CronState): Promise<CronState> {
    for (let failures = 0; ;) {
      if (!this.term.held) throw this.#notLeader();
      try {
        const before = await this.#write(change, first);
        if (before !== undefined) return before;
      } catch (error) {
        if (!canTryAgain(this.zk, error)) throw error;
        await pause(this.zk, failures++);
      }
    }
  }

  /** Undefined if the state is another one than that which was read. */
  async #write(change: CronChange, first: CronState): Promise<CronState | undefined> {
    const node = await readZNode(this.zk, this.path);
    const before = (node === undefined ? undefined : decodeCronState(node.text())) ?? first;
    const { upTo, history } = change(before);
    const data = encodeCronState({ upTo, history: this.length === 0 ? [] : history.slice(-this.length) });
    const writing = this.term.guard(this.zk.transaction());
    if (node === undefined) writing.create(this.path, data);
    else writing.setData(this.path, data, node.stat.version);
    try {
      await writing.commit();
      return before;
    } catch (error) {
      if (error instanceof NoNodeError && error.transaction?.index === 0) throw this.#notLeader(error);
      // What was read was out of date.
      if (!(error instanceof BadVersionError || error instanceof NodeExistsError || error instanceof NoNodeError))
        throw error;
      await this.zk.sync(this.path);
      return undefined;
    }
  }

  #notLeader(cause?: unknown): NotLeaderError {
    return new NotLeaderError('the term is over', { operation: 'ClusterCron', path: this.path, cause });
  }
}

/** The records with one more, or with this one in place of the one of the same run. */
export function withRecord(history: readonly CronRecord[], record: CronRecord): readonly CronRecord[] {
  const isSame = ({ scheduledAt, fencingToken }: CronRecord): boolean =>
    scheduledAt === record.scheduledAt && fencingToken === record.fencingToken;
  if (!history.some(isSame)) return [...history, record];
  return history.map((each) => (isSame(each) ? record : each));
}
