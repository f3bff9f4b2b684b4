import type { OneShotEvent, WatchedChange, WatchEndReason, WatchEvent } from '../events.js';
import type { OneShotKind } from '../operations/operation.js';
import { parentOf } from '../paths.js';

/** Who is told of a one-shot watch. Equal keys on one path are told once. */
export interface OneShotListener {
  /** The function of the user. */
  readonly key: unknown;
  tell(event: OneShotEvent): void;
}

/** Who is told of a persistent watch. Registered when it is asked for, told anything once it is armed. */
export interface PersistentListener {
  /** In the server's form. */
  readonly path: string;
  readonly recursive: boolean;
  armed: boolean;
  tell(event: WatchEvent): void;
}

/** A watch on its way to the server. */
export interface ArmingState {
  /** The server was told, after the request, to forget the watches of its path. */
  disturbed: boolean;
}

/** What a watch is for: a kind of one-shot watch, or one that stays. */
export type WatchKind = OneShotKind | 'persistent' | 'recursive';

const watchKinds = ['data', 'exists', 'children', 'persistent', 'recursive'] as const satisfies readonly WatchKind[];

/** A path that is watched. */
export interface WatchedPath {
  readonly path: string;
  readonly kind: WatchKind;
  /** How many are told: functions given as `watch`, or watchers. */
  readonly listeners: number;
}

type OneShots = Map<string, Map<unknown, OneShotListener>>;
type Persistents = Map<string, Set<PersistentListener>>;

/** Which kinds of one-shot watch an event ends: the tables of section "What fires" in the protocol. */
const endedBy: Readonly<Record<WatchedChange['type'], readonly OneShotKind[]>> = {
  created: ['data', 'exists'],
  dataChanged: ['data', 'exists'],
  deleted: ['data', 'exists', 'children'],
  childrenChanged: ['children'],
};

