import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { AbortedError, NoWatcherError, type OneShotEvent, type WatchEvent, type Watcher, type ZooKeeper } from 'zookit';
import { needs, since } from '../support/features.js';
import { until } from '../support/until.js';
import { startServer, type ZooKeeperServer } from '../support/zookeeper.js';
import { expectFailure, Recorder, useClients } from './clients.js';

// A server of its own: nobody else's watches are on it.
let server: ZooKeeperServer;
beforeAll(async () => {
  server = await startServer();
});
const clients = useClients(() => server);
afterAll(() => server.close());

let other: ZooKeeper;
let path: string;
beforeAll(async () => {
  other = await clients.another();
});
beforeEach(async () => {
  path = await clients.folder();
});

/** The paths that the server watches for anybody, without the chroot. */
async function watchedPaths(): Promise<string[]> {
  const answer = await server.fourLetter('wchp');
  const lines = answer.split('\n').filter((line) => line.startsWith(clients.chroot));
  return [...new Set(lines)].map((line) => line.slice(clients.chroot.length)).sort();
}

/** What `wchs` counts. */
async function watchCount(): Promise<number> {
  return Number(/Total watches:(\d+)/.exec(await server.fourLetter('wchs'))?.[1]);
}

describe('closing a watcher', () => {
  needs('addWatch').each([false, true])('takes the watch away at the server (recursive: %s)', async (recursive) => {
    const watcher = await clients.zk.addWatch(path, { recursive });
    expect(await watchedPaths()).toEqual([path]);
    await watcher.close();
    expect(await watchedPaths()).toEqual([]);
    expect(await watchCount()).toBe(0);
  });

  needs('addWatch')('by "await using", or by leaving the iteration, does the same', async () => {
    {
      await using watcher = await clients.zk.addWatch(path);
      expect(watcher.path).toBe(path);
      expect(await watchedPaths()).toEqual([path]);
    }
    expect(await watchedPaths()).toEqual([]);
    const watcher = await clients.zk.addWatch(path);
    await other.setData(path, 'x');
    for await (const event of watcher) if (event.type === 'dataChanged') break;
    expect(await watchedPaths()).toEqual([]);
  });

  needs('addWatch')('ends the iteration, and nothing is told any more', async () => {
    const watcher = await clients.zk.addWatch(path);
    const events: WatchEvent[] = [];
    const reading = (async () => {
      for await (const event of watcher) events.push(event);
    })();
    await other.setData(path, 'x');
    await clients.zk.sync();
    const closed = watcher.close();
    await other.setData(path, 'y');
    await Promise.all([closed, reading]);
    expect(events).toMatchObject([{ type: 'dataChanged', path }]);
  });

  needs('addWatch')('leaves the watch at the server while another watcher needs it', async () => {
    const [gone, stays] = [new Recorder(), new Recorder()];
    const one = await clients.zk.addWatch(path, { onEvent: gone.tell });
    const two = await clients.zk.addWatch(path, { onEvent: stays.tell });
    await one.close();
    await one.close();
    expect(await watchedPaths()).toEqual([path]);
    await other.setData(path, 'x');
    await clients.zk.sync();
    expect([gone.seen, stays.seen]).toEqual([[], [`dataChanged ${path}`]]);
    await two.close();
    expect(await watchedPaths()).toEqual([]);
  });

  needs('addWatch')('leaves a one-shot watch of the path, which goes when it has told', async () => {
    const watcher = await clients.zk.addWatch(path, { onEvent: () => undefined });
    const recorder = new Recorder();
    await clients.zk.getData(path, { watch: recorder.tell });
    await watcher.close();
    await clients.zk.sync();
    expect(await watchedPaths()).toEqual([path]);
    await other.setData(path, 'x');
    await clients.zk.sync();
    expect(recorder.seen).toEqual([`dataChanged ${path}`]);
    expect(await watchedPaths()).toEqual([]);
  });

  needs('addWatch')('of a client that was closed does nothing', async () => {
    const zk = await clients.another();
    const watcher = await zk.addWatch(path);
    await zk.close();
    await watcher.close();
    // The server answers the close first, and forgets the connection's watches after that.
    await until(async () => (await watchedPaths()).length === 0, { what: 'the server to forget the watches' });
  });
});

describe('iterating a watcher', () => {
  needs('addWatch')('gives events that came before anybody asked, in order', async () => {
    const watcher = await clients.zk.addWatch(path, { recursive: true });
    await other.create(`${path}/a`);
    await other.setData(`${path}/a`, 'x');
    await other.delete(`${path}/a`);
    await clients.zk.sync();
    const iterator = watcher[Symbol.asyncIterator]();
    const types = [];
    for (let count = 0; count < 3; count++) types.push((await iterator.next()).value!.type);
    expect(types).toEqual(['created', 'dataChanged', 'deleted']);
    await watcher.close();
  });

  needs('addWatch')('ends with `ended` when the client is closed', async () => {
    const zk = await clients.another();
    const watcher = await zk.addWatch(path);
    await zk.close();
    const events = [];
    for await (const event of watcher) events.push(event);
    expect(events).toEqual([{ type: 'ended', reason: 'closed' }]);
  });
});

