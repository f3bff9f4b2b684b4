import { describe, expect, it } from '@jest/globals';
import { ClosedError, SessionExpiredError, ZooKeeper } from 'zookit';
import { startProxy } from '../support/proxy.js';
import { sharedServer } from '../support/shared.js';
import { nextEvent, until } from '../support/until.js';
import { bytes, reply, startWireServer, stat } from '../support/wire-server.js';
import { startServer } from '../support/zookeeper.js';
import { Recorder, useClients } from './clients.js';

const clients = useClients();
const ping = 11;

describe('the session timeout', () => {
  it('A5: is what the server grants, not what was asked for, and the session is kept alive by it', async () => {
    await using server = await startServer({ maxSessionTimeout: 3_000 });
    await using proxy = await startProxy(server);
    await using zk = await ZooKeeper.connect(proxy.connectString, { sessionTimeout: 30_000 });
    expect(zk.session.timeout).toBe(3_000);
    await zk.create('/e', null, { mode: 'ephemeral' });
    // Pings that keep to the 30 seconds would not come in time for anything but the end of the session.
    const pings = (): number => proxy.requests.filter(({ opCode }) => opCode === ping).length;
    await until(() => pings() >= 4, { what: 'four pings' });
    expect(zk.session.remaining).toBeLessThanOrEqual(3_000);
    expect((await zk.exists('/e'))?.ephemeralOwner.equals(zk.session.id)).toBe(true);
    expect(proxy.totalConnections).toBe(1);
  });

  it('is at least what the server demands', async () => {
    await using server = await startServer({ minSessionTimeout: 3_000 });
    await using zk = ZooKeeper.open(server.connectString, { sessionTimeout: 1 });
    const [connected] = await nextEvent(zk, 'connected');
    expect(connected).toMatchObject({ type: 'connected', sessionTimeout: 3_000, resumed: false });
    expect(zk.session.timeout).toBe(3_000);
  });
});

describe('close', () => {
  it('P9: has removed the ephemeral znodes when it resolves, and an observer was told', async () => {
    const folder = await clients.folder();
    const zk = await clients.another();
    const names = ['a', 'b', 'c'];
    for (const name of names) await zk.create(`${folder}/${name}`, null, { mode: 'ephemeral' });
    const recorder = new Recorder();
    for (const name of names) await clients.zk.exists(`${folder}/${name}`, { watch: recorder.tell });
    await zk.close({ timeout: 20_000 });
    expect(await clients.zk.getChildren(folder)).toEqual([]);
    expect(recorder.seen.sort()).toEqual(names.map((name) => `deleted ${folder}/${name}`));
  });

  it('lets operations that were called before it finish, and refuses those after it', async () => {
    const folder = await clients.folder();
    const zk = await clients.another();
    const calls = Array.from({ length: 100 }, (_, index) => zk.create(`${folder}/${index}`));
    const closed = zk.close({ timeout: 20_000 });
    const late = zk.create(`${folder}/late`);
    await expect(late).rejects.toThrow(ClosedError);
    await expect(late).rejects.toMatchObject({ code: 'CLOSED', operation: 'create', mayHaveBeenApplied: false });
    await closed;
    expect(await Promise.all(calls)).toHaveLength(100);
    expect(await clients.zk.getChildren(folder)).toHaveLength(100);
    expect(zk.state).toBe('closed');
    await zk.close();
    await expect(zk.ready()).rejects.toThrow(ClosedError);
    await expect(zk.addAuth('digest', 'a:b')).rejects.toThrow(ClosedError);
  });

  it('by "await using" does the same', async () => {
    const folder = await clients.folder();
    {
      await using zk = await ZooKeeper.connect(sharedServer().connectString + clients.chroot);
      await zk.create(`${folder}/e`, null, { mode: 'ephemeral' });
    }
    expect(await clients.zk.has(`${folder}/e`)).toBe(false);
  });
});

