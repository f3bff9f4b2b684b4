/** The metrics of a client and its channels, against a real server. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { expect, it } from '@jest/globals';
import { NoNodeError, type OperationMessage } from 'zookit';
import { runScript } from '../support/child.js';
import { sharedServer, useChroot } from '../support/shared.js';
import { useClients } from './clients.js';

const clients = useClients();

it('count what was asked for, what became of it, and how long it took', async () => {
  const zk = await clients.another();
  const folder = await clients.folder();
  const before = zk.metrics().operations.byName;
  const began = performance.now();
  for (let count = 0; count < 5; count++) await zk.create(`${folder}/${count}`, 'x'.repeat(1_000));
  await zk.getData(`${folder}/0`);
  await expect(zk.getData(`${folder}/none`)).rejects.toBeInstanceOf(NoNodeError);
  await expect(zk.transaction().check(folder).delete(`${folder}/none`).commit()).rejects.toBeInstanceOf(NoNodeError);
  const took = performance.now() - began;
  const { operations, traffic, availability } = zk.metrics();
  const { create, getData, multi } = operations.byName;
  expect(create?.count).toBe((before.create?.count ?? 0) + 5);
  expect(getData?.outcomes).toEqual({ ok: 1, NO_NODE: 1 });
  expect(multi?.outcomes).toEqual({ NO_NODE: 1 });
  expect(create?.latency.max).toBeGreaterThan(0);
  expect(getData?.latency.sum).toBeLessThan(took);
  expect(operations.perSecond).toBeGreaterThan(0);
  expect(traffic.bytesSent).toBeGreaterThan(5_000);
  expect(traffic.bytesReceived).toBeGreaterThan(1_000);
  expect(availability.connected).toBeGreaterThan(took - 1);
});

it('are published operation by operation, before what waits for the operation goes on', async () => {
  const zk = await clients.another();
  const folder = await clients.folder();
  const messages: OperationMessage[] = [];
  const session = zk.session.toString();
  const listen = (message: unknown): void => {
    const each = message as OperationMessage;
    if (each.session === session) messages.push(each);
  };
  subscribe('zookit:operation', listen);
  try {
    const { zxid } = await zk.create(`${folder}/a`, 'x');
    expect(messages).toHaveLength(1);
    const { server } = zk.session;
    expect(messages[0]).toMatchObject({ operation: 'create', outcome: 'ok', session, server, timesSent: 1 });
    expect(messages[0]?.path?.endsWith(`${folder}/a`)).toBe(true);
    expect(messages[0]?.zxid?.equals(zxid)).toBe(true);
    await zk.exists(`${folder}/none`);
    expect(messages.map(({ outcome }) => outcome)).toEqual(['ok', 'ok']);
  } finally {
    unsubscribe('zookit:operation', listen);
  }
});

it('disturb nothing when a subscriber throws: it is reported as an uncaught exception', async () => {
  const source = `
    import { subscribe } from 'node:diagnostics_channel';
    import { ZooKeeper } from 'zookit';
    const uncaught = [];
    process.on('uncaughtException', (error) => uncaught.push(error.message));
    const zk = await ZooKeeper.connect('${sharedServer().connectString}${useChroot()}');
    for (const name of ['zookit:operation', 'zookit:operation:start', 'zookit:session', 'zookit:connection'])
      subscribe(name, () => { throw new Error(name); });
    const found = await Promise.all([zk.exists('/'), zk.exists('/a'), zk.exists('/b')]);
    await zk.close();
    console.log(JSON.stringify({ found, state: zk.state, uncaught: uncaught.sort() }));`;
  await using child = await runScript({ source });
  const { code, stdout, stderr } = await child.result;
  expect([code, stderr]).toEqual([0, '']);
  const starts = new Array(3).fill('zookit:operation:start') as string[];
  // The farewell is an operation, too, but nobody called for it.
  const ends = new Array(4).fill('zookit:operation') as string[];
  expect(JSON.parse(stdout)).toEqual({
    found: [null, null, null],
    state: 'closed',
    uncaught: [...ends, ...starts, 'zookit:session'],
  });
});
