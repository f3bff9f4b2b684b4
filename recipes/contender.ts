import {
  childPath,
  compareSequences,
  type Data,
  nameOf,
  NoNodeError,
  type OneShotEvent,
  sequenceOf,
  SessionExpiredError,
  type SessionInfo,
  type ZooKeeper,
} from 'zookit';
import type { FencingToken } from './fencing.js';
import { sweep, sweepAfterWait } from './sweeper.js';
import { canTryAgain, lookUntil, pause, type Wait } from './waiting.js';

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

/** A place in a line: our ephemeral sequential znode among those of others, of this process or of another one. */
export class Contender {
  /** Resolves to the first in line once it is; until then it leaves nothing behind, however the wait ends. */
  static async lead(zk: ZooKeeper, line: Line, wait: Wait): Promise<Contender> {
    for (let failures = 0; ;) {
      try {
        const contender = await Contender.enter(zk, line, wait);
        if (await contender.#untilFirst(wait)) return contender;
      } catch (error) {
        // Nothing was held yet, so nothing is lost by lining up again, in a new session if need be.
        if (wait.signal.aborted || !canTryAgain(zk, error)) throw error;
        await wait.race(pause(zk, failures++, wait.signal));
      }
    }
  }

  /** The first in line if it is that at once, else undefined, and nothing is left behind. */
  static async leadAtOnce(zk: ZooKeeper, line: Line, wait: Wait): Promise<Contender | undefined> {
    const contender = await Contender.enter(zk, line, wait);
    try {
      const order = inOrder(await wait.race(contender.#children()), line.markers);
      if (order[0] === contender.#name) return contender;
    } catch (error) {
      await sweepAfterWait(zk, Promise.resolve(contender.path), contender.session);
      throw error;
    }
    await contender.leave();
    return undefined;
  }

  /** Lines up. */
  static async enter(zk: ZooKeeper, line: Line, wait: Wait): Promise<Contender> {
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
      await sweepAfterWait(
        zk,
        creating.then(({ path }) => path),
        zk.session,
      );
      throw error;
    }
  }

  readonly path: string;
  readonly fencingToken: FencingToken;
  readonly #name: string;
  #listing: Promise<string[]> | undefined;

  private constructor(
    private readonly zk: ZooKeeper,
    private readonly line: Line,
    /** The session that owns the znode. */
    readonly session: SessionInfo,
    created: { readonly path: string; readonly zxid: FencingToken },
    listing: Promise<string[]>,
  ) {
    this.path = created.path;
    this.fencingToken = created.zxid;
    this.#name = nameOf(created.path);
    this.#listing = listing;
  }

  /** Leaves the line. Resolves when the znode is gone, or its session over. */
  leave(): Promise<void> {
    return sweep(this.zk, this.path, this.session);
  }

  /** Whether we came to be the first; if not, somebody has deleted our znode. After an error it is gone, too. */
  async #untilFirst(wait: Wait): Promise<boolean> {
    try {
      return await this.#advance(wait);
    } catch (error) {
      await sweepAfterWait(this.zk, Promise.resolve(this.path), this.session);
      throw error;
    }
  }

  async #advance(wait: Wait): Promise<boolean> {
    for (;;) {
      const order = inOrder(await wait.race(this.#children()), this.line.markers);
      const place = order.indexOf(this.#name);
      if (this.zk.session !== this.session) {
        throw new SessionExpiredError('the session has expired', { operation: 'wait', path: this.path }, false);
      }
      if (place === -1) return false;
      const predecessor = order[place - 1];
      if (predecessor === undefined) return true;
      await untilGone(this.zk, childPath(this.line.path, predecessor), wait);
    }
  }

  /** The list that was asked for with the znode serves for the first look. */
  async #children(): Promise<string[]> {
    const listing = this.#listing ?? this.zk.getChildren(this.line.path);
    this.#listing = undefined;
    try {
      return await listing;
    } catch (error) {
      if (!(error instanceof NoNodeError)) throw error;
      // Asked for before the parent was there.
      return await this.#again();
    }
  }

  async #again(): Promise<string[]> {
    try {
      return await this.zk.getChildren(this.line.path);
    } catch (error) {
      if (error instanceof NoNodeError) return [];
      throw error;
    }
  }
}

/** The contenders among the names, first comers first. Orders by distance, because sequence numbers wrap. */
export function inOrder(names: readonly string[], markers: readonly string[]): string[] {
  return names
    .map((name) => ({ name, sequence: sequenceIn(name, markers) }))
    .filter((each): each is { name: string; sequence: number } => each.sequence !== undefined)
    .sort((a, b) => compareSequences(a.sequence, b.sequence) || (a.name < b.name ? -1 : 1))
    .map(({ name }) => name);
}

function sequenceIn(name: string, markers: readonly string[]): number | undefined {
  for (const marker of markers) {
    const sequence = sequenceOf(name, marker);
    if (sequence !== undefined) return sequence;
  }
  return undefined;
}

/** Resolves when a znode may be gone: it is deleted, has changed, or the session has ended. */
async function untilGone(zk: ZooKeeper, path: string, wait: Wait): Promise<void> {
  let looks = 0;
  await lookUntil(
    zk,
    wait,
    async (changed) => {
      if (looks++ > 0) return true;
      // By its data: an exists-watch on a znode that is gone already would stay for ever.
      return (await isGone(zk, path, changed, wait.signal)) ? true : undefined;
    },
    (changed) => zk.unwatch(path, changed),
  );
}

async function isGone(
  zk: ZooKeeper,
  path: string,
  watch: (event: OneShotEvent) => void,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    await zk.getData(path, { watch, signal });
    return false;
  } catch (error) {
    if (error instanceof NoNodeError) return true;
    throw error;
  }
}
