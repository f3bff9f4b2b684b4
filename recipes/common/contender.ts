import {
  childPath,
  type Created,
  type Data,
  nameOf,
  NoNodeError,
  type OneShotEvent,
  SessionExpiredError,
  type SessionInfo,
  type ZooKeeper,
} from 'zookit';
import type { FencingToken } from './fencing.js';
import { placeIn } from './line-order.js';
import { OwnWatch } from './own-watch.js';
import { sweep, sweepAfterWait } from './sweeper.js';
import { canTryAgain, isGone, lookUntil, pause, type Wait } from './waiting.js';

/** Which line to stand in. */
export interface Line {
  /** The znode whose children stand in line. It is created as a container where it is missing. */
  readonly path: string;
  /** How our names end, before the number: `lock-`. */
  readonly name: string;
  /** How the names of all end who count, before the number. Other children are passed over. */
  readonly markers: readonly string[];
  /** The data of our znode. */
  readonly data: Data;
}

/** `gone`: the session has ended, or somebody has deleted our znode. */
type Place = 'first' | 'behind' | 'gone';

/** The one before us in line. */
interface Predecessor {
  readonly path: string;
  /** Whether nobody was before it when we looked, and so nobody ever will be: newcomers stand at the end. */
  readonly isFirst: boolean;
}

/** How soon the first in line begins to look after its znode, milliseconds: what is held for less saves the request. */
const OWN_WATCH_DELAY = 10;

/**
 * The znodes of this process that are known to stand first in their lines, each with who counts in its line: those of
 * ours behind them need not look again.
 */
const leaders = new Set<string>();