describe('a watch whose request failed', () => {
  it('tells nothing and is not at the server', async () => {
    const recorder = new Recorder();
    const aborted = clients.zk.addWatch(path, { onEvent: recorder.tell, signal: AbortSignal.abort() });
    await expect(aborted).rejects.toMatchObject({ code: 'ABORTED' });
    await other.setData(path, 'x');
    await clients.zk.sync();
    expect(recorder.seen).toEqual([]);
    expect(await watchedPaths()).toEqual([]);
  });

  needs('addWatch')('as it was aborted on its way tells nothing and goes from the server', async () => {
    const [aborted, stays] = [new Recorder(), new Recorder()];
    const stop = new AbortController();
    const adding = clients.zk.addWatch(path, { onEvent: aborted.tell, signal: stop.signal });
    stop.abort();
    await expectFailure(adding, AbortedError);
    await clients.zk.exists(path, { watch: stays.tell });
    await other.setData(path, 'x');
    await other.setData(path, 'y');
    await clients.zk.sync();
    expect([aborted.seen, stays.seen]).toEqual([[], [`dataChanged ${path}`]]);
    expect(await watchedPaths()).toEqual([]);
  });
});

describe('removeWatches', () => {
  /** One watch of each kind on the path, and what they were told. */
  async function watchAll(): Promise<{ told: () => Record<string, string[]>; watchers: Watcher[] }> {
    const recorders = { data: new Recorder(), children: new Recorder(), persistent: new Recorder() };
    const watch = recorders.data.tell as (event: OneShotEvent) => void;
    const watchers = [await clients.zk.addWatch(path, { onEvent: recorders.persistent.tell })];
    await clients.zk.getData(path, { watch });
    await clients.zk.getChildren(path, { watch: recorders.children.tell });
    return { told: () => Object.fromEntries(Object.entries(recorders).map(([k, { seen }]) => [k, seen])), watchers };
  }

  async function change(): Promise<void> {
    await other.setData(path, 'x');
    await other.create(`${path}/c`);
    await clients.zk.sync();
  }

  needs('addWatch')('takes away all watches of a path, and tells them so', async () => {
    const { told } = await watchAll();
    await clients.zk.removeWatches(path);
    expect(await watchedPaths()).toEqual([]);
    await change();
    expect(told()).toEqual({ data: ['ended removed'], children: ['ended removed'], persistent: ['ended removed'] });
  });

  needs('addWatch').each(['data', 'children'] as const)('of %s leaves the others', async (kind) => {
    const { told } = await watchAll();
    await clients.zk.removeWatches(path, kind);
    await change();
    expect(told()).toEqual({
      data: kind === 'data' ? ['ended removed'] : [`dataChanged ${path}`],
      children: kind === 'children' ? ['ended removed'] : [`childrenChanged ${path}`],
      persistent: [`dataChanged ${path}`, `childrenChanged ${path}`],
    });
    await clients.zk.removeWatches(path);
    expect(await watchedPaths()).toEqual([]);
  });

  needs('removeWatches')('of a watch for the creation of a missing znode', async () => {
    const recorder = new Recorder();
    await clients.zk.exists(`${path}/none`, { watch: recorder.tell });
    await clients.zk.removeWatches(`${path}/none`, 'data');
    await other.create(`${path}/none`);
    await clients.zk.sync();
    expect(recorder.seen).toEqual(['ended removed']);
  });

  needs('removeWatches')('of nothing is NoWatcherError', async () => {
    await expectFailure(clients.zk.removeWatches(path), NoWatcherError);
    await clients.zk.getData(path, { watch: () => undefined });
    await expect(clients.zk.removeWatches(path, 'children')).rejects.toThrow(NoWatcherError);
    await clients.zk.removeWatches(path, 'data');
    await expect(clients.zk.removeWatches(path, 'data')).rejects.toThrow(NoWatcherError);
  });

  needs('addWatch')('while a read that leaves a watch is on its way: no watch is lost in silence', async () => {
    const recorder = new Recorder();
    await clients.zk.addWatch(path, { onEvent: () => undefined });
    await clients.zk.removeWatches(path);
    await clients.zk.getChildren(path, { watch: () => undefined });
    const reading = clients.zk.getData(path, { watch: recorder.tell });
    await Promise.all([reading, clients.zk.removeWatches(path)]);
    await change();
    expect(recorder.seen).toHaveLength(1);
  });
});

describe('unwatch', () => {
  since('3.5.0')('forgets one listener; the watch at the server goes with the last', async () => {
    const [gone, stays] = [new Recorder(), new Recorder()];
    await clients.zk.getData(path, { watch: gone.tell });
    await clients.zk.exists(path, { watch: stays.tell });
    clients.zk.unwatch(path, gone.tell);
    await clients.zk.sync();
    expect(await watchedPaths()).toEqual([path]);
    await other.setData(path, 'x');
    await clients.zk.sync();
    expect([gone.seen, stays.seen]).toEqual([[], [`dataChanged ${path}`]]);
    await clients.zk.getData(path, { watch: gone.tell });
    clients.zk.unwatch(path, gone.tell);
    await clients.zk.sync();
    expect(await watchedPaths()).toEqual([]);
  });
});