/** Which path is watched how, and by whom. All paths are the server's. */
export class WatchRegistry {
  readonly #oneShots: Readonly<Record<OneShotKind, OneShots>> = {
    data: new Map(),
    exists: new Map(),
    children: new Map(),
  };
  readonly #persistent: Persistents = new Map();
  readonly #recursive: Persistents = new Map();
  /** Requests on their way that bring a watch, by path. */
  readonly #onTheWay = new Map<string, Set<ArmingState>>();

  /** Adds a one-shot watch. */
  addOneShot(kind: OneShotKind, path: string, listener: OneShotListener): void {
    const listeners = this.#oneShots[kind].get(path);
    if (listeners === undefined) this.#oneShots[kind].set(path, new Map([[listener.key, listener]]));
    else listeners.set(listener.key, listener);
  }

  /** A request that brings a watch is about to be sent, for the first time or again. */
  expect(path: string, state: ArmingState): void {
    state.disturbed = false;
    const states = this.#onTheWay.get(path);
    if (states === undefined) this.#onTheWay.set(path, new Set([state]));
    else states.add(state);
  }

  /** The request was answered, or will not be. */
  expectNoMore(path: string, state: ArmingState): void {
    const states = this.#onTheWay.get(path);
    states?.delete(state);
    if (states?.size === 0) this.#onTheWay.delete(path);
  }

  /** The server is told to forget the watches of a path: those on their way to it, too. */
  disturb(path: string): void {
    for (const state of this.#onTheWay.get(path) ?? []) state.disturbed = true;
  }

  /** Whether a watch of this path is on its way. */
  expects(path: string): boolean {
    return this.#onTheWay.has(path);
  }

  /** Takes a one-shot watch away; returns whether it was there. */
  removeOneShot(path: string, key: unknown): boolean {
    let removed = false;
    for (const table of Object.values(this.#oneShots)) {
      const listeners = table.get(path);
      removed = (listeners?.delete(key) ?? false) || removed;
      if (listeners?.size === 0) table.delete(path);
    }
    return removed;
  }

  addPersistent(listener: PersistentListener): void {
    const table = this.#tableOf(listener);
    const listeners = table.get(listener.path);
    if (listeners === undefined) table.set(listener.path, new Set([listener]));
    else listeners.add(listener);
  }

  /** Takes a persistent watch away; returns whether it was there. */
  removePersistent(listener: PersistentListener): boolean {
    const table = this.#tableOf(listener);
    const listeners = table.get(listener.path);
    const removed = listeners?.delete(listener) ?? false;
    if (listeners?.size === 0) table.delete(listener.path);
    return removed;
  }

  /**
   * Whether a watch that stays already brings the events of a one-shot watch. Then the server must not be asked for
   * the one-shot watch: before ZooKeeper 3.9 it would take the place of the one that stays.
   */
  coversOneShot(kind: OneShotKind, path: string): boolean {
    return this.#persistent.has(path) || (kind !== 'children' && this.#recursive.has(path));
  }

  /** Whether a recursive watch already brings the events of a persistent one, which must not take its place either. */
  coversPersistent(path: string): boolean {
    return this.#recursive.has(path);
  }

  /** Whether somebody still needs what the server reports because of this listener. */
  stillNeeded({ path, recursive }: PersistentListener): boolean {
    return this.#recursive.has(path) || (!recursive && this.#persistent.has(path));
  }

  /** Whether nothing is watched, and nothing is about to be. */
  get isEmpty(): boolean {
    const tables = [...Object.values(this.#oneShots), this.#persistent, this.#recursive, this.#onTheWay];
    return tables.every((table) => table.size === 0);
  }

  /** Whether anything is watched at exactly this path. */
  has(path: string): boolean {
    return (
      this.#persistent.has(path) ||
      this.#recursive.has(path) ||
      Object.values(this.#oneShots).some((table) => table.has(path))
    );
  }

  /** Who is to be told of a change, and what; one-shot watches are used up by it. */
  match(change: WatchedChange): (() => void)[] {
    const calls: (() => void)[] = [];
    this.#matchOneShots(change, calls);
    this.#matchPersistent(change, calls);
    this.#matchRecursive(change, calls);
    this.#deriveChildrenChanged(change, calls);
    return calls;
  }

  #matchOneShots(change: WatchedChange, calls: (() => void)[]): void {
    const told = new Set<unknown>();
    for (const kind of endedBy[change.type]) {
      for (const listener of this.#oneShots[kind].get(change.path)?.values() ?? []) {
        if (told.has(listener.key)) continue;
        told.add(listener.key);
        calls.push(() => listener.tell(change));
      }
      this.#oneShots[kind].delete(change.path);
    }
  }

  #matchPersistent(change: WatchedChange, calls: (() => void)[]): void {
    // Beside a recursive watch, some releases report the children of a persistent one and some do not: see below.
    if (change.type === 'childrenChanged' && this.#hasArmedRecursive(change.path)) return;
    tellArmed(this.#persistent.get(change.path), change, calls);
  }

  #matchRecursive(change: WatchedChange, calls: (() => void)[]): void {
    if (change.type === 'childrenChanged' || this.#recursive.size === 0) return;
    for (let path = change.path; ; path = parentOf(path)) {
      tellArmed(this.#recursive.get(path), change, calls);
      if (path === '/') return;
    }
  }

  /**
   * Where a recursive watch stands at the same path, other watches are told of the children from its events: before
   * ZooKeeper 3.9 it takes the place of those others at the server.
   */
  #deriveChildrenChanged({ type, path: child, zxid }: WatchedChange, calls: (() => void)[]): void {
    if ((type !== 'created' && type !== 'deleted') || child === '/') return;
    const path = parentOf(child);
    if (!this.#hasArmedRecursive(path)) return;
    const derived: WatchedChange = { type: 'childrenChanged', path, zxid };
    this.#matchOneShots(derived, calls);
    tellArmed(this.#persistent.get(path), derived, calls);
  }

  #hasArmedRecursive(path: string): boolean {
    for (const listener of this.#recursive.get(path) ?? []) if (listener.armed) return true;
    return false;
  }

  /** The paths to watch again on a new connection; with `only`, of that path alone. */
  paths(only?: string): WatchedPaths {
    const pathsOf = (table: ReadonlyMap<string, unknown>): string[] =>
      only === undefined ? [...table.keys()] : table.has(only) ? [only] : [];
    const armedPathsOf = (table: Persistents): string[] =>
      pathsOf(table).filter((path) => [...(table.get(path) ?? [])].some((listener) => listener.armed));
    const recursive = armedPathsOf(this.#recursive);
    const covered = new Set(recursive);
    return {
      data: pathsOf(this.#oneShots.data),
      exists: pathsOf(this.#oneShots.exists),
      children: pathsOf(this.#oneShots.children),
      persistent: armedPathsOf(this.#persistent).filter((path) => !covered.has(path)),
      recursive,
    };
  }

  /** How many paths are watched, by kind. */
  get counts(): Readonly<Record<WatchKind, number>> {
    const { data, exists, children } = this.#oneShots;
    return {
      data: data.size,
      exists: exists.size,
      children: children.size,
      persistent: this.#persistent.size,
      recursive: this.#recursive.size,
    };
  }

  /** Which paths are watched, how, and by how many. */
  list(): WatchedPath[] {
    const tables: Readonly<Record<WatchKind, ReadonlyMap<string, { readonly size: number }>>> = {
      ...this.#oneShots,
      persistent: this.#persistent,
      recursive: this.#recursive,
    };
    return watchKinds.flatMap((kind) =>
      Array.from(tables[kind], ([path, listeners]): WatchedPath => ({ path, kind, listeners: listeners.size })),
    );
  }

  /** Who is to be told that changes may have been missed. */
  matchResync(): (() => void)[] {
    const calls: (() => void)[] = [];
    for (const table of [this.#persistent, this.#recursive]) {
      for (const listeners of table.values()) tellArmed(listeners, { type: 'resync' }, calls);
    }
    return calls;
  }

  /** Who is to be told of the end; nothing is watched afterwards. With `only`, that path alone, and these kinds. */
  end(
    reason: WatchEndReason,
    only?: { readonly path: string; readonly kinds: readonly (OneShotKind | 'persistent')[] },
  ): (() => void)[] {
    const calls: (() => void)[] = [];
    for (const kind of ['data', 'exists', 'children'] as const) {
      if (only !== undefined && !only.kinds.includes(kind)) continue;
      for (const [path, listeners] of this.#oneShots[kind]) {
        if (only !== undefined && only.path !== path) continue;
        for (const listener of listeners.values()) calls.push(() => listener.tell({ type: 'ended', reason }));
        this.#oneShots[kind].delete(path);
      }
    }
    if (only !== undefined && !only.kinds.includes('persistent')) return calls;
    for (const table of [this.#persistent, this.#recursive]) {
      for (const [path, listeners] of table) {
        if (only !== undefined && only.path !== path) continue;
        for (const listener of listeners) calls.push(() => listener.tell({ type: 'ended', reason }));
        table.delete(path);
      }
    }
    return calls;
  }

  #tableOf(listener: PersistentListener): Persistents {
    return listener.recursive ? this.#recursive : this.#persistent;
  }
}

/** Paths by the kind of watch on them. */
export interface WatchedPaths {
  readonly data: readonly string[];
  readonly exists: readonly string[];
  readonly children: readonly string[];
  readonly persistent: readonly string[];
  readonly recursive: readonly string[];
}

function tellArmed(
  listeners: ReadonlySet<PersistentListener> | undefined,
  event: WatchEvent,
  calls: (() => void)[],
): void {
  for (const listener of listeners ?? []) if (listener.armed) calls.push(() => listener.tell(event));
}
