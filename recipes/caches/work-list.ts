/** What is to be looked up of a znode; bits, because a znode may need several. */
export const Look = {
  /** Its data, and whether it is there. */
  data: 1,
  /** The names of its children. */
  children: 2,
  /** Whether anything is different from what is known. */
  check: 4,
  /** Nothing in particular: its answer comes after all events of before it was asked for. */
  probe: 8,
} as const;

/** A znode to look at. */
export interface Job {
  readonly path: string;
  /** Bits of {@link Look}. */
  readonly look: number;
  /** Whether the cache is not complete before it is done. */
  readonly loads: boolean;
}

/**
 * What is still to be looked at, in the order in which it came up. A znode is looked at by one job at a time, so that no
 * older answer comes after a newer one; what comes up for it meanwhile waits for the end of that job.
 */
export class WorkList {
  #queue: string[] = [];
  #head = 0;
  /** What waits, by path: in the queue, or for the job of its path to end. */
  readonly #waiting = new Map<string, Job>();
  readonly #underWay = new Set<string>();
  #loading = 0;

  /** How many jobs the cache needs to be complete. */
  get loading(): number {
    return this.#loading;
  }

  get isIdle(): boolean {
    return this.#waiting.size === 0 && this.#underWay.size === 0;
  }

  /** The paths that are being looked at. */
  get underWay(): Iterable<string> {
    return this.#underWay;
  }

  add(path: string, look: number, loads: boolean): void {
    const waiting = this.#waiting.get(path);
    if (waiting === undefined) {
      if (!this.#underWay.has(path)) this.#queue.push(path);
      if (loads) this.#loading++;
      this.#waiting.set(path, { path, look, loads });
      return;
    }
    if (loads && !waiting.loads) this.#loading++;
    this.#waiting.set(path, { path, look: waiting.look | look, loads: waiting.loads || loads });
  }

  /** The next job, which is under way from now on. */
  take(): Job | undefined {
    const path = this.#queue[this.#head];
    if (path === undefined) return undefined;
    this.#head++;
    if (this.#head * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
    const job = this.#waiting.get(path);
    this.#waiting.delete(path);
    this.#underWay.add(path);
    return job;
  }

  done({ path, loads }: Job): void {
    if (loads) this.#loading--;
    this.#underWay.delete(path);
    if (this.#waiting.has(path)) this.#queue.push(path);
  }

  /** The job came to nothing, and is to be done again. */
  again(job: Job): void {
    this.add(job.path, job.look, job.loads);
    this.done(job);
  }

  /** Forgets what waits. */
  clear(): void {
    for (const { loads } of this.#waiting.values()) if (loads) this.#loading--;
    this.#waiting.clear();
    this.#queue = [];
    this.#head = 0;
  }
}
