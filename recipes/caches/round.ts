import { isPassing, type OneShotEvent, ReplyTooLargeError, ServerError, type WatchEvent, type ZooKeeper } from 'zookit';
import { defer, isEndOfSession, pause } from '../common/waiting.js';
import { Looker } from './looker.js';
import { CacheFullError } from './options.js';
import type { Scope } from './scope.js';
import { type Job, Look, WorkList } from './work-list.js';
import type { FollowingTree } from './znode-tree.js';

/** Reads that are under way at once: enough to keep a server busy, and few beside what else the client does. */
const MOST_UNDER_WAY = 128;

/** What a round works on. */
export interface RoundSetting {
  readonly zk: ZooKeeper;
  readonly scope: Scope;
  readonly tree: FollowingTree;
  readonly watches: 'auto' | 'oneShot';
  /** Tells what cannot be read. */
  left(path: string, error: Error): void;
  /** The tree is complete: for the first time, or again. */
  loaded(): void;
  /** The tree is what the server has had at one moment. Where nobody wants to know, nothing is asked for it. */
  readonly settled: (() => void) | undefined;
  /** Something has changed: it is not that any more. */
  readonly disturbed: (() => void) | undefined;
  /** It is current from now on, or is not any more. */
  currencyChanged(isCurrent: boolean): void;
}

/**
 * Keeps a tree in line with the server for as long as one session lasts, or until somebody removes its watches.
 *
 * Results and events come in the order of the server, and are taken in that order: what a read shows is the latest that
 * is known of its znode.
 */
export class Round {
  readonly #looker: Looker;
  readonly #work = new WorkList();
  readonly #over = defer();
  /** Ends a pause. */
  readonly #ending = new AbortController();
  /** Ends what is under way. */
  readonly #aborting = new AbortController();
  readonly #drained = defer();
  #active = 0;
  /**
   * `arming`: the watch is on its way. `cut`: there was no connection, and what was missed is not known yet. `loading`:
   * it is being read. `leaving`: nothing more is looked at.
   */
  #phase: 'arming' | 'cut' | 'loading' | 'following' | 'leaving' = 'arming';
  /** By which connection of the session the tree is complete. */
  #attachment: number | undefined;
  #failures = 0;
  #pausing = false;
  /** How many events have come, losses of the connection among them. */
  #events = 0;
  /** How many had come when the youngest request was made that is answered. */
  #answered = -1;
  /** How many had come when the tree was settled last. */
  #settled = -1;
  #wasCurrent = false;

  constructor(
    private readonly setting: RoundSetting,
    /** The number of the session among those of the cache. */
    session: number,
  ) {
    const { zk, scope, tree } = setting;
    this.#looker = new Looker({
      ...{ zk: zk.ofThisSession(), sessionInfo: zk.session, scope, tree, session, signal: this.#aborting.signal },
      ...{ onEvent: this.#onEvent, onOneShot: this.#onOneShot },
      found: (path, loads) => this.#work.add(path, Look.data, loads),
      hasEnded: () => this.hasEnded,
    });
  }

  /** Whether nothing is known to be different at the server. */
  get isCurrent(): boolean {
    return this.#isComplete && this.setting.zk.state === 'connected';
  }

