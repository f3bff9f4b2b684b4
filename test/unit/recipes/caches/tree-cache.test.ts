import { afterEach, beforeEach, describe, expect, it, jest, test } from '@jest/globals';
import {
  ClosedError,
  ConnectionLossError,
  NoAuthError,
  NoNodeError,
  ReplyTooLargeError,
  SessionExpiredError,
  UnimplementedError,
} from 'zookit';
import { ChildrenCache, NodeCache, TreeCache, type ZNodeCache } from 'zookit/recipes';
import { settle } from '../fake-client.js';
import { FakeTreeClient } from './fake-tree-client.js';
import { type StatParts, statOf, znodeOf } from './znodes.js';

const CONFIG = 'exists /zookeeper/config';

let client: FakeTreeClient;
let told: string[];
let caches: ZNodeCache<unknown>[];

beforeEach(() => {
  jest.useFakeTimers();
  client = new FakeTreeClient();
  told = [];
  caches = [];
});

afterEach(async () => {
  await Promise.all(
    caches.map(async (cache) => {
      client.state = 'closed';
      await cache.close();
    }),
  );
  expect([client.listeners, jest.getTimerCount()]).toEqual([0, 0]);
  jest.useRealTimers();
});

/** Begins a cache, and notes what it tells. */
function begun<C extends ZNodeCache<unknown>>(cache: C): C {
  caches.push(cache);
  cache.on('change', (change) => {
    const text = 'znode' in change ? ` ${change.znode.node.text()}` : '';
    told.push(`${change.type}${'path' in change ? ` ${change.path}` : ''}${text}`);
  });
  cache.start();
  return cache;
}

const listOf = (children: string[], parts: StatParts = {}) => ({
  children,
  stat: statOf({ numChildren: children.length, ...parts }),
});
const lost = (): Error => new ConnectionLossError('lost', {}, false);
const none = (): Error => new NoNodeError('none');

/** A cache of `/r` with the children a and b, by a persistent watch. */
async function loaded(): Promise<TreeCache> {
  const cache = begun(new TreeCache(client.zk, '/r'));
  await client.answer(CONFIG, statOf());
  await client.answer('addWatch /r', true);
  await client.answer('getData /r', znodeOf('r', { numChildren: 2 }));
  await client.answer('getChildren /r', listOf(['a', 'b']));
  await client.answer('getData /r/a', znodeOf('1', { czxid: 10 }));
  await client.answer('getData /r/b', znodeOf('1', { czxid: 11 }));
  expect([told.splice(0), client.asked, cache.stale]).toEqual([
    ['added /r r', 'added /r/a 1', 'added /r/b 1', 'ready'],
    [],
    false,
  ]);
  return cache;
}

describe('which watches', () => {
  it('a server without a configuration is not asked for a persistent one', async () => {
    begun(new TreeCache(client.zk, '/r'));
    await client.answer(CONFIG, null);
    expect(client.asked).toEqual(['getData /r']);
  });

  it('one that does not know it is served by one-shot watches', async () => {
    begun(new TreeCache(client.zk, '/r'));
    await client.answer(CONFIG, statOf());
    await client.answer('addWatch /r', new UnimplementedError('no'));
    expect(client.asked).toEqual(['getData /r']);
    await client.answer('getData /r', none());
    // The watch on what is missing.
    expect(client.asked).toEqual(['exists /r']);
    await client.answer('exists /r', statOf());
    expect(client.asked).toEqual(['getData /r']);
  });

  it('is asked of a server once for each connection', async () => {
    await loaded();
    begun(new TreeCache(client.zk, '/s'));
    await settle();
    expect(client.asked).toEqual(['addWatch /s']);
    client.session.attachments++;
    begun(new TreeCache(client.zk, '/t'));
    await settle();
    expect(client.asked).toEqual(['addWatch /s', CONFIG]);
  });

  it('one that has refused one is not tried again in the session: it closes the connection each time', async () => {
    begun(new TreeCache(client.zk, '/r'));
    begun(new TreeCache(client.zk, '/s'));
    await client.answer(CONFIG, statOf());
    await client.answer(CONFIG, statOf());
    await client.answer('addWatch /r', new UnimplementedError('no'));
    await client.answer('addWatch /s', lost());
    client.session.attachments++;
    await jest.advanceTimersByTimeAsync(20);
    begun(new TreeCache(client.zk, '/t'));
    await settle();
    expect(client.asked).toEqual(['getData /r', 'getData /s', 'getData /t']);
  });

  it('a lost connection proves nothing about the server', async () => {
    begun(new TreeCache(client.zk, '/r'));
    await client.answer(CONFIG, statOf());
    await client.answer('addWatch /r', lost());
    await jest.advanceTimersByTimeAsync(20);
    expect(client.asked).toEqual([CONFIG]);
  });
});

