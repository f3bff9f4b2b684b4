import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { OneShotEvent, WatchEvent } from '../../src/events.js';
import type { OneShotKind } from '../../src/operations/operation.js';
import { Chroot } from '../../src/paths.js';
import type { Session } from '../../src/session/session.js';
import { WatchRegistry } from '../../src/session/watch-registry.js';
import { oneShotArming, Watcher } from '../../src/watcher.js';

/** What a watcher needs of a session. */
class FakeSession {
  readonly watches = new WatchRegistry();
  isAttached = true;
  readonly addOneShot: WatchRegistry['addOneShot'] = (...watch) => this.watches.addOneShot(...watch);
  readonly watchAgain = jest.fn<(path: string) => void>();
  readonly removeWatches = jest.fn(async (path: string): Promise<void> => this.watches.disturb(path));

  get asSession(): Session {
    return this as unknown as Session;
  }

  /** The server reports a change. */
  change(type: 'created' | 'deleted' | 'dataChanged' | 'childrenChanged', path: string): void {
    for (const call of this.watches.match({ type, path, zxid: undefined })) call();
  }

  resync(): void {
    for (const call of this.watches.matchResync()) call();
  }

  end(): void {
    for (const call of this.watches.end('expired')) call();
  }
}

let session: FakeSession;

beforeEach(() => {
  session = new FakeSession();
});

const app = Chroot.of('/app');

interface WatcherOptions {
  readonly recursive?: boolean;
  readonly onEvent?: (event: WatchEvent) => void;
}

/** A watcher of `/a` inside `/app`, which the server has not confirmed. */
function asked({ recursive = false, onEvent }: WatcherOptions = {}): {
  readonly watcher: Watcher;
  readonly request: { path: string; recursive: boolean };
  readonly arming: ReturnType<Watcher['armingOf']>;
} {
  const watcher = new Watcher(session.asSession, app, '/a', recursive, onEvent);
  const request = { path: '/app/a', recursive };
  const arming = watcher.armingOf(request);
  arming.beforeSend();
  return { watcher, request, arming };
}

/** A watcher of `/a` inside `/app`. */
function watching(options: WatcherOptions = {}): Watcher {
  const { watcher, arming } = asked(options);
  arming.armed(true);
  return watcher;
}

/** So many events, as `type path`. */
async function taken(watcher: AsyncIterable<WatchEvent>, count: number): Promise<string[]> {
  const iterator = watcher[Symbol.asyncIterator]();
  const events: string[] = [];
  while (events.length < count) {
    const { value, done } = (await iterator.next()) as IteratorResult<WatchEvent, undefined>;
    if (done === true) return [...events, 'done'];
    events.push('path' in value ? `${value.type} ${value.path}` : value.type);
  }
  return events;
}

describe('the events of a watcher', () => {
  it('are iterated in order, with the paths of the client', async () => {
    const watcher = watching();
    session.change('created', '/app/a');
    session.change('dataChanged', '/app/a');
    expect(await taken(watcher, 2)).toEqual(['created /a', 'dataChanged /a']);
  });

  it('can be waited for', async () => {
    const watcher = watching({ recursive: true });
    const events = taken(watcher, 2);
    await Promise.resolve();
    session.change('created', '/app/a/b');
    session.change('deleted', '/app/a/b');
    expect(await events).toEqual(['created /a/b', 'deleted /a/b']);
  });

  it('go to several readers in turn, each to one of them', async () => {
    const watcher = watching();
    const first = taken(watcher, 1);
    const second = taken(watcher, 1);
    await Promise.resolve();
    session.change('created', '/app/a');
    session.change('deleted', '/app/a');
    expect([await first, await second]).toEqual([['created /a'], ['deleted /a']]);
  });

  it('are handed to onEvent in place of the iteration', () => {
    const onEvent = jest.fn<(event: WatchEvent) => void>();
    watching({ onEvent });
    session.change('created', '/app/a');
    expect(onEvent.mock.calls).toEqual([[{ type: 'created', path: '/a', zxid: undefined }]]);
  });

  it('begin with the confirmation of the server', async () => {
    const { watcher, arming } = asked();
    session.change('created', '/app/a');
    arming.armed(true);
    session.change('deleted', '/app/a');
    expect(await taken(watcher, 1)).toEqual(['deleted /a']);
  });

  it('have a resync where changes may have been missed', async () => {
    const watcher = watching();
    session.resync();
    expect(await taken(watcher, 1)).toEqual(['resync']);
  });
});

