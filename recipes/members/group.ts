import {
  checkPath,
  childPath,
  type Data,
  InvalidArgumentError,
  type LeaseOptions,
  type WaitOptions,
  type ZooKeeper,
} from 'zookit';
import { checkLease, checkNames, leaseNames, type OptionSubject, waitNames } from '../common/options.js';
import { sweepAfterWait } from '../common/sweeper.js';
import { Wait } from '../common/waiting.js';
import { checkId, dataOf, type GroupLayout, layouts } from './group-layout.js';
import { GroupMember } from './group-member.js';
import { LiveChildren, type LiveChild } from './live-children.js';
import { PersistentNode } from './persistent-node.js';

/** How a {@link Group} is written down. */
export interface GroupOptions {
  /** Default `'curator'`. */
  readonly layout?: GroupLayout | undefined;
}

/** How to join a {@link Group}. */
export interface JoinOptions extends LeaseOptions, WaitOptions {
  /** What the others see of the member, beside its id. Not in the layouts of kazoo. Default: none. */
  readonly data?: Data | undefined;
  /**
   * What to do when another session has this id: `'fail'` with OwnedByOtherError, `'wait'` until it is gone, as after a
   * crash, or `'replace'`: take its place, which ends the other member. Default `'fail'`. Not in the layouts of kazoo, where
   * ids need not be unique.
   */
  readonly onConflict?: 'replace' | 'fail' | 'wait' | undefined;
}

/** A member, as others see it. */
export interface Member {
  readonly id: string;
  readonly path: string;
  /** In the layout `shallowParty`, nothing is read, and this is empty. */
  readonly data: Buffer;
}

/** What is known of a group. */
export interface GroupView {
  /** By id. */
  readonly members: readonly Member[];
  /** Whether the list may be out of date: there is no connection, or a change is known and not read yet. */
  readonly stale: boolean;
}

/** What has become of a member. */
export type GroupChange =
  | { readonly type: 'joined'; readonly member: Member }
  | { readonly type: 'updated'; readonly member: Member; readonly previous: Member }
  | { readonly type: 'left'; readonly member: Member };

/**
 * Who is there: members join under an id, with data, and everybody can follow the list.
 *
 * Znodes: `PATH/<id>`, ephemeral, as Curator's GroupMember has them; or those of kazoo's Party or ShallowParty, by the
 * option `layout`.
 *
 * - While connected: current. An empty list is what the server said.
 * - While disconnected, and until a new session has looked: the last list, marked `stale`. Members stay members as long as
 *   their session lives.
 * - After an expiry: a member is gone until its new session has joined again, by itself.
 *
 * Iterate it for the view now and for each later one; views that come too fast are passed over, the last one never.
 */