describe('events and answers in any order', () => {
  it('a change that is told while a read is under way brings one more read, however often it is told', async () => {
    const cache = await loaded();
    await client.event('dataChanged', '/r/a');
    await client.event('dataChanged', '/r/a');
    await client.event('dataChanged', '/r/a');
    expect(client.asked).toEqual(['getData /r/a']);
    await client.answer('getData /r/a', znodeOf('2', { czxid: 10, mzxid: 12 }));
    expect([client.asked, cache.stale]).toEqual([['getData /r/a'], true]);
    await client.answer('getData /r/a', znodeOf('4', { czxid: 10, mzxid: 14 }));
    expect([client.asked, cache.stale, told]).toEqual([[], false, ['changed /r/a 2', 'changed /r/a 4']]);
  });

  it('an answer that is older than what is known is passed over', async () => {
    const cache = await loaded();
    await client.event('dataChanged', '/r/a');
    await client.answer('getData /r/a', znodeOf('old', { czxid: 10, mzxid: 9 }));
    expect([told, cache.get('/r/a')?.node.text()]).toEqual([[], '1']);
  });

  it('a deletion counts at once, and what was asked before it shows what came after', async () => {
    const cache = await loaded();
    await client.event('dataChanged', '/r/a');
    await client.event('deleted', '/r/a');
    expect([told.splice(0), cache.has('/r/a')]).toEqual([['removed /r/a 1'], false]);
    await client.event('created', '/r/a');
    await client.answer('getData /r/a', znodeOf('new', { czxid: 20 }));
    await client.answer('getData /r/a', znodeOf('new', { czxid: 20 }));
    expect([told, client.asked]).toEqual([['added /r/a new'], []]);
  });

  it('what is created and gone before it is read is never told', async () => {
    await loaded();
    await client.event('created', '/r/c');
    await client.event('deleted', '/r/c');
    await client.answer('getData /r/c', none());
    expect([told, client.asked]).toEqual([[], []]);
  });

  it('a child whose parent went while it was read is not put in its place', async () => {
    const cache = await loaded();
    await client.event('created', '/r/a/x');
    await client.event('deleted', '/r/a');
    await client.answer('getData /r/a/x', znodeOf('x', { czxid: 20 }));
    expect([told.splice(0), cache.has('/r/a/x')]).toEqual([['removed /r/a 1'], false]);
  });

  it('a child is not looked for before its parent is known, which then brings it', async () => {
    await loaded();
    await client.event('created', '/r/c');
    await client.event('created', '/r/c/x');
    expect(client.asked).toEqual(['getData /r/c']);
    await client.answer('getData /r/c', znodeOf('c', { czxid: 20, numChildren: 1 }));
    await client.answer('getChildren /r/c', listOf(['x'], { czxid: 20, pzxid: 21 }));
    await client.answer('getData /r/c/x', znodeOf('x', { czxid: 21 }));
    expect(told).toEqual(['added /r/c c', 'added /r/c/x x']);
  });

  it('a parent that was made again between its data and its list is read again', async () => {
    await loaded();
    await client.event('created', '/r/c');
    await client.answer('getData /r/c', znodeOf('c', { czxid: 20, numChildren: 1 }));
    await client.answer('getChildren /r/c', listOf(['x'], { czxid: 30 }));
    expect(client.asked).toEqual(['getData /r/c']);
    await client.answer('getData /r/c', znodeOf('d', { czxid: 30 }));
    expect(told).toEqual(['added /r/c c', 'removed /r/c c', 'added /r/c d']);
  });

  it('a parent that is gone when its children are listed is gone', async () => {
    await loaded();
    await client.event('created', '/r/c');
    await client.answer('getData /r/c', znodeOf('c', { czxid: 20, numChildren: 1 }));
    await client.answer('getChildren /r/c', none());
    expect(told).toEqual(['added /r/c c', 'removed /r/c c']);
  });
});

