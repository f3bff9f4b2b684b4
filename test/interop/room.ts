import { randomUUID } from 'node:crypto';
import type { ZooKeeper } from 'zookit';

/**
 * A room that those who hold something go into, whatever language they are of, and see who else is inside: a znode each
 * below `inside`, made before the look and deleted after it. So of two who were inside together, at least one has seen
 * the other. A writer adds one to `count` by a read and a write that checks no version, and writes the name of its
 * contender behind `log`: with two writers at the same time a number is lost.
 *
 * Java (Room.java) and Python (kazoo_peer.py) do the same as `visit`.
 */
export class Room {
  private constructor(
    private readonly zk: ZooKeeper,
    readonly path: string,
  ) {}

  /** A room of its own, in the eyes of this client. */
  static async open(zk: ZooKeeper): Promise<Room> {
    const path = `/room-${randomUUID()}`;
    for (const name of ['inside', 'log']) await zk.ensurePath(`${path}/${name}`);
    await zk.create(`${path}/count`, '0');
    return new Room(zk, path);
  }

  /** Who was inside. `node`: the name of the znode that stands for the hold. */
  async visit(as: Visitor, node = '', zk = this.zk): Promise<Visitor[]> {
    const place = await zk.create(`${this.path}/inside/${as}-`, null, { mode: 'ephemeralSequential' });
    const seen = await zk.getChildren(`${this.path}/inside`);
    if (as === 'writer') {
      const before = Number((await zk.getData(`${this.path}/count`)).text());
      await zk.setData(`${this.path}/count`, String(before + 1));
      await zk.create(`${this.path}/log/at-`, node, { mode: 'persistentSequential' });
    }
    await zk.delete(place.path);
    return seen.map((name) => name.split('-')[0] as Visitor);
  }

  /** How many writers have counted. */
  async count(): Promise<number> {
    return Number((await this.zk.getData(`${this.path}/count`)).text());
  }

  /** The znodes of those who have written, in the order in which they were inside. */
  async log(): Promise<string[]> {
    const names = (await this.zk.getChildren(`${this.path}/log`)).sort();
    return Promise.all(names.map(async (name) => (await this.zk.getData(`${this.path}/log/${name}`)).text()));
  }
}

export type Visitor = 'writer' | 'reader' | 'holder';
