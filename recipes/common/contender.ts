import {
  childPath,
  type Data,
  nameOf,
  type OneShotEvent,
  SessionExpiredError,
  type SessionInfo,
  type ZooKeeper,
} from 'zookit';
import { childrenOf } from './children.js';
import type { FencingToken } from './fencing.js';
import { type LinePlace, placeIn } from './line-order.js';
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
  /** Who may enter. Default: the first of all who count. */
  readonly rule?: LineRule | undefined;
}

/** Who may enter a line: those in whose way nobody stands. */
export interface LineRule {
  /** Who of the children is in the way of `own`, and how many; undefined if `own` is not there. */
  placeOf(names: readonly string[], own: string): LinePlace | undefined;
  /**
   * Whether nobody can come into the way of who stands in line already. Only then does it enter without another look
   * when the last one in its way is gone.
   */
  readonly isClosed: boolean;
}

/** `gone`: the session has ended, or somebody has deleted our znode. */
type Place = 'first' | 'behind' | 'gone';

/** The nearest one in our way. */
interface Predecessor {
  readonly path: string;
  /** Whether nobody else was in our way when we looked, and so nobody ever will be: newcomers stand at the end. */
  readonly isLast: boolean;
}

/** How soon the first in line begins to look after its znode, milliseconds: what is held for less saves the request. */
const OWN_WATCH_DELAY = 10;

/**
 * The znodes of this process that have entered, each with who counts in its line. Nobody is in their way: so who has one
 * of them as the nearest in its own way need not look again when that is gone.
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

  /** Lines up. The requests go out in this turn: the create and, unless `listing` is false, the list behind it. */
  static async enter(zk: ZooKeeper, line: Line, wait: Wait, listing = true): Promise<Contender> {
    for (let failures = 0; ;) {
      wait.check();
      try {
        return await Contender.#create(zk, line, wait, listing);
      } catch (error) {
        if (wait.isOver || !canTryAgain(zk, error)) throw error;
        await wait.race(pause(zk, failures++, wait.signal));
      }
    }
  }

  /** One who has entered by a znode that was created elsewhere, in this session of the client. */
  static entered(zk: ZooKeeper, line: Line, session: SessionInfo, path: string, fencingToken: FencingToken): Contender {
    return new Contender(zk, line, session, path, fencingToken, undefined);
  }

  static async #create(zk: ZooKeeper, line: Line, wait: Wait, withListing: boolean): Promise<Contender> {
    const { session } = zk;
    const creating = zk.create(childPath(line.path, line.name), line.data, {
      mode: 'ephemeralSequential',
      protected: true,
      parents: 'container',
    });
    // The server answers in order: asked for now, the children come right behind our own znode.
    const listing = withListing ? zk.getChildren(line.path) : undefined;
    listing?.catch(() => undefined);
    try {
      const created = await wait.race(creating);
      if (zk.session === session) return new Contender(zk, line, session, created.path, created.zxid, listing);
      throw new SessionExpiredError('the session has expired', { operation: 'create', path: created.path }, false);
    } catch (error) {
      // Whatever becomes of it: a znode that comes late has no owner, and must not stand in line.
      await sweepAfterWait(zk, wait, line.path, sweepLate(zk, creating));
      throw error;
    }
  }

  readonly #name: string;
  readonly #ownWatch: OwnWatch;
  #listing: Promise<string[]> | undefined;
  #predecessor: Predecessor | undefined;
  #mayEnter = false;
  /** Why the znode does not stand any more, if that came without our doing. */
  #gone: string | undefined;
  /** What to do when something may have changed, while it waits; then, when the znode is gone. */
  #changed: (why: string) => void = () => undefined;

  private constructor(
    private readonly zk: ZooKeeper,
    private readonly line: Line,
    /** The session that owns the znode. */
    readonly session: SessionInfo,
    readonly path: string,
    readonly fencingToken: FencingToken,
    listing: Promise<string[]> | undefined,
  ) {
    this.#name = nameOf(path);
    this.#listing = listing;
    this.#ownWatch = new OwnWatch(zk, path, session, (why) => {
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
    if (this.#mayEnter) return 'first';
    const place = this.#placeIn(await this.children());
    if (place === undefined || this.zk.session !== this.session) return 'gone';
    if (place.predecessor === undefined) return 'first';
    if (!patient) return 'behind';
    const path = childPath(this.line.path, place.predecessor);
    this.#predecessor = { path, isLast: place.before === 1 };
    this.#changed = changed;
    this.#ownWatch.begin();
    if (await isGone(this.zk, path, this.#onPredecessor, wait)) this.#predecessorGone();
    return undefined;
  }

  readonly #onPredecessor = (event: OneShotEvent): void => {
    if (event.type === 'deleted') this.#predecessorGone();
    else this.#changed(event.type);
  };

  #placeIn(names: readonly string[]): LinePlace | undefined {
    const { rule, markers } = this.line;
    return rule === undefined ? placeIn(names, markers, this.#name) : rule.placeOf(names, this.#name);
  }

  /** Whoever has nobody in its way any more may enter, if its own znode still stands: the server need not be asked. */
  #predecessorGone(): void {
    const predecessor = this.#predecessor;
    this.#predecessor = undefined;
    if (predecessor === undefined) return;
    const wasLast = predecessor.isLast || leaders.has(this.#leaderKey(predecessor.path));
    const isClosed = this.line.rule?.isClosed !== false;
    this.#mayEnter = wasLast && isClosed && this.#ownWatch.isCertain && this.zk.session === this.session;
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

  /** The children of the line, at the first call those that came right behind the create. */
  async children(): Promise<string[]> {
    const listing = this.#listing;
    this.#listing = undefined;
    const early = await listing?.catch(() => undefined);
    // It does not know us where our znode was created at the second go: its parent was missing, or a request was lost.
    return early?.includes(this.#name) === true ? early : childrenOf(this.zk, this.line.path);
  }
}

/** Deletes a znode that was asked for and is not wanted any more, if it comes. */
async function sweepLate(zk: ZooKeeper, creating: Promise<{ readonly path: string }>): Promise<void> {
  const created = await creating.catch(() => undefined);
  if (created !== undefined) await sweep(zk, created.path, zk.session);
}