describe('after a lost connection', () => {
  it('everything is compared, stats first; what differs is told, then resync', async () => {
    const cache = await loaded();
    // Gone and back, and not told yet.
    client.session.attachments = 2;
    expect(cache.stale).toBe(true);
    client.become('suspended');
    client.become('connected');
    expect([client.asked, cache.stale]).toEqual([[], true]);
    await client.event('resync');
    expect(client.asked).toEqual(['exists /r', 'exists /r/a', 'exists /r/b']);
    await client.answer('exists /r', statOf({ numChildren: 2, cversion: 4, pzxid: 30 }));
    await client.answer('exists /r/a', statOf({ czxid: 10, mzxid: 20 }));
    await client.answer('exists /r/b', null);
    await client.answer('getChildren /r', listOf(['a', 'c'], { cversion: 4, pzxid: 30 }));
    await client.answer('getData /r/a', znodeOf('2', { czxid: 10, mzxid: 20 }));
    expect([told.at(-1), cache.stale]).toEqual(['changed /r/a 2', true]);
    await client.answer('getData /r/c', znodeOf('3', { czxid: 30 }));
    expect([told, cache.stale]).toEqual([['removed /r/b 1', 'changed /r/a 2', 'added /r/c 3', 'resync'], false]);
  });

  it('a second loss in the middle of it begins it anew, and there is one resync', async () => {
    await loaded();
    client.become('suspended');
    client.become('connected');
    await client.event('resync');
    client.become('suspended');
    await client.answer('exists /r', statOf({ numChildren: 2 }));
    await client.answer('exists /r/a', statOf({ czxid: 10 }));
    await client.answer('exists /r/b', statOf({ czxid: 11 }));
    expect([told, client.asked]).toEqual([[], []]);
    client.become('connected');
    await client.event('resync');
    await client.answer('exists /r', statOf({ numChildren: 2 }));
    await client.answer('exists /r/a', statOf({ czxid: 10 }));
    await client.answer('exists /r/b', statOf({ czxid: 11 }));
    expect(told).toEqual(['resync']);
  });

  it('nothing is asked without a connection', async () => {
    await loaded();
    client.become('suspended');
    await client.event('created', '/r/c');
    expect(client.asked).toEqual([]);
    client.become('connected');
    expect(client.asked).toEqual(['getData /r/c']);
  });

  it('with one-shot watches, resync comes when all that they had to tell is read', async () => {
    const cache = begun(new TreeCache(client.zk, '/r', { watches: 'oneShot', depth: 0 }));
    await settle();
    await client.answer('getData /r', znodeOf('1'));
    client.become('suspended');
    client.become('connected');
    expect(client.asked).toEqual(['getData /r']);
    await client.event('dataChanged', '/r');
    await client.answer('getData /r', znodeOf('1'));
    expect([told, cache.stale]).toEqual([['added /r 1', 'ready'], true]);
    await client.answer('getData /r', znodeOf('2', { mzxid: 2 }));
    expect([told.slice(2), cache.stale]).toEqual([['changed /r 2', 'resync'], false]);
  });
});

describe('in a new session', () => {
  it('all is looked at again, also what a load that was cut off had not come to', async () => {
    const cache = begun(new TreeCache(client.zk, '/r'));
    await client.answer(CONFIG, statOf());
    await client.answer('addWatch /r', true);
    await client.answer('getData /r', znodeOf('r', { numChildren: 2 }));
    await client.answer('getChildren /r', listOf(['a', 'b']));
    await client.answer('getData /r/a', znodeOf('1', { czxid: 10 }));
    client.become('connecting');
    client.become('expired');
    client.state = 'connecting';
    await client.answer('getData /r/b', new SessionExpiredError('over', {}, false));
    await settle();
    client.become('connected');
    await client.answer(CONFIG, statOf());
    await client.answer('addWatch /r', true);
    expect(client.asked).toEqual(['exists /r', 'exists /r/a']);
    await client.answer('exists /r', statOf({ numChildren: 2 }));
    await client.answer('exists /r/a', statOf({ czxid: 10 }));
    await client.answer('getChildren /r', listOf(['a', 'b']));
    expect(told).not.toContain('ready');
    await client.answer('getData /r/b', znodeOf('2', { czxid: 11 }));
    expect(told).toEqual(['added /r r', 'added /r/a 1', 'added /r/b 2', 'ready']);
    expect(cache.stale).toBe(false);
  });

  it('it begins again where the watch was still on its way', async () => {
    const cache = begun(new TreeCache(client.zk, '/r'));
    await client.answer(CONFIG, statOf());
    client.state = 'connecting';
    client.become('expired');
    client.state = 'connecting';
    await settle();
    expect([client.asked, cache.failure]).toEqual([['addWatch /r', CONFIG], undefined]);
  });

  it('what is left of the old one when it is told late changes nothing', async () => {
    await loaded();
    client.state = 'connecting';
    await client.ended('expired');
    await client.event('deleted', '/r/a');
    expect(told).toEqual([]);
    await client.answer(CONFIG, statOf());
  });
});

