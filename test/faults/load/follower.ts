import type { OneShotEvent, WatchEvent, ZooKeeper } from 'zookit';

/** A value as it was read, with the version of its znode. */
export interface Seen {
  readonly value: string;
  readonly version: number;
}

/**
 * Keeps what znodes hold by watches alone: it reads when a watch tells something, never at intervals. If a watch misses
 * a change for good, what it has stays behind.
 */
export abstract class Follower {
  readonly last = new Map<string, Seen>();
  readonly problems: string[] = [];
  protected stopped = false;

  constructor(
    protected readonly zk: ZooKeeper,
    protected readonly paths: readonly string[],
  ) {}

  abstract start(): Promise<void>;

  stop(): void {
    this.stopped = true;
  }

  /** Repeats what failed because a link or a session was lost, until it is done. */
  protected async persist(work: () => Promise<void>): Promise<void> {
    while (!this.stopped) {
      try {
        return await work();
      } catch {
        await this.zk.ready({ timeout: 60_000 }).catch(() => undefined);
      }
    }
  }

  protected saw(path: string, seen: Seen): void {
    const before = this.last.get(path);
    if (before !== undefined && seen.version < before.version)
      this.problems.push(`${path} went back from version ${before.version} to ${seen.version} in a watch's read`);
    this.last.set(path, seen);
  }

  protected async read(path: string, watch?: (event: OneShotEvent) => void): Promise<void> {
    const node = await this.zk.getData(path, watch === undefined ? {} : { watch });
    this.saw(path, { value: node.text(), version: node.stat.version });
  }
}

/** One one-shot watch a znode, set again by each read. */
export class OneShotFollower extends Follower {
  override async start(): Promise<void> {
    await Promise.all(this.paths.map((path) => this.look(path)));
  }

  private look(path: string): Promise<void> {
    return this.persist(async () => {
      let calls = 0;
      await this.read(path, () => {
        if (++calls > 1) this.problems.push(`a one-shot watch of ${path} fired ${calls} times`);
        void this.look(path);
      });
    });
  }
}

/** One recursive watch over all of them, set anew when it has ended with its session. */
export class RecursiveFollower extends Follower {
  constructor(
    zk: ZooKeeper,
    private readonly parent: string,
    paths: readonly string[],
  ) {
    super(zk, paths);
  }

  override start(): Promise<void> {
    return this.persist(async () => {
      await this.zk.addWatch(this.parent, { recursive: true, onEvent: (event) => this.told(event) });
      await this.readAll();
    });
  }

  private told(event: WatchEvent): void {
    if (this.stopped) return;
    if (event.type === 'ended') void this.start();
    else if (event.type === 'resync') void this.persist(() => this.readAll());
    else if (this.paths.includes(event.path)) void this.persist(() => this.read(event.path));
  }

  private async readAll(): Promise<void> {
    await Promise.all(this.paths.map((path) => this.read(path)));
  }
}
