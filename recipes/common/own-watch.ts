import { isPassing, NoNodeError, type OneShotEvent, type SessionInfo, type ZNode, type ZooKeeper } from 'zookit';
import { after, isEndOfSession, pause } from './waiting.js';

/**
 * Looks after a znode of our own: somebody else may delete it, and so give away what it stands for.
 *
 * The watch needs no taking away: whoever leaves deletes the znode.
 */
export class OwnWatch {
  #state: 'idle' | 'begun' | 'over' = 'idle';
  /** By which connection of the session the events come; undefined while there is no watch. */
  #attachment: number | undefined;
  #cancel: (() => void) | undefined;
  /** Ends a pause. Made when there is one. */
  #ending: AbortController | undefined;

  constructor(
    private readonly zk: ZooKeeper,
    private readonly path: string,
    private readonly session: SessionInfo,
    /** Called once, unless it has ended before. */
    private readonly onGone: (why: string) => void,
    /** Called with what the znode holds, at first and when it may have changed. */
    private readonly onData?: (node: ZNode) => void,
  ) {}

  /**
   * Whether the znode certainly stood when the newest event came. Events of one connection come in the order of the
   * changes; after a reconnect they come in any order.
   */
  get isCertain(): boolean {
    return this.#attachment !== undefined && this.#attachment === this.session.attachments;
  }

  /** Begins, unless it has begun already. The request goes out in this turn. */
  begin(): void {
    if (this.#state !== 'idle') return;
    this.#cancel?.();
    this.#state = 'begun';
    void this.#watch();
  }

  /** Begins after so many milliseconds. */
  beginLater(delay: number): void {
    if (this.#state === 'idle') this.#cancel ??= after(delay, () => this.begin());
  }

  /** Nobody wants to know any more. */
  end(): void {
    this.#state = 'over';
    this.#attachment = undefined;
    this.#cancel?.();
    this.#ending?.abort();
  }

  async #watch(): Promise<void> {
    for (let attempt = 0; this.#state === 'begun'; attempt++) {
      try {
        const node = await this.zk.getData(this.path, { watch: this.#onChange });
        if (this.#state !== 'begun') return;
        this.#attachment = this.session.attachments;
        this.onData?.(node);
        return;
      } catch (error) {
        if (error instanceof NoNodeError) this.#gone('its znode was deleted');
        else if (isEndOfSession(error)) this.#gone('its session has ended');
        // Without the permission to read, the deletion stays unseen, as it would in any client.
        else if (!isPassing(error)) return;
        else await this.#pause(attempt);
      }
    }
  }

  readonly #onChange = (event: OneShotEvent): void => {
    this.#attachment = undefined;
    if (event.type === 'deleted') this.#gone('its znode was deleted');
    else if (event.type !== 'ended') void this.#watch();
  };

  #gone(why: string): void {
    if (this.#state === 'over') return;
    this.end();
    this.onGone(why);
  }

  #pause(attempt: number): Promise<void> {
    this.#ending ??= new AbortController();
    return pause(this.zk, attempt, this.#ending.signal);
  }
}
