import { getEventListeners } from 'node:events';
import { afterEach, expect, jest, test } from '@jest/globals';
import { ZooKeeper } from 'zookit';
import { until } from '../support/until.js';
import { sharedServer } from '../support/shared.js';
import { fence, Seen, startRig } from './rig.js';

const active = (kind: string): number => process.getActiveResourcesInfo().filter((each) => each === kind).length;

/** Listeners on the objects of the process that a library could leave some on. */
const processListeners = (): number => process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0);

afterEach(() => {
  jest.restoreAllMocks();
});

test('over 1,000 reconnects sockets, timers and listeners stay where they were, and so do watches', async () => {
  // Without the pause that spreads clients.
  jest.spyOn(Math, 'random').mockReturnValue(0);
  await using rig = await startRig({ sessionTimeout: 60_000 });
  const { zk, proxy, events, observer } = rig;
  const abort = new AbortController();
  const seen = new Seen();
  const persistent = new Seen();
  await zk.create('/node');
  await zk.exists('/node', { watch: seen.tell });
  await zk.addWatch('/node', { onEvent: persistent.tell });
  const lease = zk.lease();
  const settled = async (): Promise<void> => {
    await rig.reconnect();
    await fence(zk);
    await until(() => proxy.connections === 1, { what: 'one connection' });
  };
  const level = (): Record<string, number> => ({
    sockets: active('TCPSocketWrap'),
    // The client's own: heartbeat and deadline. Jest and the observer have some, too.
    timers: active('Timeout'),
    process: processListeners(),
    signal: getEventListeners(abort.signal, 'abort').length,
    lease: getEventListeners(lease.signal, 'abort').length,
  });
  await settled();
  const before = level();
  for (let count = 1; count <= 1_000; count++) {
    // Some on the wire, one of which fails, and some that wait, with limits that are never reached.
    const limits = { signal: abort.signal, timeout: 60_000 };
    const asked = [zk.exists('/node', limits), zk.setData('/node', null, 999, limits)];
    events.clear();
    proxy.resetAll();
    await events.first('suspended');
    asked.push(zk.getChildren('/node', limits) as never);
    await events.first('connected');
    await Promise.allSettled(asked);
  }
  await settled();
  // Jest, which runs in this process, has a timer of its own at times.
  const isAsBefore = (): boolean => Object.entries(level()).every(([what, count]) => count <= (before[what] ?? 0));
  await until(isAsBefore, { what: `no more than ${JSON.stringify(before)}` });
  expect(proxy.totalConnections).toBeGreaterThan(1_000);
  expect(lease.held).toBe(true);

  persistent.all.length = 0;
  await observer.setData('/node', 'x');
  await fence(zk);
  expect([seen.all, persistent.all]).toEqual([['dataChanged /node'], ['dataChanged /node']]);
}, 120_000);

test('over 20 expiries nothing of the old sessions stays', async () => {
  await using rig = await startRig();
  const { zk, proxy, events, observer } = rig;
  const sockets = active('TCPSocketWrap');
  const timers = active('Timeout');
  const ended = new Seen();
  for (let count = 1; count <= 20; count++) {
    await zk.exists('/node', { watch: ended.tell });
    await zk.create('/mine', null, { mode: 'ephemeral' });
    const { id } = zk.session;
    // Another client takes the session over and ends it: an expiry without the wait.
    const session = zk.session.export();
    await rig.unlink();
    const thief = await ZooKeeper.connect(sharedServer().connectString, { session });
    await thief.close({ timeout: 20_000 });
    await rig.relink();
    expect(events.all.at(-1)).toMatchObject({ type: 'connected', previousSessionId: id });
    expect(await observer.has('/mine')).toBe(false);
  }
  expect(ended.all).toEqual(Array.from({ length: 20 }, () => 'ended expired'));
  await until(() => active('TCPSocketWrap') <= sockets && active('Timeout') <= timers, {
    what: `no more than ${sockets} sockets and ${timers} timers`,
  });
  expect(proxy.connections).toBe(1);
});
