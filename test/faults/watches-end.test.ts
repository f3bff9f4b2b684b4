import { describe, expect, it, test } from '@jest/globals';
import type { SessionExpiredError, WatchEvent } from 'zookit';
import { fence, inShort, op, type Rig, Seen, startRig, SHORT } from './rig.js';

/** Watches of every kind, and what each of them tells. */
async function watchAll({ zk }: Rig): Promise<{ listeners: Seen[]; iterated: Promise<string[]>[] }> {
  await zk.create('/node');
  const listeners = Array.from({ length: 5 }, () => new Seen());
  const [data, exists, children, persistent, recursive] = listeners as [Seen, Seen, Seen, Seen, Seen];
  await zk.getData('/node', { watch: data.tell });
  await zk.exists('/missing', { watch: exists.tell });
  await zk.getChildren('/node', { watch: children.tell });
  await zk.addWatch('/node', { onEvent: persistent.tell });
  await zk.addWatch('/node', { onEvent: recursive.tell, recursive: true });
  const iterated = [await zk.addWatch('/node'), await zk.addWatch('/other', { recursive: true })].map(readAll);
  return { listeners, iterated };
}

async function readAll(events: AsyncIterable<WatchEvent>): Promise<string[]> {
  const seen: string[] = [];
  for await (const event of events) seen.push(inShort(event));
  return seen;
}

describe('B4: when the session expires', () => {
  it('every watch ends, with exactly one last event', async () => {
    await using rig = await startRig({ sessionTimeout: SHORT });
    const { listeners, iterated } = await watchAll(rig);
    await rig.outlive();
    await rig.relink();
    expect(await Promise.all(iterated)).toEqual([['ended expired'], ['ended expired']]);

    // The new session watches nothing of it.
    await rig.observer.setData('/node', 'x');
    await rig.observer.create('/node/child');
    await rig.observer.create('/missing');
    await fence(rig.zk);
    expect(rig.newestOpCodes).not.toContain(op.setWatches);
    expect(rig.newestOpCodes).not.toContain(op.setWatches2);
    expect(listeners.map(({ all }) => all)).toEqual(listeners.map(() => ['ended expired']));
  });

  it('they have ended before the client tells of the expiry, and before operations of the old session fail', async () => {
    await using rig = await startRig({ sessionTimeout: SHORT });
    const order: string[] = [];
    await rig.zk.exists('/node', { watch: () => order.push('watch ended') });
    rig.zk.on('expired', () => order.push('expired'));
    rig.zk.on('connected', () => order.push('connected'));
    await rig.outlive();
    const waiting = rig.zk.exists('/').catch((error: unknown) => order.push((error as SessionExpiredError).code));
    await rig.relink();
    await waiting;
    expect(order).toEqual(['SESSION_EXPIRED', 'watch ended', 'expired', 'connected']);
  });
});

test('when the client is closed, every watch ends, with exactly one last event', async () => {
  await using rig = await startRig();
  const { listeners, iterated } = await watchAll(rig);
  await rig.zk.close();
  expect(await Promise.all(iterated)).toEqual([['ended closed'], ['ended closed']]);
  expect(listeners.map(({ all }) => all)).toEqual(listeners.map(() => ['ended closed']));
});

test('a reader that comes after the end finds the events that nobody took, then the end, then nothing', async () => {
  await using rig = await startRig();
  const watcher = await rig.zk.addWatch('/node');
  await rig.zk.create('/node');
  await fence(rig.zk);
  await rig.zk.close();
  expect(await readAll(watcher)).toEqual(['created /node', 'ended closed']);
  expect(await readAll(watcher)).toEqual([]);
});

test('a watcher that was closed ends its iterations without a last event', async () => {
  await using rig = await startRig();
  const watcher = await rig.zk.addWatch('/node');
  const reading = [readAll(watcher), readAll(watcher)];
  await watcher.close();
  expect(await Promise.all(reading)).toEqual([[], []]);
});

test('an iteration that is left closes the watch, and the server forgets it', async () => {
  await using rig = await startRig();
  const watcher = await rig.zk.addWatch('/node');
  await rig.zk.create('/node');
  for await (const event of watcher) {
    expect(inShort(event)).toBe('created /node');
    break;
  }
  await rig.reconnect();
  await fence(rig.zk);
  expect(rig.newestOpCodes).not.toContain(op.setWatches2);
});

test('a watch beside one that is closed stays, also when the wire is full at that moment', async () => {
  await using rig = await startRig({ sessionTimeout: 10_000, inFlight: { maxOperations: 1 } });
  const { zk, proxy, observer } = rig;
  await zk.create('/node');
  const seen = new Seen();
  await zk.getData('/node', { watch: seen.tell });
  const watcher = await zk.addWatch('/node', { recursive: true });
  proxy.holdReplies();
  const asked = zk.exists('/node');
  const closed = watcher.close();
  proxy.releaseReplies();
  await Promise.all([asked, closed]);
  await fence(zk);
  await observer.setData('/node', 'x');
  await fence(zk);
  expect(seen.all).toEqual(['dataChanged /node']);
});
