import { type Failure, isFailure, ProtocolError, UnansweredFailure } from '../errors.js';
import type { SessionState, WatchedChange } from '../events.js';
import type { OperationMeter } from '../metrics/operation-meter.js';
import { setWatches, setWatches2 } from '../operations/index.js';
import type { OneShotKind } from '../operations/operation.js';
import type { RemovableWatches, SetWatchesRequest } from '../operations/watching.js';
import type { Channel } from './channel.js';
import { type Arming, type PendingRequest, TypedRequest } from './pending-request.js';
import { rewatchRequests } from './rewatch.js';
import { type FinalState, isFinal } from './states.js';
import type { SessionSurroundings } from './surroundings.js';
import { type OneShotListener, WatchRegistry } from './watch-registry.js';

/** What the server forgets when watches are removed. */
const removedKinds: Readonly<Record<RemovableWatches, readonly (OneShotKind | 'persistent')[]>> = {
  any: ['data', 'exists', 'children', 'persistent'],
  data: ['data', 'exists'],
  children: ['children'],
};

/** What watching needs of its session. */
export interface WatchingSession {
  readonly state: SessionState;
  /** The channel on which requests are sent, if there is one now. */
  readonly sendable: Channel | undefined;
  /** Sends a request, or lets it wait for its turn. */
  add(request: PendingRequest): void;
  /** Makes the server forget all watches of a path. */
  askToRemove(path: string): Promise<void | Failure>;
  /** Whether the server is of 3.5 or later, as far as that is known without asking. */
  readonly isNewServer: boolean | undefined;
  hasNewServer(): Promise<boolean | undefined>;
}

/** The watches of one session: here in a registry, and at whatever server the session is at. */
export class SessionWatches {
  readonly registry = new WatchRegistry();

  constructor(
    private readonly session: WatchingSession,
    private readonly around: Pick<SessionSurroundings<never>, 'options' | 'lastZxid' | 'delivery'>,
    private readonly meter: OperationMeter,
  ) {}

  /** Tells those who watch what has changed. */
  changed(change: WatchedChange): void {
    this.#deliver(this.registry.match(change));
  }

  /** Watches everything again on a new connection. Those that stay are told that they may have missed something. */
  resume(channel: Channel): void {
    const requests = this.#requests();
    requests.forEach((request, index) => {
      const isLast = index === requests.length - 1;
      const onSet = (): void => {
        if (isLast) this.#deliver(this.registry.matchResync());
      };
      channel.send(this.#setting(channel, request, onSet));
    });
  }

  /** Watches again what is left at a path where the server has forgotten all of it; what changed since is reported. */
  again(path: string): void {
    const channel = this.session.sendable;
    if (channel === undefined) return;
    // Behind a removal that waits for its turn, which would take these watches away, too.
    for (const request of this.#requests(path)) this.session.add(this.#setting(channel, request, () => undefined));
  }

  #requests(onlyPath?: string): SetWatchesRequest[] {
    const { lastZxid, options } = this.around;
    return rewatchRequests(this.registry.paths(onlyPath), lastZxid.value, options.maxRequestBytes);
  }

  #setting(channel: Channel, request: SetWatchesRequest, onSet: () => void): PendingRequest {
    const operation = request.persistent.length + request.recursive.length > 0 ? setWatches2 : setWatches;
    const refused = (outcome: unknown): void => {
      const lost = outcome instanceof UnansweredFailure && outcome.kind !== 'queueFull';
      if (isFailure(outcome) && !lost) channel.connection.end(new ProtocolError('the watches could not be set again'));
    };
    const arming: Arming = { beforeSend: () => undefined, armed: onSet, refused: () => undefined };
    return new TypedRequest(operation, request, 0, this.around.delivery, refused, arming, this.meter);
  }

  /** Takes on a one-shot watch that the server has left; one that comes after the end of the session is told of that. */
  addOneShot(kind: OneShotKind, path: string, listener: OneShotListener): void {
    const { state } = this.session;
    if (isFinal(state)) this.#deliver([() => listener.tell({ type: 'ended', reason: state })]);
    else this.registry.addOneShot(kind, path, listener);
  }

  /** Forgets a one-shot watch; the server's goes when nobody else watches the path. */
  unwatch(path: string, key: unknown): void {
    if (!this.registry.removeOneShot(path, key) || this.#isWatched(path)) return;
    // Whatever it comes to: a watch that stays behind tells nobody.
    if (this.session.sendable !== undefined) void this.#tidyUp(path);
  }

  /** Removes the watches of a path that nobody watches, if that costs no connection. */
  async #tidyUp(path: string): Promise<void> {
    if (this.session.isNewServer === undefined) {
      await this.session.hasNewServer();
      // Somebody may have come meanwhile.
      if (this.session.sendable === undefined || this.#isWatched(path)) return;
    }
    if (this.session.isNewServer === true) await this.remove(path);
  }

  #isWatched(path: string): boolean {
    return this.registry.has(path) || this.registry.expects(path);
  }

  /** Makes the server forget all watches of a path, and watches again what is still watched here. */
  async remove(path: string): Promise<void> {
    this.registry.disturb(path);
    const removed = this.session.askToRemove(path);
    this.again(path);
    await removed;
  }

  /** Ends the watches of a path, here. Returns whether there were any. */
  end(path: string, watches: RemovableWatches): boolean {
    const calls = this.registry.end('removed', { path, kinds: removedKinds[watches] });
    this.#deliver(calls);
    return calls.length > 0;
  }

  /** The session is over: every watch is told so. */
  endAll(state: FinalState): void {
    this.#deliver(this.registry.end(state));
  }

  #deliver(calls: readonly (() => void)[]): void {
    for (const call of calls) this.around.delivery.event(call);
  }
}
