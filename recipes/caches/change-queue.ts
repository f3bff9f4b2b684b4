import type { CacheChange } from './changes.js';

/** What waits for a reader, of one znode: at most a removal, and then something newer. */
interface Waiting {
  removed?: number | undefined;
  newer?: number | undefined;
}

/**
 * The changes that a slow reader has not taken yet. They are merged znode by znode, so that there are never more than
 * two for each, however long they wait: several writes become one change, and what came and went is not told at all.
 * The order holds: parents are added before and removed after what is below them.
 */
export class ChangeQueue<T> {
  readonly #changes = new Map<number, CacheChange<T>>();
  readonly #waiting = new Map<string, Waiting>();
  readonly #unreadable = new Map<string, number>();
  #resync: number | undefined;
  #next = 0;
  /** Stays while there is something to take: a new iterator would step over all that was taken before. */
  #cursor: Iterator<[number, CacheChange<T>], undefined> | undefined;

  get size(): number {
    return this.#changes.size;
  }

  push(change: CacheChange<T>): void {
    switch (change.type) {
      case 'ready':
        this.#append(change);
        return;
      case 'resync':
        // All that was told before the earlier one is told before this one.
        if (this.#resync !== undefined) this.#changes.delete(this.#resync);
        this.#resync = this.#append(change);
        return;
      case 'unreadable':
        this.#drop(this.#unreadable.get(change.path));
        this.#unreadable.set(change.path, this.#append(change));
        return;
      default:
        this.#merge(change);
    }
  }

  /** The next change, if there is one. */
  take(): CacheChange<T> | undefined {
    this.#cursor ??= this.#changes[Symbol.iterator]();
    const { value } = this.#cursor.next();
    if (value === undefined) {
      this.#cursor = undefined;
      return undefined;
    }
    const [at, change] = value;
    this.#changes.delete(at);
    this.#forget(at, change);
    return change;
  }

  clear(): void {
    this.#changes.clear();
    this.#waiting.clear();
    this.#unreadable.clear();
    this.#resync = undefined;
    this.#cursor = undefined;
  }

  #merge(change: Exclude<CacheChange<T>, { type: 'ready' | 'resync' | 'unreadable' }>): void {
    const waiting = this.#waiting.get(change.path) ?? {};
    const { newer } = waiting;
    const earlier = newer === undefined ? undefined : this.#changes.get(newer);
    if (change.type === 'removed') {
      this.#drop(newer);
      waiting.newer = undefined;
      // What the reader has never heard of need not be taken from it.
      if (earlier?.type !== 'added') waiting.removed = this.#append(change);
    } else if (newer !== undefined && (earlier?.type === 'added' || earlier?.type === 'changed')) {
      this.#changes.set(newer, { ...earlier, znode: change.znode });
    } else {
      waiting.newer = this.#append(change);
    }
    if (waiting.newer === undefined && waiting.removed === undefined) this.#waiting.delete(change.path);
    else this.#waiting.set(change.path, waiting);
  }

  #append(change: CacheChange<T>): number {
    const at = this.#next++;
    this.#changes.set(at, change);
    return at;
  }

  #drop(at: number | undefined): void {
    if (at !== undefined) this.#changes.delete(at);
  }

  /** A change was taken: what comes now is not merged into it. */
  #forget(at: number, change: CacheChange<T>): void {
    if (change.type === 'ready') return;
    if (change.type === 'resync') this.#resync = undefined;
    else if (change.type === 'unreadable') this.#unreadable.delete(change.path);
    else {
      const waiting = this.#waiting.get(change.path);
      if (waiting === undefined) return;
      if (waiting.removed === at) waiting.removed = undefined;
      else waiting.newer = undefined;
      if (waiting.removed === undefined && waiting.newer === undefined) this.#waiting.delete(change.path);
    }
  }
}
