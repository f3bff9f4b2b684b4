import { callUser, type OneShotEvent, type WatchEvent } from './events.js';
import type { OneShotKind, WatchableRequest } from './operations/operation.js';
import type { AddWatchRequest } from './operations/watching.js';
import type { Chroot } from './paths.js';
import type { Arming } from './session/pending-request.js';
import { longerBy } from './session/rewatch.js';
import type { Session } from './session/session.js';
import type { ArmingState, PersistentListener } from './session/watch-registry.js';

/** Events that may wait for a slow reader. Beyond that they are dropped, and a single `resync` says so. */
const MOST_WAITING = 10_000;

/** The event with the path as the client sees it. */
function toClient<Event extends OneShotEvent | WatchEvent>(event: Event, chroot: Chroot): Event {
  return 'path' in event ? { ...event, path: chroot.toClient(event.path) } : event;
}

/** What a read does that leaves a one-shot watch for `listener`. */
export function oneShotArming(
  session: Session,
  chroot: Chroot,
  kind: OneShotKind,
  request: WatchableRequest,
  listener: (event: OneShotEvent) => void,
): Arming {
  const { watches } = session;
  const oneShot = { key: listener, tell: (event: OneShotEvent) => listener(toClient(event, chroot)) };
  const state: ArmingState = { disturbed: false };
  return {
    longerBy: longerBy.oneShot,
    beforeSend() {
      request.watch = !watches.coversOneShot(kind, request.path);
      watches.expect(request.path, state);
    },
    armed(found) {
      watches.expectNoMore(request.path, state);
      session.addOneShot(kind === 'exists' && found ? 'data' : kind, request.path, oneShot);
      // Meanwhile the server was told to forget it, or the watch that was to bring its events was taken away.
      const isMissing = request.watch ? state.disturbed : !watches.coversOneShot(kind, request.path);
      if (isMissing) session.watchAgain(request.path);
    },
    refused() {
      watches.expectNoMore(request.path, state);
    },
  };
}

/**
 * A persistent watch. Iterate it for its events, in order, each once:
 *
 * - `created`, `deleted`, `dataChanged`, `childrenChanged`: a change. A recursive watch has no `childrenChanged`.
 * - `resync`: changes may have been missed, because the connection was lost (the server does not repeat them) or
 *   because nobody took the events for too long. Read again what you mirror.
 * - `ended`: the last one, when the session has ended. After `close()` the iteration just ends.
 *
 * While disconnected there are no events; after the reconnect of the same session the watch goes on by itself. It
 * does not pass over to a new session.
 */
export class Watcher implements AsyncIterable<WatchEvent>, AsyncDisposable {
  #events: WatchEvent[] = [];
  #readers: ((result: IteratorResult<WatchEvent>) => void)[] = [];
  #over = false;
  readonly #listener: PersistentListener;

  /** Made by `zk.addWatch()`. */
  constructor(
    private readonly session: Session,
    chroot: Chroot,
    /** The path that is watched. */
    readonly path: string,
    /** Whether everything below is watched, too. */
    readonly recursive: boolean,
    private readonly onEvent: ((event: WatchEvent) => void) | undefined,
  ) {
    this.#listener = {
      path: chroot.toServer(path),
      recursive,
      armed: false,
      tell: (event) => this.#tell(toClient(event, chroot)),
    };
  }

  /** Registers the watch, which `request` asks for, with its session. @internal */
  armingOf(request: AddWatchRequest): Arming {
    const { watches } = this.session;
    const { path, recursive } = this.#listener;
    const state: ArmingState = { disturbed: false };
    return {
      longerBy: longerBy.persistent,
      beforeSend: () => {
        request.recursive = recursive || watches.coversPersistent(path);
        watches.addPersistent(this.#listener);
        watches.expect(path, state);
      },
      armed: () => {
        watches.expectNoMore(path, state);
        this.#listener.armed = true;
        if (state.disturbed) this.session.watchAgain(path);
      },
      refused: () => {
        watches.expectNoMore(path, state);
        if (watches.removePersistent(this.#listener)) this.session.watchAgain(path);
      },
      // A one-shot watch would go with its first event; this one would stay, and from ZooKeeper 3.9 on beside all others.
      unwanted: () => {
        if (!watches.stillNeeded(this.#listener)) void this.session.removeWatches(path);
      },
    };
  }

  /** Ends the watch, here at once and then at the server. Never rejects; waiting for it is optional. */
  async close(): Promise<void> {
    this.#events = [];
    this.#end();
    const { session } = this;
    const { path } = this.#listener;
    if (!session.watches.removePersistent(this.#listener) || session.watches.stillNeeded(this.#listener)) return;
    if (!session.isAttached) return;
    await session.removeWatches(path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** All iterators of a watcher share its events. */
  [Symbol.asyncIterator](): AsyncIterator<WatchEvent, undefined> {
    return {
      next: () => this.#next(),
      return: async () => {
        await this.close();
        return { done: true, value: undefined };
      },
    };
  }

  #next(): Promise<IteratorResult<WatchEvent, undefined>> {
    const event = this.#events.shift();
    if (event !== undefined) return Promise.resolve({ done: false, value: event });
    if (this.#over) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve) => this.#readers.push(resolve));
  }

  #tell(event: WatchEvent): void {
    if (this.#over) return;
    const { onEvent } = this;
    if (onEvent !== undefined) callUser(() => onEvent(event));
    else this.#queue(event);
    if (event.type === 'ended') this.#end();
  }

  #queue(event: WatchEvent): void {
    const reader = this.#readers.shift();
    if (reader !== undefined) {
      reader({ done: false, value: event });
      return;
    }
    if (this.#events.length >= MOST_WAITING) this.#events = [{ type: 'resync' }];
    this.#events.push(event);
  }

  #end(): void {
    this.#over = true;
    for (const reader of this.#readers.splice(0)) reader({ done: true, value: undefined });
  }
}
