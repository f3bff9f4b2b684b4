import type { SessionEvent, WaitOptions, ZooKeeper } from 'zookit';
import type { OptionSubject } from '../common/options.js';
import { canTryAgain, defer, pause, Wait } from '../common/waiting.js';
import { Round } from './round.js';
import type { Scope } from './scope.js';
import type { FollowingTree } from './znode-tree.js';

/** What is told of a mirror. */
export interface MirrorListener {
  /** A znode cannot be read. */
  left(path: string, error: Error): void;
  /** The tree is complete, for the first time or again. */
  loaded(isFirst: boolean): void;
  /** The tree is what the server has had at one moment, after it was not. Costs a request where it would need none. */
  readonly settled?: () => void;
  /** Something has changed, and is not known yet. */
  readonly disturbed?: () => void;
  /** It is current from now on, or is not any more. */
  currencyChanged(isCurrent: boolean): void;
  /** It has ended with an error that does not pass. */
  failed(error: Error): void;
}

/** Keeps a tree in line with the server until it is closed, one session after the other. */
export class Mirror {
  readonly #closing = new AbortController();
  readonly #first = defer();
  #done: Promise<void> | undefined;
  #round: Round | undefined;
  #rounds = 0;
  #failures = 0;
  #isLoaded = false;
  #failure: Error | undefined;

  constructor(
    private readonly zk: ZooKeeper,
    private readonly scope: Scope,
    private readonly tree: FollowingTree,
    private readonly watches: 'auto' | 'oneShot',
    private readonly listener: MirrorListener,
  ) {}

  start(): void {
    this.#done ??= this.#run();
  }

  get isLoaded(): boolean {
    return this.#isLoaded;
  }

  get isCurrent(): boolean {
    return this.#round?.isCurrent === true;
  }

  /** Whether the tree is what the server has had at one moment. Only where somebody is told of it. */
  get isSettled(): boolean {
    return this.#round?.isSettled === true;
  }

  /** Whether one persistent watch covers everything, which only servers from 3.6 on have. */
  get isPersistent(): boolean {
    return this.#round?.isPersistent === true;
  }

  get isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  /** What has ended it. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  async ready(options: WaitOptions, subject: OptionSubject): Promise<void> {
    using wait = new Wait(options, subject);
    await wait.race(this.#first.promise);
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Ends it. Resolves when nothing is under way, and no watch is left. `why`: for those who wait for it. */
  async close(why: Error): Promise<void> {
    this.#closing.abort();
    this.#failure ??= why;
    this.#first.reject(why);
    this.#round?.end();
    await this.#done;
  }

  async #run(): Promise<void> {
    this.zk.on('session', this.#onSession);
    while (!this.isClosed && this.#failure === undefined) await this.#keep();
    this.zk.off('session', this.#onSession);
  }

  async #keep(): Promise<void> {
    const { zk, scope, tree, watches } = this;
    const left = (path: string, error: Error): void => this.listener.left(path, error);
    const { settled, disturbed } = this.listener;
    const currencyChanged = (isCurrent: boolean): void => this.listener.currencyChanged(isCurrent);
    const setting = {
      zk,
      scope,
      tree,
      watches,
      left,
      loaded: () => this.#loaded(),
      currencyChanged,
      settled,
      disturbed,
    };
    const round = new Round(setting, ++this.#rounds);
    this.#round = round;
    let failure: Error | undefined;
    try {
      await round.run();
    } catch (error) {
      // Whatever a round that was ended comes to.
      if (!round.hasEnded) failure = error instanceof Error ? error : new Error(String(error));
    }
    await round.leave();
    this.#round = undefined;
    if (failure === undefined || this.isClosed) return;
    if (canTryAgain(zk, failure)) await pause(zk, this.#failures++, this.#closing.signal);
    else this.#fail(failure);
  }

  #loaded(): void {
    const isFirst = !this.#isLoaded;
    this.#isLoaded = true;
    this.#failures = 0;
    this.#first.resolve();
    this.listener.loaded(isFirst);
  }

  #fail(error: Error): void {
    this.#failure = error;
    this.#first.reject(error);
    this.listener.failed(error);
  }

  readonly #onSession = ({ type }: SessionEvent): void => {
    if (type === 'connected' || type === 'readonly') this.#round?.connectionChanged('connected');
    else if (type === 'suspended') this.#round?.connectionChanged('suspended');
    else if (type === 'expired' || type === 'closed' || type === 'authFailed') this.#round?.end();
  };
}