describe('A8: a session that is handed over', () => {
  it('by close({ keepSession: true }) keeps its ephemeral znodes; a plain close of its heir removes them', async () => {
    const folder = await clients.folder();
    const first = await clients.another();
    await first.create(`${folder}/e`, 'of the first', { mode: 'ephemeral' });
    const session = first.session.export();
    expect(session).toEqual({ id: expect.stringMatching(/^0x[0-9a-f]+$/), password: expect.stringMatching(/^.{24}$/) });
    await first.close({ keepSession: true, timeout: 20_000 });
    expect(await clients.zk.has(`${folder}/e`)).toBe(true);

    const heir = await clients.another({ session });
    expect(heir.session.id.equals(first.session.id)).toBe(true);
    await heir.create(`${folder}/f`, null, { mode: 'ephemeral' });
    const owner = (await clients.zk.exists(`${folder}/e`))?.ephemeralOwner;
    expect(owner?.equals(heir.session.id)).toBe(true);
    await heir.close({ timeout: 20_000 });
    expect(await clients.zk.getChildren(folder)).toEqual([]);
  });

  it('to a client that attaches while the first is connected: the first one loses the connection', async () => {
    const first = await clients.another();
    // It is not asked to come back: two clients with one session would throw each other out for ever.
    const suspended = nextEvent(first, 'suspended');
    const heir = await clients.another({ session: first.session.export() });
    await suspended;
    const closed = first.close({ keepSession: true });
    await closed;
    await heir.ready();
    expect(heir.session.id.equals(first.session.id)).toBe(true);
  });

  it('after it was closed is SessionExpiredError without renewSession, and a new session with it', async () => {
    const gone = await clients.another();
    const session = gone.session.export();
    await gone.close({ timeout: 20_000 });
    await expect(clients.another({ session, renewSession: false })).rejects.toThrow(SessionExpiredError);
    const fresh = await clients.another({ session });
    expect(fresh.session.id.equals(gone.session.id)).toBe(false);
    expect(fresh.state).toBe('connected');
  });

  it('with a wrong password is as good as expired', async () => {
    const owner = await clients.another();
    const session = { ...owner.session.export(), password: Buffer.alloc(16, 1).toString('base64') };
    await expect(clients.another({ session, renewSession: false })).rejects.toThrow(SessionExpiredError);
    expect(await owner.has('/')).toBe(true);
  });
});

describe('R6: numbers of 64 bits', () => {
  it('are the same wherever they appear, and JSON takes them', async () => {
    const folder = await clients.folder();
    const { zk } = clients;
    const created = await zk.create(`${folder}/e`, null, { mode: 'ephemeral' });
    const { stat: given } = await zk.getData(created.path);
    expect(given.ephemeralOwner.equals(zk.session.id)).toBe(true);
    expect(zk.session.toString()).toBe(`0x${given.ephemeralOwner.toUnsigned().toString(16)}`);
    expect(zk.session.id.greaterThan(Number.MAX_SAFE_INTEGER)).toBe(true);
    const parsed = JSON.parse(JSON.stringify(given)) as Record<string, unknown>;
    expect(parsed).toMatchObject({
      ephemeralOwner: zk.session.id.toString(),
      czxid: created.zxid.toString(),
      version: 0,
      ctime: given.ctime,
    });
  });

  it('may be negative: the highest bit of a session id belongs to the number of its server', async () => {
    const sessionId = -0x7eff_0123_4567_89abn;
    await using wire = await startWireServer({ handshake: { sessionId } });
    await using zk = await ZooKeeper.connect(wire.connectString);
    const reading = zk.getData('/e');
    const request = await wire.frame();
    const body = Buffer.concat([bytes('x'), stat({ ephemeralOwner: sessionId, czxid: 2n ** 62n + 1n })]);
    request.connection.send(reply(request, { body, zxid: 2n ** 62n + 3n }));
    const node = await reading;
    expect(node.stat.ephemeralOwner.equals(zk.session.id)).toBe(true);
    expect(JSON.parse(JSON.stringify(node.stat))).toMatchObject({
      ephemeralOwner: sessionId.toString(),
      czxid: '4611686018427387905',
    });
    expect(zk.session.export().id).toBe(`0x${BigInt.asUintN(64, sessionId).toString(16)}`);
    await using heir = ZooKeeper.open(wire.connectString, { session: zk.session.export() });
    const first = await wire.connection();
    const second = await wire.connection();
    expect([first, second].map(({ connectRequest }) => connectRequest.sessionId)).toEqual([0n, sessionId]);
    await Promise.all([zk, heir].map((client) => client.close({ timeout: 1 })));
  });
});
