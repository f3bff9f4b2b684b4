import { describe, expect, it } from '@jest/globals';
import { ServerError, UnimplementedError, UnknownServerError, ZooKeeper, ZooKeeperError } from 'zookit';
import { nextEvent } from '../support/until.js';
import { bytes, int, reply, startWireServer, stat, type WireFrame, type WireServer } from '../support/wire-server.js';
import { failureOf } from './clients.js';

// What no ZooKeeper that can be installed here does: one that is too old for an operation, and one that is too new.

const unimplemented = -6;
const [exists, getData, setData] = [3, 4, 5];

/** Answers as a server does that does not know the op code, and waits until the client is back. */
async function refuse(wire: WireServer, request: WireFrame): Promise<void> {
  request.connection.send(reply(request, { zxid: -1n, err: unimplemented }));
  request.connection.end();
  await request.connection.closed;
}

describe('an operation that the server does not know', () => {
  it.each<[string, number, string, (zk: ZooKeeper) => Promise<unknown>]>([
    ['getEphemerals', 103, '3.6.0', (zk) => zk.getEphemerals()],
    ['getAllChildrenNumber', 104, '3.6.0', (zk) => zk.getAllChildrenNumber('/')],
    ['addWatch', 106, '3.6.0', (zk) => zk.addWatch('/')],
    ['whoAmI', 107, '3.7.0', (zk) => zk.whoAmI()],
    ['multiRead', 22, '3.6.0', (zk) => zk.multiRead().getData('/').read()],
    ['multi', 14, '3.4.0', (zk) => zk.transaction().check('/').commit()],
    ['create', 19, '3.5.1', (zk) => zk.create('/c', null, { mode: 'container' })],
    ['create', 21, '3.5.3', (zk) => zk.create('/t', null, { mode: 'ttl', ttl: 1 })],
    ['create', 15, '3.5.0', (zk) => zk.create('/s', null, { stat: true })],
    ['removeWatches', 18, '3.5.0', (zk) => zk.removeWatches('/')],
    ['reconfig', 16, '3.5.0', (zk) => zk.reconfig({ leaving: [1] })],
  ])('%s (op code %i): UnimplementedError names it and since when it is known', async (name, opCode, since, ask) => {
    await using wire = await startWireServer();
    await using zk = await ZooKeeper.connect(wire.connectString);
    const { id } = zk.session;
    const failing = failureOf(ask(zk));
    const request = await wire.frame();
    expect(request.opCode).toBe(opCode);
    const back = nextEvent(zk, 'connected');
    await refuse(wire, request);
    const error = await failing;
    expect(error).toBeInstanceOf(UnimplementedError);
    expect(error).toMatchObject({ code: 'UNIMPLEMENTED', serverCode: -6, operation: name });
    expect((error as Error).message).toContain(`(${name} is known from ZooKeeper ${since} on)`);

    // The session lives on, on a new connection ...
    expect((await back)[0]).toMatchObject({ type: 'connected', resumed: true });
    expect(zk.session.id.equals(id)).toBe(true);
    expect(wire.totalConnections).toBe(2);
    // ... which the same operation does not end: the client knows the answer.
    await expect(ask(zk)).rejects.toThrow(UnimplementedError);
    const looking = zk.has('/');
    const next = await wire.frame();
    expect(next.opCode).toBe(exists);
    next.connection.send(reply(next, { body: stat() }));
    expect(await looking).toBe(true);
    expect(wire.totalConnections).toBe(2);
    await zk.close({ timeout: 1 });
  });

  it('asked right after the answer waits for the next connection', async () => {
    await using wire = await startWireServer();
    await using zk = await ZooKeeper.connect(wire.connectString);
    const both = (async () => {
      await failureOf(zk.whoAmI());
      // The connection is not closed yet, but will be: a write sent on it would be lost, nobody knowing how.
      return zk.setData('/', 'x');
    })();
    await refuse(wire, await wire.frame());
    const request = await wire.frame();
    expect([request.opCode, request.connection.id]).toEqual([setData, 2]);
    request.connection.send(reply(request, { body: stat({ version: 1 }) }));
    expect((await both).version).toBe(1);
    await zk.close({ timeout: 1 });
  });

  it('is refused ahead of the answers to what was asked before: reads are asked again, no read is lost', async () => {
    // As a real server does: it says no as soon as it has read the request, while others are still being worked on.
    await using wire = await startWireServer();
    await using zk = await ZooKeeper.connect(wire.connectString);
    const before = zk.getData('/before');
    const unknown = failureOf(zk.whoAmI());
    const again = failureOf(zk.whoAmI());
    const after = zk.getData('/after');
    const frames = [await wire.frame(), await wire.frame(), await wire.frame(), await wire.frame()];
    await refuse(wire, frames[1]!);
    expect(await unknown).toBeInstanceOf(UnimplementedError);
    for (const path of ['/before', '/after']) {
      const request = await wire.frame();
      expect([request.opCode, request.connection.id]).toEqual([getData, 2]);
      expect(request.body.subarray(0, 4 + path.length)).toEqual(bytes(path));
      request.connection.send(reply(request, { body: Buffer.concat([bytes(path), stat()]) }));
    }
    expect([(await before).text(), (await after).text()]).toEqual(['/before', '/after']);
    expect(await again).toBeInstanceOf(UnimplementedError);
    await zk.close({ timeout: 1 });
  });
});

describe('an error code', () => {
  it.each<[number, string]>([
    [-2, 'RUNTIME_INCONSISTENCY'],
    [-13, 'NEW_CONFIG_NO_QUORUM'],
    [-14, 'RECONFIG_IN_PROGRESS'],
    [-118, 'SESSION_MOVED'],
    [-119, 'NOT_READ_ONLY'],
    [-3, 'UNKNOWN_SERVER_ERROR'],
    [-999, 'UNKNOWN_SERVER_ERROR'],
  ])('%i becomes %s, and the connection stays', async (serverCode, code) => {
    await using wire = await startWireServer();
    await using zk = await ZooKeeper.connect(wire.connectString);
    const failing = failureOf(zk.getData('/a'));
    const request = await wire.frame();
    request.connection.send(reply(request, { err: serverCode }));
    const error = await failing;
    expect(error).toBeInstanceOf(ServerError);
    expect(error).toMatchObject({ code, serverCode, operation: 'getData', path: '/a' });
    expect(error instanceof UnknownServerError).toBe(code === 'UNKNOWN_SERVER_ERROR');
    expect((error as Error).stack).toContain('unknown-operation.test.ts');
    expect([zk.state, wire.totalConnections]).toEqual(['connected', 1]);
    await zk.close({ timeout: 1 });
  });

  it('of one operation in a transaction that is unknown is told as it is', async () => {
    await using wire = await startWireServer();
    await using zk = await ZooKeeper.connect(wire.connectString);
    const failing = failureOf(zk.transaction().check('/a').commit());
    const request = await wire.frame();
    const [error, end] = [-1, -1];
    const failed = [int(error), Buffer.from([0]), int(-999), int(-999)];
    const last = [int(end), Buffer.from([1]), int(-1)];
    request.connection.send(reply(request, { body: Buffer.concat([...failed, ...last]) }));
    const reason = await failing;
    expect(reason).toBeInstanceOf(ZooKeeperError);
    expect(reason).toMatchObject({ serverCode: -999, path: '/a', transaction: { index: 0, outcomes: ['failed'] } });
    await zk.close({ timeout: 1 });
  });
});
