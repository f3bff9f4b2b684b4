import { NoNodeError, type ReadOptions, type RequestLimits, type ZooKeeper } from 'zookit';
import { after, canTryAgain, defer, type Deferred, pause, type Wait, wallClock } from '../common/waiting.js';
import { type ItemName, itemsInOrder, type ReadName } from './item-names.js';
import { makeFolder, type QueuePaths } from './queue-paths.js';

/** The longest rest before the clock is looked at again, milliseconds: it may have been set meanwhile. */
const LONGEST_REST = 60_000;

/** After so many items in a row that others had taken, the list is taken to be out of date. */
const MOST_MISSES = 3;

/**
 * The items of a queue that nobody works on, as this process knows them: one listing serves all who take from the same
 * queue object. As long as there are some, no watch is left; when there are none, one on the items, and one on the
 * locks if others work on some.
 */
export class AvailableItems {
  /** Undefined before there is a list, and when it is out of date. */
  #listed: readonly ItemName[] | undefined;
  /** How many of them were handed out. */
  #used = 0;
  #misses = 0;
  /** The names of those that somebody of this process is about to lock. */
  readonly #inHand = new Set<string>();
  /** Whether a list of now need not be the one that was looked at. */
  #isStale = true;
  #looking: Promise<void> | undefined;
  #waiting = 0;
  /** Whether a watch may have been left. */
  #watches = false;
  #change: Deferred<void> = defer();

  constructor(
    private readonly zk: ZooKeeper,
    private readonly paths: Pick<QueuePaths, 'items' | 'locks'>,
    private readonly read: ReadName,
    /** How many are taken from one listing before there is another one. */
    private readonly perListing: number,
  ) {}

  /** The next item that is worth a try. Waits until there is one. */
  async next(wait: Wait): Promise<ItemName> {
    this.#waiting++;
    try {
      for (;;) {
        const item = this.#shift();
        if (item !== undefined) return item;
        const { promise } = this.#change;
        if (this.#isStale) await this.#lookWell(wait);
        else await this.#rest(wait, promise);
      }
    } finally {
      if (--this.#waiting === 0) this.#forget();
    }
  }

  /** As {@link next}, but undefined where there is none. */
  async nextAtOnce(wait: Wait): Promise<ItemName | undefined> {
    for (let isLookedAt = false; ;) {
      const item = this.#shift();
      if (item !== undefined) return item;
      if (isLookedAt && this.#listed !== undefined && !this.#isOneDue()) return undefined;
      await this.#lookWell(wait);
      isLookedAt = true;
    }
  }

  /** All of them now, in order. */
  async list(limits: RequestLimits): Promise<readonly ItemName[]> {
    return (await this.#list(limits, limits)).available;
  }

  /** What became of an item that was handed out. To be called for each of them. */
  tried({ name }: ItemName, isTaken: boolean): void {
    this.#inHand.delete(name);
    this.#misses = isTaken ? 0 : this.#misses + 1;
    if (this.#misses >= MOST_MISSES) this.discard();
    // Those who have passed over it may want to try it themselves.
    if (!isTaken) this.#onChange();
  }

  #begin(listed: readonly ItemName[] | undefined): void {
    this.#listed = listed;
    this.#used = 0;
    this.#misses = 0;
  }

  #shift(): ItemName | undefined {
    const item = this.#used < this.perListing ? this.#listed?.[this.#used] : undefined;
    if (item === undefined || item.due > wallClock()) return undefined;
    this.#used++;
    this.#isStale = true;
    this.#inHand.add(item.name);
    return item;
  }

  /** Whoever takes next lists anew: what was listed is out of date. */
  discard(): void {
    this.#begin(undefined);
    this.#isStale = true;
  }

  /** Sleeps until something has changed, or the first item is due. */
  async #rest(wait: Wait, change: Promise<void>): Promise<void> {
    const due = this.#listed?.[this.#used]?.due;
    if (due === undefined) return await wait.race(change);
    const woken = defer();
    const stop = after(Math.min(LONGEST_REST, Math.max(0, due - wallClock())), () => woken.resolve());
    try {
      await wait.race(Promise.race([change, woken.promise]));
    } finally {
      stop();
    }
  }

  /** A look that survives what passes. */
  async #lookWell(wait: Wait): Promise<void> {
    for (let failures = 0; ;) {
      wait.check();
      try {
        this.#looking ??= this.#look().finally(() => {
          this.#looking = undefined;
          if (this.#waiting === 0) this.#forget();
        });
        return await wait.race(this.#looking);
      } catch (error) {
        if (wait.isOver || !canTryAgain(this.zk, error)) throw error;
        await wait.race(pause(this.zk, failures++, wait.signal));
      }
    }
  }

  async #look(): Promise<void> {
    // Until there is another list, the one before goes on telling that there was something.
    this.#isStale = true;
    const seen = await this.#list({}, {});
    this.#begin(seen.available);
    if (this.#isOneDue() || this.#waiting === 0) return;
    // There is nothing to do: what counts now is a list with a watch on whatever may change that.
    this.#isStale = false;
    this.#watches = true;
    const hadLocked = seen.locked > 0;
    const watched = { watch: this.#onChange };
    const { available, locked } = await this.#list(watched, hadLocked ? watched : {});
    this.#begin(available);
    // Nobody watches over the lock of an item that has come and was locked between the two lists.
    if (locked > 0 && !hadLocked) this.#isStale = true;
  }

  async #list(ofItems: ReadOptions, ofLocks: ReadOptions): Promise<{ available: ItemName[]; locked: number }> {
    const [names, locks] = await Promise.all([
      this.#names(this.paths.items, ofItems),
      this.#names(this.paths.locks, ofLocks),
    ]);
    const items = itemsInOrder(names, this.read);
    const taken = new Set([...locks, ...this.#inHand]);
    const available = items.filter(({ name }) => !taken.has(name));
    return { available, locked: items.length - available.length };
  }

  /** The names in a folder. One that is to be watched is made where it is missing, and looked at again. */
  async #names(path: string, options: ReadOptions): Promise<string[]> {
    try {
      return await this.zk.getChildren(path, { ...options, stat: false });
    } catch (error) {
      if (!(error instanceof NoNodeError)) throw error;
      if (options.watch !== undefined) {
        await makeFolder(this.zk, path);
        this.#isStale = true;
      }
      return [];
    }
  }

  readonly #onChange = (): void => {
    this.#isStale = true;
    const change = this.#change;
    this.#change = defer();
    change.resolve();
  };

  /** Nobody waits: no watch stays behind. While a look is under way there may be one to come: it forgets it at its end. */
  #forget(): void {
    if (!this.#watches || this.#looking !== undefined) return;
    this.#watches = false;
    this.#isStale = true;
    this.zk.unwatch(this.paths.items, this.#onChange);
    this.zk.unwatch(this.paths.locks, this.#onChange);
  }

  #isOneDue(): boolean {
    const next = this.#listed?.[this.#used];
    return next !== undefined && next.due <= wallClock();
  }
}
