import type Long from 'long';
import { childPath, type SessionInfo, type ZNode, type ZooKeeper } from 'zookit';
import { after } from '../common/waiting.js';
import { layouts, shallowName } from './group-layout.js';
import { LiveChildren, type LiveChild } from './live-children.js';
import type { PartitionMember } from './partitioning.js';
import { PersistentNode } from './persistent-node.js';

/** Who takes part, and since which change of that. */
export interface Membership {
  /** Sorted by id. */
  readonly members: readonly PartitionMember[];
  readonly zxid: Long;
}

/** How a member takes part, and who is told. */
export interface SettledMembersSpec {
  readonly path: string;
  readonly id: string;
  readonly weight: number;
  /** For how long nobody may have come or gone, milliseconds. */
  readonly settle: number;
  onChange(): void;
  onFail(error: unknown): void;
}

/** The members as they were seen once. */
interface Seen {
  readonly children: readonly LiveChild[];
  readonly zxid: Long;
}

/** Takes part, and knows who else does, once nobody has come or gone for a while. */
export class SettledMembers {
  /** The name of our znode: that of the member, over new sessions, too. */
  readonly key: string;
  readonly #node: PersistentNode;
  readonly #live: LiveChildren;
  #settled: (Membership & Seen & { readonly session: SessionInfo }) | undefined;
  /** What is to settle. */
  #pending: (Seen & { readonly cancel: () => void }) | undefined;

  constructor(
    private readonly zk: ZooKeeper,
    private readonly spec: SettledMembersSpec,
  ) {
    const { path, id, weight } = spec;
    this.key = shallowName(id);
    this.#node = new PersistentNode(zk, childPath(path, this.key), JSON.stringify({ id, weight }));
    this.#live = new LiveChildren(zk, { path, operation: 'Partitioner', reads: true, counts: () => true });
  }

  /** Undefined before they have settled for the first time in this session, and while we are not among them. */
  get membership(): Membership | undefined {
    return this.#settled;
  }

  /** Whether they have settled, and are so still, as far as anybody can know. */
  get isCertain(): boolean {
    return this.#settled?.session === this.zk.session && this.#live.isCurrent;
  }

  /** Whether somebody has come or gone a short while ago. */
  get isMoving(): boolean {
    return this.#settled === undefined || this.#pending !== undefined;
  }

  start(): void {
    this.#node.start();
    this.#live.start();
    void this.#follow();
    void this.#stay();
  }

  /** Leaves. Resolves when the others can see that, or the session is over. */
  async close(): Promise<void> {
    this.#forgetPending();
    await Promise.all([this.#live.close(), this.#node.close()]);
  }

  async #follow(): Promise<void> {
    try {
      while (!this.#live.isClosed) {
        const { changed } = this.#live;
        this.#look();
        this.#live.check();
        await changed;
      }
    } catch (error) {
      if (!this.#live.isClosed) this.spec.onFail(error);
    }
  }

  /** Learns what makes taking part impossible. Whether we take part, the list of members says. */
  async #stay(): Promise<void> {
    try {
      for await (const _ of this.#node);
    } catch (error) {
      this.spec.onFail(error);
    }
  }

  #look(): void {
    const { children, zxid, isCurrent } = this.#live;
    // What may be old settles nothing.
    if (!isCurrent || this.#live.isClosed) return this.#forgetPending();
    // The others have divided what the former session had.
    if (this.#settled?.session !== this.zk.session) this.#settled = undefined;
    if (zxid === undefined || !children.some(({ name }) => name === this.key)) {
      this.#forgetPending();
      this.#settled = undefined;
      return this.spec.onChange();
    }
    const isSame = (other: Seen | undefined): boolean => other?.children === children && other.zxid.equals(zxid);
    if (isSame(this.#pending)) return;
    this.#forgetPending();
    // One who has come and gone is no other member, and may have been given partitions: that is to be looked at again.
    if (isSame(this.#settled)) return this.spec.onChange();
    const cancel = after(this.spec.settle, () => this.#settle(children, zxid));
    this.#pending = { children, zxid, cancel };
    this.spec.onChange();
  }

  #settle(children: readonly LiveChild[], zxid: Long): void {
    this.#pending = undefined;
    const members = children
      .map(({ name, node }) => ({ key: name, id: layouts.shallowParty.idOf(name, node), weight: weightIn(node) }))
      .sort((a, b) => (a.id === b.id ? (a.key < b.key ? -1 : 1) : a.id < b.id ? -1 : 1));
    this.#settled = { children, members, zxid, session: this.zk.session };
    this.spec.onChange();
  }

  #forgetPending(): void {
    this.#pending?.cancel();
    this.#pending = undefined;
  }
}

/** The weight that a member has written down; 1 for those that write none, as kazoo's. */
function weightIn(node: ZNode | undefined): number {
  try {
    const weight = node?.json<{ readonly weight?: unknown } | null>()?.weight;
    return typeof weight === 'number' && weight >= 0 ? weight : 1;
  } catch {
    return 1;
  }
}
