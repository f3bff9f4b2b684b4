import { BadVersionError, NodeExistsError, NoNodeError, nameOf, type ZNode, type ZooKeeper } from 'zookit';
import type { Contender } from '../common/contender.js';
import { after, canTryAgain, defer, isEndOfSession, pause, type Wait } from '../common/waiting.js';

/** What a mark holds, as JSON. */
interface MarkData {
  /** The name of the holder's znode. */
  readonly holder: string;
  /** For how long whoever comes after a crash of the holder waits, milliseconds. */
  readonly lockDelay: number;
}

/** Where the mark of a lock is: beside its path, because other clients take every child of that for a contender. */
export function markPathOf(path: string): string {
  return `${path}-__held__`;
}

/**
 * A persistent znode that stands as long as a lock is held, and longer when its holder's session ends without a release:
 * so whoever comes next knows of the crash from the server alone.
 *
 * Each write of it is one of the contender that stands first, in one transaction with a check of that one's znode.
 */
export class CrashMark {
  readonly #path: string;
  readonly #holder: string;
  /** The version of our mark, once we know that it stands. */
  #version: number | undefined;
  #isKept = false;

  constructor(
    private readonly zk: ZooKeeper,
    private readonly contender: Contender,
    path: string,
    private readonly lockDelay: number,
  ) {
    this.#path = markPathOf(path);
    this.#holder = nameOf(contender.path);
  }

  /**
   * Puts up the mark, for the contender that stands first; where a crashed holder has left one, waits first for as long
   * as that has asked for. Resolves with `false` when the contender's znode is gone.
   */
  async putUp(wait: Wait): Promise<boolean> {
    let found: ZNode | undefined;
    let hasWaited = false;
    for (let failures = 0, isKnown = true; ;) {
      try {
        if (!isKnown) found = await wait.race(this.#find(wait));
        if (found !== undefined && !hasWaited && holderIn(found) !== this.#holder) {
          await rest(delayIn(found) ?? this.lockDelay, wait);
          hasWaited = true;
        }
        await wait.race(this.#write(found));
        return true;
      } catch (error) {
        if (error instanceof NoNodeError && error.path === this.contender.path) return false;
        const overtaken = isOvertaken(error);
        if (wait.isOver || !(overtaken || canTryAgain(this.zk, error))) throw error;
        if (this.zk.session !== this.contender.session) return false;
        if (!overtaken) await wait.race(pause(this.zk, failures++, wait.signal));
        isKnown = false;
      }
    }
  }

  /** The mark is to stay, as after a crash. */
  keep(): void {
    this.#isKept = true;
  }

  /**
   * Takes the mark away, if it is ours and the contender's znode stands: the lock is given back. Resolves when that is
   * done or the session is over. @throws NoAuthError.
   */
  async clear(): Promise<void> {
    for (let attempt = 0; !this.#isKept && this.zk.session === this.contender.session; attempt++) {
      try {
        const version = this.#version ?? (await this.#ownVersion());
        if (version === undefined) return;
        await this.zk.transaction().check(this.contender.path).delete(this.#path, version).commit();
        return;
      } catch (error) {
        if (isOvertaken(error) || isEndOfSession(error)) return;
        if (!canTryAgain(this.zk, error)) throw error;
        await pause(this.zk, attempt);
      }
    }
  }

  async #write(found: ZNode | undefined): Promise<void> {
    const data = JSON.stringify({ holder: this.#holder, lockDelay: this.lockDelay } satisfies MarkData);
    const guarded = this.zk.transaction().check(this.contender.path);
    if (found === undefined) {
      await guarded.create(this.#path, data).commit();
      this.#version = 0;
      return;
    }
    const [, { version }] = await guarded.setData(this.#path, data, found.stat.version).commit();
    this.#version = version;
  }

  /** After a lost connection the next server may lag behind. */
  async #find(wait: Wait): Promise<ZNode | undefined> {
    try {
      return await this.zk.getData(this.#path, { sync: true, signal: wait.signal });
    } catch (error) {
      if (error instanceof NoNodeError) return undefined;
      throw error;
    }
  }

  /** The version of the mark if it names us; that is not known where an answer was lost. */
  async #ownVersion(): Promise<number | undefined> {
    const node = await this.zk.getData(this.#path, { sync: true });
    return holderIn(node) === this.#holder ? node.stat.version : undefined;
  }
}

/** Somebody else has created, changed or deleted what was to be written. */
function isOvertaken(error: unknown): boolean {
  return error instanceof NodeExistsError || error instanceof BadVersionError || error instanceof NoNodeError;
}

function holderIn(node: ZNode): unknown {
  return parse(node)?.holder;
}

/** Undefined where the mark holds no delay: it was written by hand. */
function delayIn(node: ZNode): number | undefined {
  const delay = parse(node)?.lockDelay;
  return typeof delay === 'number' && delay >= 0 ? delay : undefined;
}

function parse(node: ZNode): Partial<Record<keyof MarkData, unknown>> | undefined {
  try {
    return node.json<Partial<Record<keyof MarkData, unknown>> | null>() ?? undefined;
  } catch {
    return undefined;
  }
}

/** Resolves after so many milliseconds, unless the wait ends before. */
async function rest(delay: number, wait: Wait): Promise<void> {
  const over = defer();
  const stop = after(delay, () => over.resolve());
  try {
    await wait.race(over.promise);
  } finally {
    stop();
  }
}