describe('a reader that is too slow', () => {
  it('gets up to 10,000 events', async () => {
    const watcher = watching();
    for (let count = 0; count < 10_000; count++) session.change('dataChanged', '/app/a');
    const events = await taken(watcher, 10_000);
    expect(new Set(events)).toEqual(new Set(['dataChanged /a']));
  });

  it('gets one resync in place of what was too much, then goes on', async () => {
    const watcher = watching();
    for (let count = 0; count < 10_000; count++) session.change('dataChanged', '/app/a');
    session.change('deleted', '/app/a');
    session.change('created', '/app/a');
    expect(await taken(watcher, 3)).toEqual(['resync', 'deleted /a', 'created /a']);
  });

  it('still learns of the end', async () => {
    const watcher = watching();
    for (let count = 0; count < 10_000; count++) session.change('dataChanged', '/app/a');
    session.end();
    expect(await taken(watcher, 3)).toEqual(['resync', 'ended', 'done']);
  });
});

describe('the end of the session', () => {
  it('is the last event, after those that came before it', async () => {
    const watcher = watching();
    session.change('created', '/app/a');
    session.end();
    session.change('deleted', '/app/a');
    expect(await taken(watcher, 5)).toEqual(['created /a', 'ended', 'done']);
  });

  it('is told to one reader, and ends the iteration of the others', async () => {
    const watcher = watching();
    const readers = [taken(watcher, 2), taken(watcher, 2)];
    await Promise.resolve();
    session.end();
    expect((await Promise.all(readers)).sort()).toEqual([['done'], ['ended', 'done']]);
  });

  it('is told to onEvent once', () => {
    const onEvent = jest.fn<(event: WatchEvent) => void>();
    watching({ onEvent });
    session.end();
    session.end();
    expect(onEvent.mock.calls).toEqual([[{ type: 'ended', reason: 'expired' }]]);
  });
});

describe('close()', () => {
  it('ends the iteration of all readers, without an event', async () => {
    const watcher = watching();
    const readers = [taken(watcher, 1), taken(watcher, 1)];
    await Promise.resolve();
    await watcher.close();
    expect(await Promise.all(readers)).toEqual([['done'], ['done']]);
  });

  it('ends the watch here at once: events that wait are not told any more', async () => {
    const watcher = watching();
    session.change('created', '/app/a');
    await watcher.close();
    expect(await taken(watcher, 1)).toEqual(['done']);
  });

  it('ends the calls of onEvent', async () => {
    const onEvent = jest.fn<(event: WatchEvent) => void>();
    const watcher = watching({ onEvent });
    const calls = session.watches.match({ type: 'created', path: '/app/a', zxid: undefined });
    await watcher.close();
    for (const call of calls) call();
    expect(onEvent).not.toHaveBeenCalled();
  });

  it('makes the server forget the watch', async () => {
    await watching().close();
    expect(session.removeWatches.mock.calls).toEqual([['/app/a']]);
    expect(session.watches.has('/app/a')).toBe(false);
  });

  it('does so once', async () => {
    const watcher = watching();
    await watcher.close();
    await watcher.close();
    expect(session.removeWatches).toHaveBeenCalledTimes(1);
  });

  it('leaves the watch at the server while another watcher needs it', async () => {
    const first = watching();
    const second = watching();
    await first.close();
    expect(session.removeWatches).not.toHaveBeenCalled();
    session.change('created', '/app/a');
    expect(await taken(second, 1)).toEqual(['created /a']);
    await second.close();
    expect(session.removeWatches).toHaveBeenCalledTimes(1);
  });

  it('asks no server while there is no connection', async () => {
    const watcher = watching();
    session.isAttached = false;
    await watcher.close();
    expect(session.removeWatches).not.toHaveBeenCalled();
    expect(session.watches.has('/app/a')).toBe(false);
  });

  it('is what leaving a loop does', async () => {
    const watcher = watching();
    session.change('created', '/app/a');
    for await (const event of watcher) {
      expect(event.type).toBe('created');
      break;
    }
    expect(session.removeWatches).toHaveBeenCalledTimes(1);
    expect(await taken(watcher, 1)).toEqual(['done']);
  });

  it('is what the end of a block does', async () => {
    const watcher = watching();
    await watcher[Symbol.asyncDispose]();
    expect(session.removeWatches).toHaveBeenCalledTimes(1);
  });
});

