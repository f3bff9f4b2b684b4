import { ClosedError, type Data, LeaseLostError, type SessionEvent, type ZooKeeper } from 'zookit';
import { Announcer } from '../common/announcer.js';
import type { Wait } from '../common/waiting.js';
import { PersistentNode } from '../members/persistent-node.js';
import type { PersistentNodeOptions } from '../members/persistent-node-options.js';

/** Where the znode of an instance stands, and how. */
export interface InstanceNodeSpec {
  readonly path: string;
  readonly options: PersistentNodeOptions;
  /** An error that does not pass has ended it. */
  readonly failed: () => void;
}

/** The znode of an instance: there as long as it is wanted, which may change again and again, until it is closed. */
export class InstanceNode extends Announcer {
  /** The one that is kept; undefined where none is wanted, or the one before goes still. */
  #node: PersistentNode | undefined;
  #isWanted = false;
  /** Whether no other session is to make it again. */
  #isLast = false;
  #isBusy = false;
  #settled: Promise<void> = Promise.resolve();
  #closed: Promise<void> | undefined;

  constructor(
    private readonly zk: ZooKeeper,
    private readonly spec: InstanceNodeSpec,
    private data: Data,
  ) {
    super();
    zk.on('session', this.#onSession);
  }

  /** Where it stands: with prefix and number, where it has those. */
  get path(): string {
    return this.#node?.path ?? this.spec.path;
  }

  /** Whether it certainly stands. */
  get held(): boolean {
    return this.#node?.held === true;
  }

  /** Aborts when the znode of now may be gone. */
  get signal(): AbortSignal {
    return this.#node?.signal ?? AbortSignal.abort(new LeaseLostError('the instance is not registered'));
  }

  /** It is wanted. */
  put(): void {
    this.#want(true);
  }

  /** It is not wanted. */
  withdraw(): void {
    this.#want(false);
  }

  /** What it is to hold from now on. */
  setData(data: Data): void {
    this.data = data;
    // Who waits for it does so by `published`.
    this.#node?.setData(data).catch(() => undefined);
  }

  /** It is wanted in this session only: where it goes with that, it stays gone. */
  endWithSession(): void {
    this.#isLast = this.spec.options.mode !== 'persistent';
  }

  /** Resolves when it stands and has the latest data; until it is wanted, that is waited for, too. Throws what has ended it. */
  async published(wait: Wait): Promise<void> {
    for (;;) {
      this.check();
      const { changed } = this;
      const node = this.#node;
      if (node !== undefined && (await this.#isPublished(node, wait))) return;
      await wait.race(changed);
    }
  }

  /** Resolves when it has the latest data, or is not to stand any more. */
  async settled(): Promise<void> {
    await this.#node?.published().catch(() => undefined);
  }

  /** Deletes it, if it stands. Resolves when it is gone, or its session over. @throws what makes the deletion impossible. */
  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  override fail(why: Error): void {
    super.fail(why);
    if (!this.isClosed) this.spec.failed();
  }

  async #end(): Promise<void> {
    this.zk.off('session', this.#onSession);
    this.end(new ClosedError('it was unregistered', { operation: 'unregister', path: this.spec.path }, false));
    this.#isWanted = false;
    // Where an earlier withdrawal has failed, the znode stands still.
    await Promise.all([this.#settled, this.#settle()]);
  }

  #want(isWanted: boolean): void {
    if (this.isClosed) return;
    this.#isWanted = isWanted;
    this.#settle().catch((error: unknown) => this.fail(error instanceof Error ? error : new Error(String(error))));
  }

  #settle(): Promise<void> {
    if (!this.#isBusy) this.#settled = this.#run();
    return this.#settled;
  }

  /** One is gone before the next one comes: both would be znodes of the same session. */
  async #run(): Promise<void> {
    this.#isBusy = true;
    try {
      while (this.#isWanted !== (this.#node !== undefined)) {
        const node = this.#node;
        this.#node = node === undefined ? this.#made() : undefined;
        this.tell();
        await node?.close();
      }
    } finally {
      this.#isBusy = false;
    }
  }

  #made(): PersistentNode {
    const node = new PersistentNode(this.zk, this.spec.path, this.data, this.spec.options).start();
    void this.#follow(node);
    return node;
  }

  async #follow(node: PersistentNode): Promise<void> {
    try {
      for await (const _ of node) this.tell();
    } catch (error) {
      if (this.#node === node) this.fail(error as Error);
    }
  }

  /** Not, where it was withdrawn meanwhile. */
  async #isPublished(node: PersistentNode, wait: Wait): Promise<boolean> {
    try {
      await wait.race(node.published({ signal: wait.signal }));
      return true;
    } catch (error) {
      if (wait.isOver || this.#node === node) throw error;
      return false;
    }
  }

  readonly #onSession = (event: SessionEvent): void => {
    const context = { operation: 'ServiceRegistry', path: this.spec.path };
    // A znode that stands tells of it, too; where there is none, nobody else would.
    if (event.type === 'closed') this.fail(new ClosedError('the client was closed', context, false));
    else if (event.type === 'authFailed') this.fail(event.cause);
    else if (event.type === 'expired' && this.#isLast) this.withdraw();
  };
}
