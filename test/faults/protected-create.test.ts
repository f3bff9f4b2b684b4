import { describe, expect, it, test } from '@jest/globals';
import { SessionExpiredError } from 'zookit';
import { bytes, int, reply, startWireServer } from '../support/wire-server.js';
import { connectTo, EventLog, failureOf, op, startRig, SHORT } from './rig.js';

/** Pseudo-random numbers from 0 up to 1, the same ones in each run (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

test('over 200 rounds with requests and replies lost at random points, each protected create makes one znode', async () => {
  await using rig = await startRig({ sessionTimeout: 10_000 });
  const { zk, proxy, observer } = rig;
  const random = seeded(2181);
  const codes = [op.create, op.create, op.getChildren, op.exists, op.sync];
  const created: string[] = [];
  let losses = 0;
  for (let round = 0; round < 200; round++) {
    const code = codes[Math.floor(random() * codes.length)];
    // A loss that waits for a request which this round does not send comes in a later round.
    const lose = random() < 0.6 ? 'swallowNextReply' : 'swallowNextRequest';
    void proxy[lose](({ opCode }) => opCode === code).then(() => losses++);
    const { path, sequence } = await zk.create('/n-', null, { mode: 'ephemeralSequential', protected: true });
    expect(path.endsWith(String(sequence).padStart(10, '0'))).toBe(true);
    created.push(path.slice(1));
  }
  const names = await observer.getChildren('/');
  expect(names.sort()).toEqual(created.sort());
  expect(losses).toBeGreaterThan(80);
});

describe('a protected create', () => {
  it('finds the znode that it has made, with its stat and sequence', async () => {
    await using rig = await startRig();
    const { zk, proxy } = rig;
    const swallowed = proxy.swallowNextReply(({ opCode }) => opCode === op.create);
    const created = await zk.create('/n-', 'x', { mode: 'ephemeralSequential', protected: true });
    await swallowed;
    const stat = await zk.exists(created.path);
    expect(created).toMatchObject({ sequence: 0, zxid: stat?.czxid, name: created.path.slice(1) });
    expect(stat?.ephemeralOwner).toEqual(zk.session.id);
  });

  it('makes it when the request was lost, parents included', async () => {
    await using rig = await startRig();
    const { zk, proxy, observer } = rig;
    void proxy.swallowNextRequest(({ opCode }) => opCode === op.create);
    const { path } = await zk.create('/a/b/n', 'x', { protected: true, parents: true });
    expect(await observer.getChildren('/a/b')).toEqual([path.slice('/a/b/'.length)]);
  });

  it('fails when the session expired before the outcome was known', async () => {
    await using rig = await startRig({ sessionTimeout: SHORT });
    const { zk, proxy, observer } = rig;
    await zk.create('/parent');
    const { path } = await zk.create('/alive', null, { mode: 'ephemeral' });
    const swallowed = proxy.swallowNextReply(({ opCode }) => opCode === op.create);
    proxy.refuse();
    const failure = failureOf(zk.create('/parent/n-', null, { mode: 'ephemeralSequential', protected: true }));
    await swallowed;
    await rig.events.first('lost');
    while (await observer.has(path)) await observer.sync();
    await proxy.accept();
    expect(await failure).toBeInstanceOf(SessionExpiredError);
    await rig.events.first('connected');
    expect(await observer.getChildren('/parent')).toEqual([]);
  });
});

describe('H4: what was asked for under one session is not sent under the next', () => {
  it('not by a protected create whose search ends as the session does', async () => {
    await using server = await startWireServer();
    await using zk = await connectTo(server.connectString);
    const events = new EventLog(zk);
    const failure = failureOf(zk.create('/n-', null, { mode: 'ephemeralSequential', protected: true }));
    const first = await server.frame();
    expect(first.opCode).toBe(op.create);
    first.connection.reset();
    const sync = await server.frame();
    const search = await server.frame();
    expect([sync.opCode, search.opCode]).toEqual([op.sync, op.getChildren]);
    const read = failureOf(zk.getData('/other'));
    const last = await server.frame();
    // The search finds nothing, and in the same segment the server ends the session.
    search.connection.send(
      reply(sync, { body: bytes('/') }),
      reply(search, { body: int(0) }),
      reply(last, { err: -112 }),
    );
    expect(await read).toBeInstanceOf(SessionExpiredError);
    expect(await failure).toBeInstanceOf(SessionExpiredError);
    await events.first('connected');
    const fence = failureOf(zk.exists('/fence'));
    expect((await server.frame()).opCode).toBe(op.exists);
    void fence;
  });

  it('not by a create with parents', async () => {
    await using server = await startWireServer();
    await using zk = await connectTo(server.connectString);
    const events = new EventLog(zk);
    const failure = failureOf(zk.create('/a/n', null, { mode: 'ephemeral', parents: true }));
    const other = failureOf(zk.getData('/other'));
    const create = await server.frame();
    const read = await server.frame();
    create.connection.send(reply(create, { err: -101 }), reply(read, { err: -112 }));
    expect(await other).toBeInstanceOf(SessionExpiredError);
    expect(await failure).toBeInstanceOf(SessionExpiredError);
    await events.first('connected');
    const fence = failureOf(zk.exists('/fence'));
    expect((await server.frame()).opCode).toBe(op.exists);
    void fence;
  });

  it('not by any operation that waited for the connection', async () => {
    await using rig = await startRig({ sessionTimeout: SHORT });
    const { zk, proxy, events, observer } = rig;
    await rig.outlive();
    const waiting = [zk.create('/mine', null, { mode: 'ephemeral' }), zk.setData('/', 'x'), zk.getData('/')].map(
      failureOf<SessionExpiredError>,
    );
    proxy.requests.length = 0;
    await rig.relink();
    for (const failure of await Promise.all(waiting)) {
      expect(failure).toBeInstanceOf(SessionExpiredError);
      expect(failure.mayHaveBeenApplied).toBe(false);
    }
    await zk.exists('/');
    expect(rig.newestOpCodes).toEqual([op.connect, op.exists]);
    expect(await observer.has('/mine')).toBe(false);
    expect(events.types).toEqual(['suspended', 'lost', 'expired', 'connected']);
  });
});
