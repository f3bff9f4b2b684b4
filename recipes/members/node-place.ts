import { randomUUID } from 'node:crypto';
import {
  type Acl,
  childPath,
  type CreateMode,
  type CreateSpec,
  type Data,
  nameOf,
  NoNodeError,
  parentOf,
  type ParentsOption,
  type SessionInfo,
  type Stat,
  type TtlMode,
  UnansweredError,
  type ZooKeeper,
} from 'zookit';
import { sweepOwned } from '../common/sweeper.js';
import { canTryAgain, pause } from '../common/waiting.js';

/** What kind of znode is to stand, and where. */
export interface PlaceSpec {
  readonly mode: CreateMode;
  readonly ttl: number | undefined;
  readonly acl: readonly Acl[] | undefined;
  readonly parents: ParentsOption;
  /** Whether the name gets a prefix that nobody else has. */
  readonly protected: boolean;
}

/** The mode of a znode whose number is known already. */
const numbered = {
  ephemeralSequential: 'ephemeral',
  persistentSequential: 'persistent',
  ttlSequential: 'ttl',
} as const satisfies Partial<Record<CreateMode, CreateMode>>;

export function isSequential(mode: CreateMode): mode is keyof typeof numbered {
  return mode in numbered;
}

export function isTtl(mode: CreateMode): mode is TtlMode {
  return mode === 'ttl' || mode === 'ttlSequential';
}

/**
 * Where a znode of ours is to stand: finds it, makes it and deletes it. Once its path is known it stays the same: a
 * sequential znode is made again with the number that it had.
 */
export class NodePlace {
  #path: string | undefined;
  /** What is asked for, with the prefix. A number may come behind it. */
  readonly #asked: string;
  /** Whether there may be a znode that we have made and know nothing of, because the answer was lost. */
  #mayHaveMade = false;
  /** The session whose znode it was last, where it is ephemeral. */
  #owner: SessionInfo | undefined;

  constructor(
    private readonly zk: ZooKeeper,
    path: string,
    private readonly spec: PlaceSpec,
  ) {
    const name = spec.protected ? `_c_${randomUUID()}-${nameOf(path)}` : nameOf(path);
    this.#asked = childPath(parentOf(path), name);
    if (!isSequential(spec.mode)) this.#path = this.#asked;
  }

  /** The path; undefined as long as the server has not numbered it. */
  get path(): string | undefined {
    return this.#path;
  }

  get isEphemeral(): boolean {
    return this.spec.mode === 'ephemeral' || this.spec.mode === 'ephemeralSequential';
  }

  /** Whether the znode may be one that we have made, though nobody could tell us so. */
  get mayHaveMade(): boolean {
    return this.#mayHaveMade;
  }

  /** The stat of what stands there, with a watch; null where nothing does. */
  async look(watch: () => void, signal: AbortSignal): Promise<Stat | null> {
    this.#path ??= await this.#find(signal);
    return this.#path === undefined ? null : await this.zk.exists(this.#path, { watch, signal });
  }

  /** Whether it is what it would be if we had made it in this session. */
  isAsMade({ ephemeralOwner }: Stat, session: SessionInfo): boolean {
    return this.isEphemeral ? ephemeralOwner.equals(session.id) : ephemeralOwner.isZero();
  }

  /** Whether it was ours in a session that is over, and goes, or is gone and this server does not know it yet. */
  isOfFormerSession({ ephemeralOwner }: Stat): boolean {
    return this.#owner?.id.equals(ephemeralOwner) === true;
  }

  /** It belongs to this session. */
  own(session: SessionInfo): void {
    if (this.isEphemeral) this.#owner = session;
  }

  /** Makes it. @throws NodeExistsError. */
  async create(data: Data, session: SessionInfo): Promise<void> {
    const options = { ...this.#createSpec(), parents: this.spec.parents };
    await this.#making(session, async () => {
      const { path } = await this.zk.create(this.#path ?? this.#asked, data, options);
      this.#path = path;
    });
  }

  /** Puts ours in the place of what is there, in one transaction, so that nobody sees it missing. */
  async replace(data: Data, stat: Stat, session: SessionInfo): Promise<void> {
    const path = this.#path ?? this.#asked;
    const transaction = this.zk.transaction().delete(path, stat.version).create(path, data, this.#createSpec());
    await this.#making(session, () => transaction.commit());
  }

  /** Deletes it, if it is ours, and does not rest before it is gone or, if it is ephemeral, its session over. */
  async remove(): Promise<void> {
    this.#path ??= await untilItCan(this.zk, () => this.#find());
    const path = this.#path;
    if (path === undefined) return;
    if (this.isEphemeral) await sweepOwned(this.zk, path);
    else await untilItCan(this.zk, () => this.zk.delete(path, -1, { missing: 'ignore' }));
  }

  async #making(session: SessionInfo, make: () => Promise<unknown>): Promise<void> {
    try {
      await make();
      this.own(session);
    } catch (error) {
      if (error instanceof UnansweredError && error.mayHaveBeenApplied) {
        this.#mayHaveMade = true;
        this.own(session);
      }
      throw error;
    }
  }

  /** The znode whose number we were not told. */
  async #find(signal?: AbortSignal): Promise<string | undefined> {
    if (!this.#mayHaveMade) return undefined;
    const [parent, prefix] = [parentOf(this.#asked), nameOf(this.#asked)];
    try {
      const names = await this.zk.getChildren(parent, { sync: true, signal });
      const name = names.find((each) => each.startsWith(prefix));
      return name === undefined ? undefined : childPath(parent, name);
    } catch (error) {
      if (error instanceof NoNodeError) return undefined;
      throw error;
    }
  }

  #createSpec(): CreateSpec<CreateMode> {
    const { mode, ttl, acl } = this.spec;
    const plain = this.#path !== undefined && isSequential(mode) ? numbered[mode] : mode;
    return { mode: plain, ttl, acl };
  }
}

/** Does what it takes, over lost connections and in a new session if need be. */
export async function untilItCan<T>(zk: ZooKeeper, step: () => Promise<T>): Promise<T> {
  for (let failures = 0; ;) {
    try {
      return await step();
    } catch (error) {
      if (!canTryAgain(zk, error)) throw error;
      await pause(zk, failures++);
    }
  }
}
