import { childPath, NoNodeError, type OneShotEvent, type WaitOptions, type ZooKeeper } from 'zookit';
import { Following } from '../common/following.js';
import { inOrder } from '../common/line-order.js';
import { defer, type Deferred, timeOfDay, Wait } from '../common/waiting.js';
import { type LockParticipant, type ObservedLine, participantOf } from './mutex-line.js';

/** A lock and those who want it, at one look. */
export interface LockView {
  /** Who holds the lock, if anybody does. */
  readonly holder: LockParticipant | undefined;
  /**
   * Since when it holds, milliseconds since 1970. Where its turn was seen to come, that moment by our clock; else, of who
   * held at the first look, when it asked for the lock: it may hold since later, but not since earlier.
   */
  readonly heldSince: number | undefined;
  /** Who waits for the lock, in order. */
  readonly waiters: readonly LockParticipant[];
  /** How many stand before the first of this client's session: 0 for the holder. Undefined where it does not stand. */
  readonly place: number | undefined;
  /** Whether it may be out of date: there is no connection, or a change is known and not read yet. */
  readonly stale: boolean;
}

/** What is known of a contender. */
interface Entry {
  readonly participant: LockParticipant;
  /** What is called when its data change, where they are watched. */
  readonly watch: ((event: OneShotEvent) => void) | undefined;
}

/** Follows a line, and keeps the last view of it. */
export class LineObserver implements AsyncDisposable {
  readonly #following: Following;
  readonly #entries = new Map<string, Entry>();
  #inOrder: readonly LockParticipant[] | undefined;
  #view: LockView | undefined;
  #heldSince: number | undefined;
  #failure: Error | undefined;
  #change: Deferred<void> = defer();

  constructor(
    private readonly zk: ZooKeeper,
    private readonly line: ObservedLine,
  ) {
    this.#following = new Following(zk, {
      look: (changed) => this.#look(changed),
      looked: () => this.#tell(),
      failed: (error) => {
        this.#failure = error;
        this.#tell();
      },
    });
    this.#following.start();
  }

  /** The view now, and again whenever it has changed; those that come too fast are passed over, the last one never. */
  async *views(wait: Wait): AsyncGenerator<LockView, void, undefined> {
    let told: string | undefined;
    for (;;) {
      const { promise } = this.#change;
      const view = this.#view;
      const inShort = JSON.stringify(view);
      if (view !== undefined && inShort !== told) {
        told = inShort;
        yield view;
        wait.check();
      }
      if (this.#failure !== undefined) throw this.#failure;
      await wait.race(promise);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#following.close();
    this.zk.unwatch(this.line.path, this.#following.wake);
    for (const name of this.#entries.keys()) this.#forget(name);
  }

  #viewOf(line: readonly LockParticipant[]): LockView {
    const [holder, ...waiters] = line;
    const own = line.findIndex(({ isOwn }) => isOwn);
    const place = own === -1 ? undefined : own;
    return { holder, heldSince: this.#heldSince, waiters, place, stale: !this.#following.isCurrent };
  }

  async #look(changed: () => void): Promise<void> {
    const names = inOrder(await this.#children(changed), this.line.markers);
    const here = new Set(names);
    for (const name of this.#entries.keys()) if (!here.has(name)) this.#forget(name);
    await Promise.all(names.map((name, index) => this.#read(name, index === 0)));
    const found = names.map((name) => this.#entries.get(name)?.participant).filter((each) => each !== undefined);
    // All have gone meanwhile, and others may have come: the watch has told, and the next look tells who.
    if (found.length === 0 && names.length > 0) return;
    this.#turnTo(found[0]);
    this.#inOrder = found.map((each, index) => ({ ...each, isHolder: index === 0 }));
  }

  /** Notes since when the first one holds. */
  #turnTo(first: LockParticipant | undefined): void {
    const before = this.#inOrder;
    if (before !== undefined && before[0]?.path === first?.path) return;
    const isFirstLook = before === undefined;
    this.#heldSince = first === undefined ? undefined : isFirstLook ? first.askedAt : timeOfDay();
  }

  async #children(changed: () => void): Promise<string[]> {
    const options = { watch: changed, signal: this.#following.closing };
    try {
      return await this.zk.getChildren(this.line.path, options);
    } catch (error) {
      if (!(error instanceof NoNodeError)) throw error;
      // Nobody has asked for the lock yet. If somebody does right now, this look sees it, and the next one counts.
      if ((await this.zk.exists(this.line.path, options)) !== null) changed();
      return [];
    }
  }

  /** Reads a contender that is not known; the data of the holder are watched, for the request to give the lock back. */
  async #read(name: string, isFirst: boolean): Promise<void> {
    const known = this.#entries.get(name);
    if (known !== undefined && (!isFirst || known.watch !== undefined)) return;
    const path = childPath(this.line.path, name);
    const watch = isFirst ? this.#watchOf(name) : undefined;
    try {
      const node = await this.zk.getData(path, { watch, signal: this.#following.closing });
      const participant = participantOf(this.zk, path, node, known?.participant.id);
      this.#entries.set(name, { participant, watch });
    } catch (error) {
      if (!(error instanceof NoNodeError)) throw error;
      this.#entries.delete(name);
    }
  }

  #watchOf(name: string): (event: OneShotEvent) => void {
    return () => {
      const entry = this.#entries.get(name);
      if (entry !== undefined) this.#entries.set(name, { ...entry, watch: undefined });
      this.#following.wake();
    };
  }

  #forget(name: string): void {
    const watch = this.#entries.get(name)?.watch;
    if (watch !== undefined) this.zk.unwatch(childPath(this.line.path, name), watch);
    this.#entries.delete(name);
  }

  #tell(): void {
    if (this.#inOrder !== undefined) this.#view = this.#viewOf(this.#inOrder);
    const change = this.#change;
    this.#change = defer();
    change.resolve();
  }
}

/** Follows a line for as long as the views of it are iterated. */
export async function* observeLine(
  zk: ZooKeeper,
  line: ObservedLine,
  options: Pick<WaitOptions, 'signal'>,
): AsyncGenerator<LockView, void, undefined> {
  using wait = new Wait(options, { operation: 'Mutex.observe', path: line.path });
  await using observer = new LineObserver(zk, line);
  yield* observer.views(wait);
}
