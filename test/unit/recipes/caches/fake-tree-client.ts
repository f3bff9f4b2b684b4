import { setMaxListeners } from 'node:events';
import {
  type OneShotEvent,
  type SessionState,
  type Stat,
  type WatchedChange,
  type WatchEvent,
  type ZNode,
  type ZooKeeper,
} from 'zookit';
import { defer, type Deferred } from '../../../../recipes/common/waiting.js';
import { FakeClient, settle } from '../fake-client.js';

interface Options {
  readonly watch?: (event: OneShotEvent) => void;
  readonly onEvent?: (event: WatchEvent) => void;
  readonly signal?: AbortSignal;
}

/** A client whose answers a test gives one by one: `getData /a`, `getChildren /a`, `exists /a`, `addWatch /a`. */
export class FakeTreeClient extends FakeClient {
  override session = { attachments: 1 };
  readonly asked: string[] = [];
  readonly #answers = new Map<string, Deferred<unknown>[]>();
  #onEvent: ((event: WatchEvent) => void) | undefined;
  #onOneShot: ((event: OneShotEvent) => void) | undefined;
  watchersClosed = 0;

  override get zk(): ZooKeeper {
    return this as unknown as ZooKeeper;
  }

  override become(state: SessionState): void {
    if (state === 'expired') this.session = { attachments: 1 };
    super.become(state);
  }

  ofThisSession(): this {
    return this;
  }

  unrooted(): this {
    return this;
  }

  getData(path: string, options: Options = {}): Promise<unknown> {
    return this.#ask('getData', path, options);
  }

  getChildren(path: string, options: Options = {}): Promise<unknown> {
    return this.#ask('getChildren', path, options);
  }

  exists(path: string, options: Options = {}): Promise<unknown> {
    return this.#ask('exists', path, options);
  }

  async addWatch(path: string, options: Options = {}): Promise<unknown> {
    await this.#ask('addWatch', path, options);
    this.#onEvent = options.onEvent;
    const close = (): Promise<void> => {
      this.watchersClosed++;
      return Promise.resolve();
    };
    return { close };
  }

  unwatch(path: string): void {
    this.forgotten.push(path);
  }

  /** Answers the oldest such request. */
  async answer(
    request: string,
    result: ZNode | Stat | Error | null | { children: string[]; stat: Stat } | true,
  ): Promise<void> {
    const answer = this.#answers.get(request)?.shift();
    if (answer === undefined) throw new Error(`${request} was not asked: ${this.asked.join(', ')}`);
    this.asked.splice(this.asked.indexOf(request), 1);
    if (result instanceof Error) answer.reject(result);
    else answer.resolve(result);
    await settle();
  }

  /** An event of whatever watch there is. */
  async event(event: WatchedChange['type'] | 'resync', path = ''): Promise<void> {
    if (event === 'resync') this.#onEvent?.({ type: 'resync' });
    else (this.#onEvent ?? this.#onOneShot)?.({ type: event, path, zxid: undefined });
    await settle();
  }

  /** The watches have ended. */
  async ended(reason: 'removed' | 'expired'): Promise<void> {
    if (reason === 'expired') this.session = { attachments: 1 };
    (this.#onEvent ?? this.#onOneShot)?.({ type: 'ended', reason });
    await settle();
  }

  #ask(operation: string, path: string, { watch, signal }: Options): Promise<unknown> {
    const request = `${operation} ${path}`;
    this.#onOneShot = watch ?? this.#onOneShot;
    this.asked.push(request);
    const answer = defer<unknown>();
    const waiting = this.#answers.get(request) ?? [];
    this.#answers.set(request, [...waiting, answer]);
    if (signal === undefined) return answer.promise;
    // As the client does.
    setMaxListeners(0, signal);
    signal.addEventListener('abort', () => answer.reject(new Error('aborted')));
    return answer.promise;
  }
}