describe('a watch that was asked for', () => {
  it('is sent as a recursive one where one stands at the path, whose place it would take', () => {
    watching({ recursive: true });
    expect(asked().request.recursive).toBe(true);
  });

  it.each([false, true])('is sent as it was asked for otherwise: recursive is %p', (recursive) => {
    expect(asked({ recursive }).request.recursive).toBe(recursive);
    expect(session.watches.paths('/app/a').persistent).toEqual([]);
  });

  it('and refused is not watched, and what was to be served by it is watched again', () => {
    const { arming } = asked();
    arming.refused();
    expect(session.watches.has('/app/a')).toBe(false);
    expect(session.watchAgain.mock.calls).toEqual([['/app/a']]);
    arming.refused();
    expect(session.watchAgain).toHaveBeenCalledTimes(1);
  });

  it('and that comes when nobody waits for it any more is taken from the server, too', () => {
    const { arming } = asked();
    arming.refused();
    arming.unwanted?.();
    expect(session.removeWatches.mock.calls).toEqual([['/app/a']]);
  });

  it('and that comes when nobody waits for it any more stays where another watcher needs it', () => {
    watching();
    const { arming } = asked();
    arming.refused();
    arming.unwanted?.();
    expect(session.removeWatches).not.toHaveBeenCalled();
  });

  it('is watched again if the server was told meanwhile to forget the watches of its path', async () => {
    const recursiveOne = watching({ recursive: true });
    const { arming } = asked();
    await recursiveOne.close();
    expect(session.removeWatches).toHaveBeenCalledTimes(1);
    session.watchAgain.mockClear();
    arming.armed(true);
    expect(session.watchAgain.mock.calls).toEqual([['/app/a']]);
  });
});

describe('a one-shot watch', () => {
  function read(kind: OneShotKind): {
    readonly request: { path: string; watch: boolean };
    readonly arming: ReturnType<typeof oneShotArming>;
    readonly listener: jest.Mock<(event: OneShotEvent) => void>;
  } {
    const request = { path: '/app/a', watch: false };
    const listener = jest.fn<(event: OneShotEvent) => void>();
    const arming = oneShotArming(session.asSession, app, kind, request, listener);
    arming.beforeSend();
    return { request, arming, listener };
  }

  it('is told once, with the path of the client', () => {
    const { request, arming, listener } = read('data');
    arming.armed(true);
    session.change('dataChanged', '/app/a');
    session.change('dataChanged', '/app/a');
    expect(request.watch).toBe(true);
    expect(listener.mock.calls).toEqual([[{ type: 'dataChanged', path: '/a', zxid: undefined }]]);
  });

  it('is told nothing before its read was answered', () => {
    const { listener } = read('data');
    session.change('dataChanged', '/app/a');
    expect(listener).not.toHaveBeenCalled();
  });

  it.each([
    ['the znode is there', true, 'data'],
    ['there is none', false, 'exists'],
  ] as const)('of exists is watched again by its kind, where %s', (_, found, kind) => {
    read('exists').arming.armed(found);
    expect(session.watches.paths()[kind]).toEqual(['/app/a']);
  });

  it('is not asked of the server where a watch that stays brings its events', () => {
    watching();
    const { request, arming, listener } = read('children');
    arming.armed(true);
    expect(request.watch).toBe(false);
    session.change('childrenChanged', '/app/a');
    expect(listener).toHaveBeenCalledTimes(1);
  });

  it('is asked of the server again when that watch goes while the read is on its way', async () => {
    const watcher = watching();
    const { arming } = read('data');
    await watcher.close();
    session.watchAgain.mockClear();
    arming.armed(true);
    expect(session.watchAgain.mock.calls).toEqual([['/app/a']]);
  });

  it('is asked of the server again when that was told meanwhile to forget the watches of its path', () => {
    const { arming } = read('data');
    session.watches.disturb('/app/a');
    arming.armed(true);
    expect(session.watchAgain.mock.calls).toEqual([['/app/a']]);
  });

  it('is not asked for again where nothing has come between', () => {
    const { arming } = read('data');
    session.watches.disturb('/app/b');
    arming.armed(true);
    expect(session.watchAgain).not.toHaveBeenCalled();
  });

  it('that was refused is not waited for any more', () => {
    const { arming } = read('data');
    expect(session.watches.expects('/app/a')).toBe(true);
    arming.refused();
    expect(session.watches.expects('/app/a')).toBe(false);
    expect(session.watches.has('/app/a')).toBe(false);
  });
});
