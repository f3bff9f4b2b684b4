import { setTimeout as pause } from 'node:timers/promises';
import type { ZooKeeper } from 'zookit';
import { type Lock, Mutex } from 'zookit/recipes';
import { EventLog } from '../rig.js';
import { type Follower, OneShotFollower, RecursiveFollower } from './follower.js';
import { type Asked, History } from './history.js';

/** The znodes that all clients write and watch. */
export const sharedPaths = ['/shared/a', '/shared/b'] as const;
/** Where each client creates znodes of its own names. */
export const createdPath = '/created';
const lockPath = '/lock';

/** ms between two operations, and how many may be open: a load, but none that two cores cannot bear. */
const PACE = 4;
const MOST_OPEN = 60;

/** What the lock of one client must not meet: a lock that another one holds, or an older fencing token. */
export interface Locking {
  readonly holders: Map<string, Lock>;
  highest: bigint;
  taken: number;
  readonly problems: string[];
}

/** One client with mixed traffic. Each value that it writes, and each name that it creates, is used once. */
export class LoadClient {
  readonly history = new History();
  readonly events: EventLog;
  readonly followers: readonly Follower[];
  private readonly stopping = new AbortController();
  private readonly work: Promise<unknown>[] = [];
  private count = 0;
  private deletable: string[] = [];

  constructor(
    readonly zk: ZooKeeper,
    readonly name: string,
    private readonly locking: Locking,
  ) {
    this.events = new EventLog(zk);
    this.followers = [new OneShotFollower(zk, sharedPaths), new RecursiveFollower(zk, '/shared', sharedPaths)];
  }

  async start(): Promise<void> {
    await Promise.all(this.followers.map((follower) => follower.start()));
    this.work.push(this.ask(), this.lock());
  }

  /** Asks nothing more, and waits until all that was asked has its outcome. The watches go on. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await Promise.all(this.work);
  }

  private async ask(): Promise<void> {
    const turns = [this.set, this.read, this.create, this.read, this.commit, this.read, this.delete];
    while (!this.stopping.signal.aborted) {
      if (this.history.open < MOST_OPEN) this.work.push(turns[this.count % turns.length]!.call(this, this.next()));
      await pause(PACE);
    }
  }

  private next(): string {
    return `${this.name}-${++this.count}`;
  }

  private shared(): string {
    return sharedPaths[Math.floor(this.count / 7) % sharedPaths.length]!;
  }

  private async set(value: string): Promise<void> {
    const path = this.shared();
    await this.note({ kind: 'set', path, value }, async () => (await this.zk.setData(path, value)).version);
  }

  private async read(value: string): Promise<void> {
    const path = this.shared();
    await this.note({ kind: 'read', path, value }, async () => (await this.zk.getData(path)).stat.version);
  }

  private async create(value: string): Promise<void> {
    const path = `${createdPath}/${value}`;
    const { outcome } = await this.note({ kind: 'create', path, value }, async () => {
      await this.zk.create(path, value);
      return 0;
    });
    if (outcome?.kind === 'answered') this.deletable.push(path);
  }

  private async commit(value: string): Promise<void> {
    const path = this.shared();
    await this.note({ kind: 'multi', path, value }, async () => {
      const transaction = this.zk.transaction().create(`${createdPath}/${value}-1`).setData(path, value);
      const [, stat] = await transaction.create(`${createdPath}/${value}-2`).commit();
      return stat.version;
    });
  }

  /** Every second one of those that it has created. */
  private async delete(value: string): Promise<void> {
    if (this.deletable.length < 2) return;
    const [path = ''] = this.deletable.splice(0, 2);
    await this.note({ kind: 'delete', path, value }, async () => {
      await this.zk.delete(path);
      return 0;
    });
  }

  private note(asked: Asked, ask: () => Promise<number>) {
    return this.history.note(asked, ask);
  }

  private async lock(): Promise<void> {
    const mutex = new Mutex(this.zk, lockPath);
    const { holders, problems } = this.locking;
    const { signal } = this.stopping;
    while (!signal.aborted) {
      const lock = await mutex.acquire({ signal }).catch(() => undefined);
      if (lock === undefined) continue;
      const others = [...holders].filter(([name, other]) => name !== this.name && other.held);
      const token = BigInt(lock.fencingToken.toString());
      if (lock.held) {
        if (others.length > 0) problems.push(`${this.name} holds the lock, and so does ${others[0]![0]}`);
        if (token <= this.locking.highest) problems.push(`the fencing token fell to ${token}`);
        this.locking.highest = token;
        this.locking.taken++;
      }
      holders.set(this.name, lock);
      await pause(20);
      await lock.release();
    }
  }
}