describe('errors', () => {
  it('that pass are tried again, and nothing is forgotten', async () => {
    await loaded();
    await client.event('dataChanged', '/r/a');
    await client.event('dataChanged', '/r/b');
    await client.answer('getData /r/a', lost());
    await client.answer('getData /r/b', lost());
    expect(client.asked).toEqual([]);
    await jest.advanceTimersByTimeAsync(20);
    expect(client.asked).toEqual(['getData /r/a', 'getData /r/b']);
    await client.answer('getData /r/a', znodeOf('2', { czxid: 10, mzxid: 20 }));
    await client.answer('getData /r/b', znodeOf('2', { czxid: 11, mzxid: 21 }));
    expect(told).toEqual(['changed /r/a 2', 'changed /r/b 2']);
  });

  it.each([new NoAuthError('no'), new ReplyTooLargeError('too large', {}, false)])(
    'that do not leave out what they are about: %s',
    async (error) => {
      const cache = await loaded();
      await client.event('dataChanged', '/r/a');
      await client.answer('getData /r/a', error);
      await client.event('dataChanged', '/r/a');
      await client.answer('getData /r/a', error);
      expect([told, cache.failure, cache.stale]).toEqual([['removed /r/a 1', 'unreadable /r/a'], undefined, false]);
    },
  );

  it('leave no one-shot watch on what is left out', async () => {
    begun(new TreeCache(client.zk, '/r', { watches: 'oneShot' }));
    await settle();
    await client.answer('getData /r', znodeOf('r'));
    await client.answer('getChildren /r', listOf(['a']));
    await client.answer('getData /r/a', znodeOf('a'));
    await client.answer('getChildren /r/a', new NoAuthError('no'));
    expect([told, client.forgotten]).toEqual([
      ['added /r r', 'added /r/a a', 'removed /r/a a', 'unreadable /r/a', 'ready'],
      ['/r/a'],
    ]);
  });

  it('that do not end it where they are about the root, or none of those of znodes', async () => {
    for (const [path, error] of [
      ['/r', new NoAuthError('no')],
      ['/r/a', new TypeError('a bug')],
      ['/r/a', new ClosedError('closed', {}, false)],
    ] as const) {
      client = new FakeTreeClient();
      const cache = await loaded();
      const failures: unknown[] = [];
      cache.on('failed', (failure) => failures.push(failure));
      await client.event('dataChanged', path);
      await client.answer(`getData ${path}`, error);
      expect([cache.failure, failures, cache.stale]).toEqual([error, [error], true]);
      await expect(cache.ready()).rejects.toBe(error);
      // What was known is still there to be read.
      const changes = cache[Symbol.asyncIterator]();
      for (let index = 0; index < cache.size + 1; index++) expect(await changes.next()).toMatchObject({ done: false });
      await expect(changes.next()).rejects.toBe(error);
      await expect(changes.next()).resolves.toMatchObject({ done: true });
      await cache.close();
      expect(cache.failure).toBe(error);
    }
  });
});

describe('close', () => {
  it('waits for what is under way, whose answers count no more, and takes the watch away', async () => {
    const cache = await loaded();
    await client.event('dataChanged', '/r/a');
    let closed = false;
    const closing = cache.close().then(() => (closed = true));
    await settle();
    expect(closed).toBe(false);
    await client.answer('getData /r/a', znodeOf('2', { czxid: 10, mzxid: 20 }));
    await closing;
    expect([told, client.watchersClosed, client.listeners]).toEqual([[], 1, 0]);
  });

  it('ends a pause before the next try', async () => {
    const cache = await loaded();
    await client.event('dataChanged', '/r/a');
    await client.answer('getData /r/a', lost());
    await cache.close();
    expect([jest.getTimerCount(), client.listeners]).toEqual([0, 0]);
  });

  it('does not wait for what has no connection', async () => {
    const cache = await loaded();
    await client.event('dataChanged', '/r/a');
    const closing = cache.close();
    await settle();
    client.become('suspended');
    await closing;
  });

  it('before it has begun, or while the watch is on its way, leaves nothing', async () => {
    await new TreeCache(client.zk, '/r').close();
    const cache = begun(new TreeCache(client.zk, '/r'));
    await client.answer(CONFIG, statOf());
    const closing = cache.close();
    await client.answer('addWatch /r', true);
    await closing;
    expect([client.watchersClosed, client.asked]).toEqual([1, []]);
    cache.start();
    expect(client.listeners).toBe(0);
  });

  it('forgets every one-shot watch', async () => {
    const cache = begun(new TreeCache(client.zk, '/r', { watches: 'oneShot' }));
    await settle();
    await client.answer('getData /r', znodeOf('r'));
    await client.answer('getChildren /r', listOf(['a', 'b']));
    await client.answer('getData /r/a', znodeOf('a'));
    const closing = cache.close();
    await client.answer('getData /r/b', znodeOf('b'));
    await client.answer('getChildren /r/a', listOf([]));
    await closing;
    expect([...new Set(client.forgotten)].sort()).toEqual(['/r', '/r/a', '/r/b']);
  });

  it('by a listener, in the middle of a change, is the end of it', async () => {
    const cache = await loaded();
    let closing: Promise<void> | undefined;
    cache.on('removed', () => {
      closing = cache.close();
    });
    await client.event('created', '/r/a/x');
    await client.answer('getData /r/a/x', znodeOf('x', { czxid: 20 }));
    told.length = 0;
    await client.event('deleted', '/r/a');
    await closing;
    expect(told).toEqual([]);
  });
});

