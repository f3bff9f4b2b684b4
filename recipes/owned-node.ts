import {
  BadVersionError,
  checkPath,
  type Data,
  type LeaseOptions,
  NodeExistsError,
  NoNodeError,
  type SessionInfo,
  type SessionLease,
  type Stat,
  type WaitOptions,
  type ZNode,
  type ZooKeeper,
  ZooKeeperError,
} from 'zookit';
import { Following } from './following.js';
import { sweep } from './sweeper.js';
import { defer, type Deferred, Wait } from './waiting.js';

/** How an {@link OwnedNode} behaves. */
export interface OwnedNodeOptions extends LeaseOptions {
  /**
   * What to do when the znode belongs to a session that is not ours: take its place, because it is that of an earlier
   * run of ours, or fail. Default `'replace'`.
   */
  readonly onConflict?: 'replace' | 'fail' | undefined;
}

/** The znode belongs to somebody else. */
export class OwnedByOtherError extends ZooKeeperError {
  readonly code = 'OWNED_BY_OTHER';
}

/**
 * An ephemeral znode that is there until it is closed (Curator: PersistentNode). It is made again in each new session,
 * with the latest data, and when somebody deletes it; missing parents are made as containers.
 *
 * - While connected: it stands.
 * - While disconnected: it stands as long as the session lives. A lost connection deletes and creates nothing.
 * - After an expiry: it is gone until the new session has made it again.
 */
export class OwnedNode implements AsyncDisposable {
  readonly #following: Following;
  #data: Data;
  /** Whether the server has the latest data; settled by the look that saw to it. */
  #published: Deferred<void> = defer();
  #session: SessionInfo | undefined;
  #lease: SessionLease | undefined;
  #failure: Error | undefined;
  #closed: Promise<void> | undefined;

  /** @throws InvalidPathError. Begins with {@link start}. */
  constructor(
    private readonly zk: ZooKeeper,
    readonly path: string,
    data: Data,
    private readonly options: OwnedNodeOptions = {},
  ) {
    checkPath(path, 'OwnedNode');
    this.#data = data;
    this.#following = new Following(
      zk,
      (changed) => this.#look(changed),
      (error) => {
        this.#failure = error;
        this.#lease?.lose(error.message);
        this.#published.reject(error);
      },
    );
  }

  /** Begins to keep the znode there. */
  start(): this {
    this.#following.start();
    return this;
  }

  /** Whether the znode certainly stands, worked out at this look. It may come true again. */
  get held(): boolean {
    return this.#lease?.held === true;
  }

  /** Aborts when the znode of now may be gone. A new one after the next creation. */
  get signal(): AbortSignal {
    return (
      this.#lease?.signal ?? AbortSignal.abort(new OwnedByOtherError('the znode is not there yet', { path: this.path }))
    );
  }

  /** Resolves when the znode stands and has the latest data. @throws OperationTimeoutError, AbortedError, what made it impossible. */
  async published(options: WaitOptions = {}): Promise<void> {
    using wait = new Wait(options, { operation: 'OwnedNode.published', path: this.path });
    await wait.race(this.#published.promise);
  }

  /** Changes the data; what is published in the end is the latest. Resolves as {@link published} does. */
  async update(data: Data, options: WaitOptions = {}): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    this.#data = data;
    const before = this.#published;
    this.#published = defer();
    this.#published.promise.then(before.resolve, before.reject);
    this.#following.wake();
    await this.published(options);
  }

  /** Deletes the znode. Resolves when it is gone, or its session over. Never rejects. */
  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #end(): Promise<void> {
    this.#lease?.release();
    await this.#following.close();
    this.zk.unwatch(this.path, this.#following.wake);
    if (this.#session !== undefined) await sweep(this.zk, this.path, this.#session);
  }

  async #look(changed: () => void): Promise<void> {
    const { session } = this.zk;
    const published = this.#published;
    const data = this.#data;
    const stat = await this.zk.exists(this.path, { watch: changed });
    if (this.#following.closing.aborted) return;
    this.#session = session;
    const inPlace =
      stat === null
        ? await this.#create(data)
        : stat.ephemeralOwner.equals(session.id)
          ? await this.#adopt(data, stat)
          : await this.#replace(data, stat);
    // Somebody interfered, or the session is another one than at the beginning: the next look sees how things are.
    if (!inPlace || this.zk.session !== session) {
      changed();
      return;
    }
    if (this.#lease?.held !== true) this.#lease = this.zk.lease(this.options);
    published.resolve();
  }

  async #create(data: Data): Promise<boolean> {
    this.#lease?.lose('the znode was deleted');
    return await unlessOvertaken(this.zk.create(this.path, data, { mode: 'ephemeral', parents: 'container' }));
  }

  /** What is ours already, made before an answer was lost or before an update. */
  async #adopt(data: Data, stat: Stat): Promise<boolean> {
    const node = await this.#read();
    if (node !== undefined && sameData(node.isNull ? null : node.data, data)) return true;
    return await unlessOvertaken(this.zk.setData(this.path, data, stat.version));
  }

  /** In one transaction, so that nobody sees the znode missing. */
  async #replace(data: Data, stat: Stat): Promise<boolean> {
    if (this.options.onConflict === 'fail') {
      const owner = `0x${stat.ephemeralOwner.toUnsigned().toString(16)}`;
      throw new OwnedByOtherError(`the znode belongs to the session ${owner}`, { path: this.path });
    }
    const replacing = this.zk
      .transaction()
      .delete(this.path, stat.version)
      .create(this.path, data, { mode: 'ephemeral' });
    return await unlessOvertaken(replacing.commit());
  }

  async #read(): Promise<ZNode | undefined> {
    try {
      return await this.zk.getData(this.path);
    } catch (error) {
      if (error instanceof NoNodeError) return undefined;
      throw error;
    }
  }
}

/** Whether a write came through; not if somebody else has written, created or deleted since the look. */
async function unlessOvertaken(write: Promise<unknown>): Promise<boolean> {
  try {
    await write;
    return true;
  } catch (error) {
    if (error instanceof NoNodeError || error instanceof NodeExistsError || error instanceof BadVersionError)
      return false;
    throw error;
  }
}

function sameData(a: Uint8Array | null, b: Data): boolean {
  if (a === null || b === null) return a === b;
  return Buffer.compare(a, typeof b === 'string' ? Buffer.from(b) : b) === 0;
}
