import { childPath, NodeExistsError, NoNodeError, type ZooKeeper } from 'zookit';
import { after } from '../common/waiting.js';
import { untilItCan } from './node-place.js';

/** The name of the child, as Curator's PersistentTtlNode has it. */
const TOUCH = 'touch';

/**
 * Keeps a znode with a ttl alive by a child that is written again and again: the znode itself does not change by that, and
 * those who watch it are not disturbed. When nobody writes any more, first the child goes, then the znode.
 */
export class TtlTouch {
  #isDue = true;
  #cancel: (() => void) | undefined;

  constructor(
    private readonly zk: ZooKeeper,
    private readonly ttl: number,
    /** How often it is written, milliseconds. */
    private readonly every: number,
    /** Called when it is due. */
    private readonly onDue: () => void,
  ) {}

  /** Writes the child, if that is due. Resolves with false when the znode itself is gone. */
  async touch(path: string): Promise<boolean> {
    if (!this.#isDue) return true;
    if (!(await this.#write(childPath(path, TOUCH)))) return false;
    this.#isDue = false;
    this.stop();
    this.#cancel = after(this.every, () => {
      this.#isDue = true;
      this.onDue();
    });
    return true;
  }

  stop(): void {
    this.#cancel?.();
  }

  /** Deletes the child: a znode that has one cannot be deleted. */
  async remove(path: string): Promise<void> {
    await untilItCan(this.zk, () => this.zk.delete(childPath(path, TOUCH), -1, { missing: 'ignore' }));
  }

  async #write(path: string): Promise<boolean> {
    try {
      await this.zk.setData(path, null);
      return true;
    } catch (error) {
      if (!(error instanceof NoNodeError)) throw error;
    }
    try {
      await this.zk.create(path, null, { mode: 'ttl', ttl: this.ttl });
    } catch (error) {
      if (error instanceof NoNodeError) return false;
      if (!(error instanceof NodeExistsError)) throw error;
    }
    return true;
  }
}