describe('the first list of a cache of children', () => {
  const begin = async (): Promise<ChildrenCache> => {
    const cache = begun(new ChildrenCache(client.zk, '/r', { watches: 'oneShot' }));
    await settle();
    expect(client.asked).toEqual(['exists /r', 'getChildren /r']);
    return cache;
  };

  it('is asked for with the first question, whatever is answered to that', async () => {
    const cache = await begin();
    await client.answer('exists /r', statOf({ numChildren: 1 }));
    await client.answer('getChildren /r', listOf(['a']));
    await client.answer('getData /r/a', znodeOf('a', { czxid: 2 }));
    expect([cache.size, told]).toEqual([1, ['added /r/a a', 'ready']]);
  });

  it('does not count where there was no znode yet', async () => {
    const cache = await begin();
    await client.answer('exists /r', null);
    expect(told).toEqual([]);
    await client.answer('getChildren /r', none());
    expect([cache.size, told, client.asked]).toEqual([0, ['ready'], []]);
  });

  it('is tried again where both were lost', async () => {
    await begin();
    await client.answer('exists /r', lost());
    await client.answer('getChildren /r', lost());
    await jest.advanceTimersByTimeAsync(20);
    expect(client.asked).toEqual(['exists /r', 'getChildren /r']);
  });

  it('is waited for at the end, so that its watch can be taken away', async () => {
    const cache = await begin();
    const closing = cache.close();
    await client.answer('exists /r', statOf());
    expect(client.forgotten).toEqual([]);
    await client.answer('getChildren /r', listOf([]));
    await closing;
    expect(client.forgotten).toEqual(['/r']);
  });
});

test('whether it is current is told whenever that changes, and since when it is not', async () => {
  const cache = begun(new TreeCache(client.zk, '/r'));
  const stale: boolean[] = [];
  cache.on('stale', (isStale) => stale.push(isStale));
  const since = cache.staleSince;
  await client.answer(CONFIG, statOf());
  jest.advanceTimersByTime(1_000);
  await client.answer('addWatch /r', true);
  expect([cache.staleSince, stale]).toEqual([since, []]);
  await client.answer('getData /r', znodeOf('r'));
  expect([cache.staleSince, cache.stale, stale]).toEqual([undefined, false, [false]]);
  await client.event('dataChanged', '/r');
  expect([stale, cache.staleSince]).toEqual([[false, true], (since ?? NaN) + 1_000]);
  await client.answer('getData /r', znodeOf('s', { mzxid: 9 }));
  client.become('suspended');
  jest.advanceTimersByTime(1_000);
  expect([stale, cache.staleSince]).toEqual([[false, true, false, true], (since ?? NaN) + 1_000]);
});

test('no more than 128 reads are under way, whatever there is to read', async () => {
  const cache = begun(new ChildrenCache(client.zk, '/r'));
  const names = Array.from({ length: 500 }, (_, index) => `n${index}`);
  await client.answer(CONFIG, statOf());
  await client.answer('addWatch /r', true);
  await client.answer('exists /r', statOf({ numChildren: 500 }));
  await client.answer('getChildren /r', listOf(names));
  let most = 0;
  while (client.asked.length > 0) {
    most = Math.max(most, client.asked.length);
    const [next = ''] = client.asked;
    await client.answer(next, znodeOf('x', { czxid: 2 }));
  }
  expect([most, cache.size, told.at(-1)]).toEqual([128, 500, 'ready']);
});

test('NodeCache asks for its znode alone, whatever is below', async () => {
  const cache = begun(new NodeCache(client.zk, '/r'));
  await settle();
  await client.answer('getData /r', znodeOf('r', { numChildren: 5 }));
  expect([client.asked, cache.current?.node.text(), told]).toEqual([[], 'r', ['added /r r', 'ready']]);
});
