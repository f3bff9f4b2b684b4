import { describe, expect, it, test } from '@jest/globals';
import { acl, ConnectionLossError, type ZooKeeper } from 'zookit';
import { reply, startWireServer } from '../support/wire-server.js';
import { connectTo, failureOf, op, type Rig, startRig } from './rig.js';

const writes: readonly [string, number, (zk: ZooKeeper) => Promise<unknown>][] = [
  ['create', op.create, (zk) => zk.create('/new')],
  ['create of a sequential znode', op.create, (zk) => zk.create('/new-', null, { mode: 'ephemeralSequential' })],
  ['delete', op.delete, (zk) => zk.delete('/node')],
  ['setData', op.setData, (zk) => zk.setData('/node', 'x')],
  ['setAcl', 7, (zk) => zk.setAcl('/node', acl.readOnly)],
  ['a transaction', op.multi, (zk) => zk.transaction().create('/new').delete('/node').commit()],
];

const reads: readonly [string, number, (zk: ZooKeeper) => Promise<unknown>][] = [
  ['exists', op.exists, (zk) => zk.exists('/node')],
  ['getData', op.getData, (zk) => zk.getData('/node')],
  ['getChildren', op.getChildren, (zk) => zk.getChildren('/node')],
  ['getAcl', 6, (zk) => zk.getAcl('/node')],
  ['sync', op.sync, (zk) => zk.sync('/node')],
  ['multiRead', 22, (zk) => zk.multiRead().getData('/node').getChildren('/node').read()],
  ['addWatch', op.addWatch, (zk) => zk.addWatch('/node')],
];

const sendings = (rig: Rig, code: number): number => rig.proxy.requests.filter(({ opCode }) => opCode === code).length;

describe('H1: a write whose answer was lost', () => {
  it.each(writes)('%s: fails and says that it may have been applied; it is never sent again', async (_, code, run) => {
    await using rig = await startRig();
    const { zk, proxy, events } = rig;
    await zk.create('/node');
    proxy.requests.length = 0;
    const swallowed = proxy.swallowNextReply(({ opCode }) => opCode === code);
    const failure = await failureOf<ConnectionLossError>(run(zk));
    await swallowed;
    expect(failure).toBeInstanceOf(ConnectionLossError);
    expect(failure.mayHaveBeenApplied).toBe(true);
    await events.first('connected');
    await zk.sync();
    expect(sendings(rig, code)).toBe(1);
  });

  it('was indeed applied, and one whose request was lost was not: nobody here can tell', async () => {
    await using rig = await startRig();
    const { zk, proxy, events, observer } = rig;
    void proxy.swallowNextReply(({ opCode }) => opCode === op.create);
    expect(await failureOf(zk.create('/applied'))).toMatchObject({ mayHaveBeenApplied: true });
    await events.first('connected');
    void proxy.swallowNextRequest(({ opCode }) => opCode === op.create);
    expect(await failureOf(zk.create('/lost'))).toMatchObject({ mayHaveBeenApplied: true });
    expect([await observer.has('/applied'), await observer.has('/lost')]).toEqual([true, false]);
  });
});

