import { checkPath, childPath, NoNodeError, type WaitOptions, type ZooKeeper } from 'zookit';
import { inOrder } from '../common/line-order.js';
import { LiveView } from '../common/live-view.js';
import { Wait } from '../common/waiting.js';
import { ALL_MARKERS, namesInLine, type Participant, participantOf, readZNode } from './participants.js';

/** Who leads, as far as is known. */
export interface LeaderView<Payload = unknown> {
  /** Undefined when nobody leads. */
  readonly leader: Participant<Payload> | undefined;
  /** Whether that may be out of date: there is no connection, or a change is known and not read yet. */
  readonly stale: boolean;
}

/**
 * Follows who leads, with what it tells of itself, for those who do not stand themselves.
 *
 * It watches the znode of the leader alone: newcomers stand at the end of the line, and disturb nobody. While nobody
 * leads, it watches the list of candidates.
 *
 * - While connected: current, as the server sees it. A leader whose process has died leads there until its session ends.
 * - While disconnected, and until a new session has looked: the last known, marked `stale`.
 *
 * Iterate it for the view now and for each later one; views that come too fast are passed over, the last one never.
 */
export class LeaderObserver<Payload = unknown> implements AsyncIterable<LeaderView<Payload>>, AsyncDisposable {
  readonly #live: LiveView;
  #leader: Participant<Payload> | undefined;
  /** Which version of which znode was seen last. */
  #seen = '';

  /** Made by `observeLeader()`. Begins to look at once. */
  constructor(
    private readonly zk: ZooKeeper,
    readonly path: string,
    private readonly markers: readonly string[],
  ) {
    this.#live = new LiveView(zk, { operation: 'LeaderObserver', path }, (changed) => this.#look(changed));
    this.#live.start();
  }

  /** What is known now, without asking the server. Nobody, and stale, before the first look. */
  get current(): LeaderView<Payload> {
    return { leader: this.#leader, stale: !this.#live.isCurrent };
  }

  /**
   * Who leads; waits while nobody does, and for the first look.
   *
   * @throws OperationTimeoutError, AbortedError when the wait is ended; ClosedError after `close()`; what has made looking
   * impossible, as NoAuthError.
   */
  async leader(options: WaitOptions = {}): Promise<Participant<Payload>> {
    using wait = new Wait(options, { operation: 'LeaderObserver.leader', path: this.path });
    for (;;) {
      await this.#live.until(() => this.#leader !== undefined, wait);
      if (this.#leader !== undefined) return this.#leader;
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<LeaderView<Payload>, void, undefined> {
    const seen = (): Seen<Payload> | undefined =>
      this.#live.hasLooked ? { what: this.#seen, view: this.current } : undefined;
    for await (const { view } of this.#live.each(seen, isSameView)) yield view;
  }

  /** Stops looking. Iterations end. */
  async close(): Promise<void> {
    await this.#live.close();
    for (const watched of [this.path, this.#leader?.path])
      if (watched !== undefined) this.zk.unwatch(watched, this.#live.wake);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #look(changed: () => void): Promise<void> {
    for (;;) {
      const first = await this.#first(changed);
      if (first === undefined) {
        this.#see(undefined, 'nobody');
        return;
      }
      const path = childPath(this.path, first);
      const node = await readZNode(this.zk, path, { watch: changed, signal: this.#live.closing });
      if (node === undefined) continue;
      this.#see(participantOf<Payload>(path, node, true), `${path} ${node.stat.mzxid.toString()}`);
      return;
    }
  }

  #see(leader: Participant<Payload> | undefined, seen: string): void {
    const former = this.#leader?.path;
    // It may stand on, behind the new one in the eyes of the server, where numbers have wrapped or start over.
    if (former !== undefined && former !== leader?.path) this.zk.unwatch(former, this.#live.wake);
    this.#leader = leader;
    this.#seen = seen;
  }

  /** The name of the first in line. Where there is none, `changed` is called when somebody stands. */
  async #first(changed: () => void): Promise<string | undefined> {
    const signal = this.#live.closing;
    const [first] = await namesInLine(this.zk, this.path, this.markers, { signal });
    if (first !== undefined) return first;
    // Asked again, and only now with a watch, because that tells of all who come and go.
    try {
      return inOrder(await this.zk.getChildren(this.path, { signal, watch: changed }), this.markers)[0];
    } catch (error) {
      if (!(error instanceof NoNodeError)) throw error;
    }
    // Nobody has ever stood. If somebody begins right now, this look sees it, and the next one counts.
    if ((await this.zk.exists(this.path, { signal, watch: changed })) !== null) changed();
    return undefined;
  }
}

/** A view, and of which version of which znode it is. */
interface Seen<Payload> {
  readonly what: string;
  readonly view: LeaderView<Payload>;
}

function isSameView(one: Seen<unknown>, other: Seen<unknown>): boolean {
  return one.what === other.what && one.view.stale === other.view.stale;
}

/**
 * Follows who leads at a path: of `LeaderLatch` and `LeaderElection`, of Curator's LeaderLatch and LeaderSelector, of
 * kazoo's Election. Close it when it is not wanted any more, or `await using` it.
 *
 * @throws InvalidPathError.
 */
export function observeLeader<Payload = unknown>(zk: ZooKeeper, path: string): LeaderObserver<Payload> {
  checkPath(path, 'observeLeader');
  return new LeaderObserver<Payload>(zk, path, ALL_MARKERS);
}
