import { BadVersionError, childPath, Long, NodeExistsError, NoNodeError, type ZooKeeper } from 'zookit';
import { untilItCan } from './node-place.js';
import type { PartitionOwners, PartitionStrategy } from './partitioning.js';
import type { Membership } from './settled-members.js';

/** What was agreed on last. */
interface Agreed {
  readonly owners: PartitionOwners;
  /** The membership that it is for. */
  readonly zxid: Long;
  readonly version: number;
}

/** How it is written down: members by name, owners by their place in that list. */
interface Written {
  readonly zxid: string;
  readonly members: readonly string[];
  readonly owners: Readonly<Record<string, number>>;
}

const NOBODY: PartitionOwners = new Map();

/**
 * How the members come to the same division. Where the strategy goes by the members alone, each works it out for itself.
 * Where it goes by what was before, the first one to see a membership writes the division for it into `PATH/assignment`, and
 * the others take it from there. One whose list of members is older than what is written down takes that, too, so that
 * nobody turns back what others have agreed on.
 */
export class Agreement {
  readonly #path: string;

  constructor(
    private readonly zk: ZooKeeper,
    path: string,
    private readonly partitions: readonly string[],
    private readonly strategy: PartitionStrategy,
  ) {
    this.#path = childPath(path, 'assignment');
  }

  async divide(membership: Membership): Promise<PartitionOwners> {
    if (this.strategy.remembers !== true) return this.strategy.divide(this.partitions, membership.members, NOBODY);
    return await untilItCan(this.zk, () => this.#agree(membership));
  }

  async #agree({ members, zxid }: Membership): Promise<PartitionOwners> {
    for (;;) {
      const agreed = await this.#read();
      if (agreed?.zxid.greaterThanOrEqual(zxid) === true) return agreed.owners;
      const owners = this.strategy.divide(this.partitions, members, agreed?.owners ?? NOBODY);
      if (await this.#write(owners, zxid, agreed?.version)) return owners;
    }
  }

  async #read(): Promise<Agreed | undefined> {
    try {
      const node = await this.zk.getData(this.#path, { sync: true });
      return { ...read(node.text()), version: node.stat.version };
    } catch (error) {
      if (error instanceof NoNodeError) return undefined;
      throw error;
    }
  }

  /** Whether nobody else was faster. */
  async #write(owners: PartitionOwners, zxid: Long, version: number | undefined): Promise<boolean> {
    const data = write(owners, zxid);
    try {
      if (version === undefined) await this.zk.create(this.#path, data, { parents: 'container' });
      else await this.zk.setData(this.#path, data, version);
      return true;
    } catch (error) {
      if (error instanceof BadVersionError || error instanceof NodeExistsError || error instanceof NoNodeError)
        return false;
      throw error;
    }
  }
}

function write(owners: PartitionOwners, zxid: Long): string {
  const members = [...new Set(owners.values())];
  const places = new Map(members.map((key, index) => [key, index]));
  const written: Written = {
    zxid: zxid.toString(),
    members,
    owners: Object.fromEntries([...owners].map(([name, key]) => [name, places.get(key) ?? -1])),
  };
  return JSON.stringify(written);
}

/** What nobody of us has written counts as nothing. */
function read(text: string): Omit<Agreed, 'version'> {
  try {
    const { zxid, members, owners } = JSON.parse(text) as Written;
    const entries = Object.entries(owners).map(([name, place]): [string, string] => [name, String(members[place])]);
    return { zxid: Long.fromString(zxid), owners: new Map(entries) };
  } catch {
    return { zxid: Long.NEG_ONE, owners: NOBODY };
  }
}