describe('a read whose answer was lost', () => {
  it.each(reads)('%s: is sent again by itself, and resolves', async (_, code, run) => {
    await using rig = await startRig();
    const { zk, proxy, events } = rig;
    await zk.create('/node', 'x');
    const answer = await run(zk);
    await rig.reconnect();
    proxy.requests.length = 0;
    events.clear();
    const swallowed = proxy.swallowNextReply(({ opCode }) => opCode === code);
    const again = await run(zk);
    await swallowed;
    if (typeof answer !== 'object' || Array.isArray(answer)) expect(again).toEqual(answer);
    expect(sendings(rig, code)).toBe(2);
    expect(events.types).toEqual(['suspended', 'connected']);
  });

  it('is sent again before what was asked for after it', async () => {
    await using rig = await startRig();
    const { zk, proxy } = rig;
    await zk.create('/node', 'before');
    void proxy.swallowNextReply(({ opCode }) => opCode === op.getData);
    const read = zk.getData('/node');
    await rig.events.first('suspended');
    const later = [zk.setData('/node', 'after'), zk.exists('/node')];
    expect((await read).text()).toBe('before');
    await Promise.all(later);
    expect(rig.newestOpCodes).toEqual([op.connect, op.getData, op.setData, op.exists]);
  });

  it('fails in the end when it may be what makes the server close', async () => {
    await using server = await startWireServer();
    await using zk = await connectTo(server.connectString);
    const failing = failureOf(zk.getData('/node'));
    for (let sent = 1; sent <= 5; sent++) (await server.frame()).connection.reset();
    expect(await failing).toMatchObject({ code: 'CONNECTION_LOSS', mayHaveBeenApplied: false });
    const next = zk.exists('/node');
    const request = await server.frame();
    request.connection.send(reply(request, { err: -101 }));
    expect(await next).toBeNull();
  });

  it('takes no other one down when it makes the server close: those that were lost go one by one', async () => {
    await using server = await startWireServer();
    await using zk = await connectTo(server.connectString);
    const order: string[] = [];
    const note = (name: string) => (): void => void order.push(name);
    const others = ['/a', '/b', '/d'].map((path) => zk.exists(path).then(note(path)));
    const failing = failureOf(zk.getData('/bad')).then(note('/bad'));
    others.push(zk.exists('/e').then(note('/e')));
    let lost = 0;
    const serve = async (): Promise<void> => {
      for (;;) {
        const request = await server.frame();
        const { connection, body } = request;
        if (body.includes('/last')) return connection.send(reply(request, { err: -101 }));
        if (body.includes('/bad')) {
          // What came with it has no answer yet, and gets none.
          lost++;
          connection.reset();
        } else setTimeout(() => connection.send(reply(request, { err: -101 })), 30);
      }
    };
    const served = serve();
    await Promise.all([...others, failing]);
    await zk.exists('/last');
    await served;
    expect(order).toEqual(['/a', '/b', '/d', '/bad', '/e']);
    expect(lost).toBe(7);
  });
});

test('with offlineQueue: false a read whose answer was lost fails, and says that it changed nothing', async () => {
  await using rig = await startRig({ offlineQueue: false });
  void rig.proxy.swallowNextReply(({ opCode }) => opCode === op.exists);
  expect(await failureOf(rig.zk.exists('/'))).toMatchObject({ code: 'CONNECTION_LOSS', mayHaveBeenApplied: false });
});

test('requests in flight settle in the order in which they were asked for', async () => {
  await using rig = await startRig();
  const { zk, proxy } = rig;
  proxy.holdReplies();
  const order: number[] = [];
  const pending = Array.from({ length: 20 }, (_, index) => zk.create(`/n${index}`).catch(() => order.push(index)));
  await proxy.seen(({ body }) => body.includes('/n19'));
  proxy.resetAll();
  await Promise.all(pending);
  expect(order).toEqual(pending.map((_, index) => index));
  proxy.releaseReplies();
  await rig.events.first('connected');
});

test('H7: a transaction that fails names the operation and what became of the others, also after a reconnect', async () => {
  await using rig = await startRig();
  const { zk, observer } = rig;
  await rig.reconnect();
  const failure = await failureOf(
    zk.transaction().create('/a').create('/b').delete('/missing').create('/c').create('/d').commit(),
  );
  expect(failure).toMatchObject({
    code: 'NO_NODE',
    path: '/missing',
    operation: 'delete',
    transaction: { index: 2, outcomes: ['rolledBack', 'rolledBack', 'failed', 'notTried', 'notTried'] },
  });
  expect(await observer.getChildren('/')).toEqual([]);
  expect(await zk.transaction().commit()).toEqual([]);
});