export class Group implements AsyncIterable<GroupView>, AsyncDisposable {
  readonly layout: GroupLayout;
  readonly #live: LiveChildren;
  #known: { readonly children: readonly LiveChild[]; readonly members: readonly Member[] } = {
    children: [],
    members: [],
  };

  /** @throws InvalidPathError, InvalidArgumentError. Does not connect. */
  constructor(
    private readonly zk: ZooKeeper,
    readonly path: string,
    options: GroupOptions = {},
  ) {
    checkPath(path, 'Group');
    checkNames(options, ['layout'], { operation: 'Group', path });
    this.layout = options.layout ?? 'curator';
    if (!Object.hasOwn(layouts, this.layout))
      throw new InvalidArgumentError(
        `there is no layout ${JSON.stringify(this.layout)}; known are ${Object.keys(layouts).join(', ')}`,
        { operation: 'Group', path },
      );
    const { isInData, counts } = layouts[this.layout];
    this.#live = new LiveChildren(zk, { path, operation: 'Group', reads: isInData, counts });
  }

  /**
   * Joins, and stays a member over lost connections and new sessions until it leaves or the client is closed. Resolves when
   * the others can see it.
   *
   * @throws OwnedByOtherError; OperationTimeoutError, AbortedError, and then it is no member; InvalidArgumentError;
   * NoAuthError.
   */
  async join(id: string, options: JoinOptions = {}): Promise<GroupMember> {
    const subject = this.#subject('join');
    checkNames(options, [...leaseNames, ...waitNames, 'data', 'onConflict'], subject);
    checkLease(options, subject);
    checkId(this.layout, id, subject);
    const { data = null, onConflict = 'fail', margin, loseOn, timeout, signal } = options;
    const { hasData, hasUniqueIds, nameOf } = layouts[this.layout];
    if (!hasData && options.data !== undefined)
      throw new InvalidArgumentError(`members have no data in the layout ${this.layout}, which is kazoo's`, subject);
    using wait = new Wait({ timeout, signal }, subject);
    const path = childPath(this.path, nameOf(id));
    const node = new PersistentNode(this.zk, path, dataOf(this.layout, id, data), {
      onConflict: hasUniqueIds ? onConflict : 'replace',
      margin,
      loseOn,
    }).start();
    try {
      await wait.race(node.published());
    } catch (error) {
      await sweepAfterWait(this.zk, wait, path, node.close());
      throw error;
    }
    return new GroupMember(node, id, path, hasData);
  }

  /** What is known now, without asking the server. Empty and stale before the first look: see {@link ready}. */
  get view(): GroupView {
    return { members: this.#members, stale: !this.#live.isCurrent };
  }

  /** Begins to follow, and resolves when the server was asked for the first time. @throws OperationTimeoutError, AbortedError, ClosedError, what made looking impossible, as NoAuthError. */
  async ready(options: WaitOptions = {}): Promise<this> {
    using wait = new Wait(options, this.#subject('ready'));
    await this.#live.until(() => this.#live.hasLooked, wait);
    return this;
  }

  /** Resolves with the members as soon as they are as wanted, by a list that is not stale. Throws as {@link ready} does. */
  async until(wanted: (members: readonly Member[]) => boolean, options: WaitOptions = {}): Promise<readonly Member[]> {
    using wait = new Wait(options, this.#subject('until'));
    await this.#live.until(() => this.#live.isCurrent && wanted(this.#members), wait);
    return this.#members;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<GroupView, void, undefined> {
    yield* this.#live.each(
      () => this.view,
      (one, other) => one.members === other.members && one.stale === other.stale,
    );
  }

  /** Who has joined, changed or left since the view before: first, all who are there have joined. Ends when it is closed. */
  async *changes(): AsyncGenerator<GroupChange, void, undefined> {
    let before: readonly Member[] = [];
    for await (const { members } of this) {
      yield* changesBetween(before, members);
      before = members;
    }
  }

  /** Stops following; iterations end. Members that have joined stay: they leave by themselves. */
  async close(): Promise<void> {
    await this.#live.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** The same array as long as nothing has changed. */
  get #members(): readonly Member[] {
    const { children } = this.#live;
    if (this.#known.children !== children) {
      const { idOf } = layouts[this.layout];
      const members = children.map(({ name, path, node }): Member => ({
        id: idOf(name, node),
        path,
        data: node?.data ?? NO_DATA,
      }));
      this.#known = { children, members: members.sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)) };
    }
    return this.#known.members;
  }

  #subject(method: string): OptionSubject {
    return { operation: `Group.${method}`, path: this.path };
  }
}

const NO_DATA = Buffer.alloc(0);

/** What has happened between two lists of members. */
export function changesBetween(before: readonly Member[], after: readonly Member[]): GroupChange[] {
  const former = new Map(before.map((member) => [member.path, member]));
  const changes: GroupChange[] = [];
  for (const member of after) {
    const previous = former.get(member.path);
    former.delete(member.path);
    if (previous === undefined) changes.push({ type: 'joined', member });
    else if (!previous.data.equals(member.data)) changes.push({ type: 'updated', member, previous });
  }
  return [...[...former.values()].map((member): GroupChange => ({ type: 'left', member })), ...changes];
}
