/** Which znodes belong to a cache. */
export class Scope {
  readonly #rootLevels: number;

  constructor(
    readonly root: string,
    /** How far below the root; 0 is the root alone. */
    private readonly depth: number,
    private readonly filter: ((path: string) => boolean) | undefined,
    /** Whether the data of the root are wanted; else only whether it is there. */
    readonly rootData: boolean,
  ) {
    this.#rootLevels = levelsOf(root);
  }

  /** Whether a znode belongs here whose parent does. */
  includes(path: string): boolean {
    if (path === this.root) return true;
    return levelsOf(path) - this.#rootLevels <= this.depth && this.filter?.(path) !== false;
  }

  /** Whether what is directly below a znode may belong here. */
  goesBelow(path: string): boolean {
    return levelsOf(path) - this.#rootLevels < this.depth;
  }
}

function levelsOf(path: string): number {
  if (path === '/') return 0;
  let levels = 0;
  for (let at = path.indexOf('/'); at !== -1; at = path.indexOf('/', at + 1)) levels++;
  return levels;
}
