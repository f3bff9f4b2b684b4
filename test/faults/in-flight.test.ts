/** Bounds for what is on the wire: with a server that reads or answers too slowly, memory stays within them. */
import { expect, test } from '@jest/globals';
import { type ConnectionLossError, QueueFullError } from 'zookit';
import { until } from '../support/until.js';
import { failureOf, op, startRig } from './rig.js';

/** Requests of the kind that the server has been sent. */
const sent = (rig: Awaited<ReturnType<typeof startRig>>, opCode: number): number =>
  rig.proxy.requests.filter((request) => request.opCode === opCode).length;

test('no more operations are on the wire than inFlight.maxOperations; the others wait, and all settle in order', async () => {
  await using rig = await startRig({ inFlight: { maxOperations: 8 } });
  const { zk, proxy } = rig;
  await zk.create('/node');
  await zk.sync();
  proxy.holdReplies();
  const before = sent(rig, op.exists);
  const settled: number[] = [];
  const asked = Array.from({ length: 30 }, async (_, index) => {
    await zk.exists('/node');
    settled.push(index);
  });
  const last = zk.setData('/node', 'x').then(() => settled.push(30));
  await until(() => sent(rig, op.exists) - before === 8, { what: 'eight requests' });
  // A further request that went out would be seen before the answer to this one, on a connection of its own.
  await rig.observer.sync();
  expect(sent(rig, op.exists) - before).toBe(8);
  proxy.heal();
  await Promise.all([...asked, last]);
  expect(settled).toEqual(Array.from({ length: 31 }, (_, index) => index));
});

test('the bytes on the wire are bounded, too', async () => {
  await using rig = await startRig({ inFlight: { maxBytes: 10_000 } });
  const { zk, proxy } = rig;
  await zk.create('/node');
  proxy.holdReplies();
  const before = sent(rig, op.setData);
  const asked = Array.from({ length: 20 }, () => zk.setData('/node', Buffer.alloc(4_000)));
  // The third one begins below the bound.
  await until(() => sent(rig, op.setData) - before === 3, { what: 'three requests' });
  await rig.observer.sync();
  expect(sent(rig, op.setData) - before).toBe(3);
  proxy.heal();
  const versions = (await Promise.all(asked)).map(({ version }) => version);
  expect(versions).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
});

test("with whenFull: 'reject' further operations fail at once, and the bound says so", async () => {
  await using rig = await startRig({ inFlight: { maxOperations: 2, whenFull: 'reject' } });
  const { zk, proxy } = rig;
  await zk.create('/node');
  proxy.holdReplies();
  const asked = [zk.exists('/node'), zk.exists('/node')];
  const refused = await failureOf<QueueFullError>(zk.setData('/node', 'x'));
  expect(refused).toBeInstanceOf(QueueFullError);
  expect(refused).toMatchObject({ path: '/node', operation: 'setData', mayHaveBeenApplied: false });
  expect(refused.message).toContain('2 operations or 67108864 bytes (inFlight) are on the wire');
  proxy.heal();
  await Promise.all(asked);
  // There is room again.
  await zk.setData('/node', 'y');
});

test('what waits for room is bounded by offlineQueue, and none waits with offlineQueue: false', async () => {
  await using rig = await startRig({ inFlight: { maxOperations: 1 }, offlineQueue: { maxOperations: 2 } });
  await using strict = await startRig({ inFlight: { maxOperations: 1 }, offlineQueue: false });
  rig.proxy.holdReplies();
  strict.proxy.holdReplies();
  const asked = [rig.zk.exists('/'), rig.zk.exists('/'), rig.zk.exists('/'), strict.zk.exists('/')];
  const [full, none] = [await failureOf(rig.zk.exists('/')), await failureOf(strict.zk.exists('/'))];
  expect(String(full)).toContain('are on the wire, and 2 operations (offlineQueue.maxOperations) wait already');
  expect(String(none)).toContain('are on the wire, and offlineQueue is false');
  rig.proxy.heal();
  strict.proxy.heal();
  await Promise.all(asked);
});

test('a lost connection leaves order and outcomes as they are: what waits for room was not sent', async () => {
  await using rig = await startRig({ inFlight: { maxOperations: 3 } });
  const { zk, proxy } = rig;
  await zk.create('/node');
  proxy.holdReplies();
  const settled: string[] = [];
  const asked = Array.from({ length: 6 }, (_, index) =>
    zk.setData('/node', String(index)).then(
      () => settled.push(`${index} done`),
      (error: unknown) => settled.push(`${index} lost ${(error as ConnectionLossError).mayHaveBeenApplied}`),
    ),
  );
  await until(() => sent(rig, op.setData) === 3, { what: 'three requests' });
  proxy.resetAll();
  proxy.heal({ deliver: false });
  await Promise.all(asked);
  expect(settled).toEqual(['0 lost true', '1 lost true', '2 lost true', '3 done', '4 done', '5 done']);
  expect((await zk.getData('/node')).text()).toBe('5');
});

test('close() answers what waits for room, before it ends the session', async () => {
  await using rig = await startRig({ inFlight: { maxOperations: 1 } });
  const { zk, proxy } = rig;
  await zk.create('/node');
  proxy.holdReplies();
  const asked = Array.from({ length: 5 }, (_, index) => zk.setData('/node', String(index)));
  const closed = zk.close({ timeout: 10_000 });
  proxy.heal();
  expect((await Promise.all(asked)).map(({ version }) => version)).toEqual([1, 2, 3, 4, 5]);
  await closed;
});