  /** Whether nothing is known to be different at the server in use, which may be a read-only one. */
  get #isComplete(): boolean {
    const isLoaded = this.#phase === 'following' && this.#work.isIdle;
    return isLoaded && this.#isAttached && this.#attachment === this.setting.zk.session.attachments;
  }

  /**
   * Whether the tree is what the server has had at one moment, with all of each transaction or nothing of it.
   *
   * A server answers between two transactions, never within one, and what it has told before an answer is all that has
   * changed until then. So the tree is that of the moment of an answer if the answer is to a request that was made after
   * the last event, and nothing is left to be looked at. Without such an answer the rest of a transaction may be on its way.
   */
  get isSettled(): boolean {
    return this.#isComplete && this.#settled === this.#events;
  }

  /** Whether one persistent watch covers everything. */
  get isPersistent(): boolean {
    return this.#looker.isPersistent;
  }

  /** Resolves when it can go no further in this session; rejects with why. */
  async run(): Promise<void> {
    if (this.setting.watches === 'auto') await this.#looker.arm();
    if (this.hasEnded) return;
    this.#reload();
    await this.#over.promise;
  }

  /** Nothing more is to be looked at: the session has ended, or the cache. */
  end(): void {
    this.#phase = 'leaving';
    this.#ending.abort();
    this.#work.clear();
    // An answer that comes to nobody would leave its watch behind; without a connection none comes.
    if (!this.#isAttached) this.#aborting.abort();
    this.#over.resolve();
    this.#noteCurrency();
  }

  get hasEnded(): boolean {
    return this.#phase === 'leaving';
  }

  /** The connection has come or gone. */
  connectionChanged(event: 'connected' | 'suspended'): void {
    if (this.hasEnded) {
      if (!this.#isAttached) this.#aborting.abort();
    } else if (event === 'suspended') {
      this.#disturb();
      if (this.#phase !== 'arming') this.#phase = 'cut';
    } else {
      if (this.#phase === 'cut' && !this.#looker.isPersistent) {
        // The watches are set again, and tell what has changed, before the answer to this.
        this.#work.add(this.setting.scope.root, Look.data | Look.probe, true);
      }
      this.#pump();
    }
    this.#noteCurrency();
  }

  /** Takes all watches away. Resolves when nothing is under way any more. */
  async leave(): Promise<void> {
    this.end();
    const touched = [...this.#work.underWay];
    if (this.#active > 0) await this.#drained.promise;
    const { scope, tree } = this.setting;
    await this.#looker.disarm(new Set([scope.root, ...tree.paths(), ...touched]));
  }

  get #isAttached(): boolean {
    const { state } = this.setting.zk;
    return state === 'connected' || state === 'readonly';
  }

  // --- Watches -------------------------------------------------------------------------------------------------------

  readonly #onEvent = (event: WatchEvent): void => {
    if (event.type === 'resync') {
      this.#disturb();
      this.#reload();
    } else this.#onOneShot(event);
  };

  readonly #onOneShot = (event: OneShotEvent): void => {
    if (this.hasEnded) return;
    this.#disturb();
    if (event.type === 'ended') {
      this.#over.resolve();
      return;
    }
    try {
      this.#changed(event.type, event.path);
    } catch (error) {
      this.#over.reject(error);
    }
    this.#pump();
  };

  #changed(type: 'created' | 'deleted' | 'dataChanged' | 'childrenChanged', path: string): void {
    const { scope, tree } = this.setting;
    // Events come in order: from here on there is no such znode, until one is created.
    if (type === 'deleted') {
      tree.remove(path);
      tree.isReadable(path);
    }
    if (type === 'deleted' && (path !== scope.root || this.#looker.isPersistent)) return;
    // One whose parent is not known is found when the parent is, or does not belong here.
    if (!tree.hasPlaceFor(path) || !scope.includes(path)) return;
    // What the server tells of a time without a connection belongs to what was missed.
    this.#work.add(path, type === 'childrenChanged' ? Look.children : Look.data, this.#phase === 'cut');
  }

  // --- Looking -------------------------------------------------------------------------------------------------------

  /** Looks whether anything is different from what is known. */
  #reload(): void {
    if (this.hasEnded) return;
    const { scope, tree } = this.setting;
    this.#phase = 'loading';
    this.#work.add(scope.root, Look.check, true);
    for (const path of tree.paths()) this.#work.add(path, Look.check, true);
    this.#pump();
  }

  readonly #pump = (): void => {
    while (this.#mayLook) {
      const job = this.#work.take();
      if (job === undefined) break;
      if (!this.setting.tree.hasPlaceFor(job.path)) {
        this.#work.done(job);
        continue;
      }
      this.#active++;
      void this.#do(job);
    }
    if (this.#phase === 'loading' && this.#work.loading === 0) this.#complete();
    this.#settle();
    this.#noteCurrency();
  };

  #disturb(): void {
    this.#events++;
    this.setting.disturbed?.();
  }

  #settle(): void {
    const { settled, scope } = this.setting;
    if (settled === undefined || !this.#isComplete || this.#settled === this.#events) return;
    if (this.#answered === this.#events) {
      this.#settled = this.#events;
      settled();
    } else {
      // As after a deletion, which needs no look.
      this.#work.add(scope.root, this.#looker.isPersistent ? Look.check : Look.data, false);
      this.#pump();
    }
  }

  #noteCurrency(): void {
    const { isCurrent } = this;
    if (isCurrent === this.#wasCurrent) return;
    this.#wasCurrent = isCurrent;
    this.setting.currencyChanged(isCurrent);
  }

  /** Without a connection reads would only fill the queue of the client; with none to come they tell why. */
  get #mayLook(): boolean {
    const { state } = this.setting.zk;
    const isWaiting = state === 'suspended' || state === 'connecting';
    return this.#active < MOST_UNDER_WAY && !isWaiting && !this.#pausing && !this.hasEnded;
  }

  #complete(): void {
    this.#phase = 'following';
    this.#attachment = this.setting.zk.session.attachments;
    this.setting.loaded();
  }

  async #do(job: Job): Promise<void> {
    const events = this.#events;
    try {
      await this.#looker.look(job);
      this.#answered = Math.max(this.#answered, events);
      this.#failures = 0;
      this.#done(job);
    } catch (error) {
      this.#failed(job, error);
    }
    this.#active--;
    if (this.hasEnded && this.#active === 0) this.#drained.resolve();
    this.#pump();
  }

  #done(job: Job): void {
    this.#work.done(job);
    if ((job.look & Look.probe) !== 0 && this.#phase === 'cut') this.#phase = 'loading';
  }

  // --- Failures ------------------------------------------------------------------------------------------------------

  #failed(job: Job, error: unknown): void {
    const { path } = job;
    if (this.hasEnded) return;
    if (isPassing(error)) {
      this.#work.again(job);
      void this.#rest();
      return;
    }
    const isRefusal = error instanceof ServerError || error instanceof ReplyTooLargeError;
    if (!isRefusal || path === this.setting.scope.root || isEndOfSession(error) || error instanceof CacheFullError) {
      this.#over.reject(error);
      return;
    }
    this.#leaveOut(path, error);
    this.#done(job);
  }

  /** What cannot be read is left out, with all below it. */
  #leaveOut(path: string, error: Error): void {
    this.#looker.forget(path);
    if (this.setting.tree.leaveOut(path)) this.setting.left(path, error);
  }

  async #rest(): Promise<void> {
    if (this.#pausing) return;
    this.#pausing = true;
    await pause(this.setting.zk, this.#failures++, this.#ending.signal);
    this.#pausing = false;
    this.#pump();
  }
}