/** A place in a line: our ephemeral sequential znode among those of others, of this process or of another one. */
export class Contender {
  /** Resolves to the first in line once it is; until then it leaves nothing behind, however the wait ends. */
  static async lead(zk: ZooKeeper, line: Line, wait: Wait): Promise<Contender> {
    for (;;) {
      const contender = await Contender.enter(zk, line, wait);
      if ((await contender.#stand(wait, true)) === 'first') return contender;
      // Nothing was held yet, so nothing is lost by lining up again, in a new session if need be.
    }
  }

  /** The first in line if it is that at once, else undefined, and nothing is left behind. */
  static async leadAtOnce(zk: ZooKeeper, line: Line, wait: Wait): Promise<Contender | undefined> {
    for (;;) {
      const contender = await Contender.enter(zk, line, wait);
      const place = await contender.#stand(wait, false);
      if (place === 'first') return contender;
      if (place === 'behind') return undefined;
    }
  }

  /** Lines up. */
  static async enter(zk: ZooKeeper, line: Line, wait: Wait): Promise<Contender> {
    for (let failures = 0; ;) {
      wait.check();
      try {
        return await Contender.#create(zk, line, wait);
      } catch (error) {
        if (wait.isOver || !canTryAgain(zk, error)) throw error;
        await wait.race(pause(zk, failures++, wait.signal));
      }
    }
  }

  static async #create(zk: ZooKeeper, line: Line, wait: Wait): Promise<Contender> {
    const { session } = zk;
    const creating = zk.create(childPath(line.path, line.name), line.data, {
      mode: 'ephemeralSequential',
      protected: true,
      parents: 'container',
    });
    // The server answers in order: asked for now, the children come right behind our own znode.
    const listing = zk.getChildren(line.path);
    listing.catch(() => undefined);
    try {
      const created = await wait.race(creating);
      if (zk.session === session) return new Contender(zk, line, session, created, listing);
      throw new SessionExpiredError('the session has expired', { operation: 'create', path: created.path }, false);
    } catch (error) {
      // Whatever becomes of it: a znode that comes late has no owner, and must not stand in line.
      await sweepAfterWait(zk, wait, line.path, sweepLate(zk, creating));
      throw error;
    }
  }

  readonly path: string;
  readonly fencingToken: FencingToken;
  readonly #name: string;
  readonly #ownWatch: OwnWatch;
  #listing: Promise<string[]> | undefined;
  #predecessor: Predecessor | undefined;
  #isFirst = false;
  /** Why the znode does not stand any more, if that came without our doing. */
  #gone: string | undefined;
  /** What to do when something may have changed, while it waits; then, when the znode is gone. */
  #changed: (why: string) => void = () => undefined;

  private constructor(
    private readonly zk: ZooKeeper,
    private readonly line: Line,
    /** The session that owns the znode. */
    readonly session: SessionInfo,
    created: Created<'ephemeralSequential'>,
    listing: Promise<string[]>,
  ) {
    this.path = created.path;
    this.fencingToken = created.zxid;
    this.#name = nameOf(created.path);
    this.#listing = listing;
    this.#ownWatch = new OwnWatch(zk, created.path, session, (why) => {
      this.#gone = why;
      this.#changed(why);
    });
  }

  /** Calls `onGone` when somebody else deletes the znode, or its session ends. For the first in line. */
  lookAfter(onGone: (why: string) => void): void {
    this.#changed = onGone;
    if (this.#gone === undefined) this.#ownWatch.beginLater(OWN_WATCH_DELAY);
    else onGone(this.#gone);
  }

  /** Leaves the line. Resolves when the znode is gone, or its session over. */
  async leave(): Promise<void> {
    this.#ownWatch.end();
    await sweep(this.zk, this.path, this.session);
    leaders.delete(this.#leaderKey(this.path));
  }

  /** Which place it is in the end: `behind` only without patience. Leaves the line unless it is the first. */
  async #stand(wait: Wait, patient: boolean): Promise<Place> {
    try {
      const place = await lookUntil<Place>(
        this.zk,
        wait,
        (changed) => this.#look(wait, patient, changed),
        () => this.#forgetPredecessor(),
      );
      if (place === 'first') leaders.add(this.#leaderKey(this.path));
      else await wait.race(this.leave());
      return place;
    } catch (error) {
      await sweepAfterWait(this.zk, wait, this.path, this.leave());
      throw error;
    }
  }

  /** The place, or undefined: `changed` is called when it may be another one. */
  async #look(wait: Wait, patient: boolean, changed: () => void): Promise<Place | undefined> {
    if (this.#isFirst) return 'first';
    const place = placeIn(await this.#children(), this.line.markers, this.#name);
    if (place === undefined || this.zk.session !== this.session) return 'gone';
    if (place.predecessor === undefined) return 'first';
    if (!patient) return 'behind';
    const path = childPath(this.line.path, place.predecessor);
    this.#predecessor = { path, isFirst: place.before === 1 };
    this.#changed = changed;
    this.#ownWatch.begin();
    if (await isGone(this.zk, path, this.#onPredecessor, wait)) this.#predecessorGone();
    return undefined;
  }

  readonly #onPredecessor = (event: OneShotEvent): void => {
    if (event.type === 'deleted') this.#predecessorGone();
    else this.#changed(event.type);
  };

  /** Whoever was behind the first is the first now, if its own znode still stands: the server need not be asked. */
  #predecessorGone(): void {
    const predecessor = this.#predecessor;
    this.#predecessor = undefined;
    if (predecessor === undefined) return;
    const wasFirst = predecessor.isFirst || leaders.has(this.#leaderKey(predecessor.path));
    this.#isFirst = wasFirst && this.#ownWatch.isCertain && this.zk.session === this.session;
    this.#changed('the one before is gone');
  }

  // Unique in spite of chroots: each name has an id of its own.
  #leaderKey(path: string): string {
    return `${this.line.markers.join()} ${path}`;
  }

  #forgetPredecessor(): void {
    if (this.#predecessor !== undefined) this.zk.unwatch(this.#predecessor.path, this.#onPredecessor);
    this.#predecessor = undefined;
  }

  async #children(): Promise<string[]> {
    const listing = this.#listing;
    this.#listing = undefined;
    const early = await listing?.catch(() => undefined);
    // It does not know us where our znode was created at the second go: its parent was missing, or a request was lost.
    if (early?.includes(this.#name) === true) return early;
    try {
      return await this.zk.getChildren(this.line.path);
    } catch (error) {
      if (error instanceof NoNodeError) return [];
      throw error;
    }
  }
}

/** Deletes a znode that was asked for and is not wanted any more, if it comes. */
async function sweepLate(zk: ZooKeeper, creating: Promise<{ readonly path: string }>): Promise<void> {
  const created = await creating.catch(() => undefined);
  if (created !== undefined) await sweep(zk, created.path, zk.session);
}
