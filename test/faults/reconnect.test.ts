import { afterAll, beforeAll, describe, expect, it, test } from '@jest/globals';
import { startServer, type ZooKeeperServer } from '../support/zookeeper.js';
import { until } from '../support/until.js';
import { Seen, startRig } from './rig.js';

describe('A1: a link that is down for half of the session timeout', () => {
  it('suspends the client, which comes back with the same session: nothing is lost, nothing expired', async () => {
    await using rig = await startRig({ sessionTimeout: 6_000 });
    const { zk, events } = rig;
    const { id, timeout } = zk.session;
    await rig.unlink();
    expect(zk.state).toBe('suspended');
    await until(() => zk.session.remaining < timeout / 2, { what: 'half of the session timeout to be over' });
    await rig.relink();
    expect(events.types).toEqual(['suspended', 'connected']);
    expect(events.all[1]).toMatchObject({
      sessionId: id,
      resumed: true,
      server: rig.proxy.connectString,
      sessionTimeout: timeout,
      previousSessionId: undefined,
    });
    expect(zk.session.id).toEqual(id);
  });

  it('leaves ephemeral znodes and leases alone', async () => {
    await using rig = await startRig();
    const { stat } = await rig.zk.create('/mine', null, { mode: 'ephemeral', stat: true });
    const lease = rig.zk.lease();
    await rig.reconnect();
    expect((await rig.observer.exists('/mine'))?.czxid).toEqual(stat.czxid);
    expect(stat.ephemeralOwner).toEqual(rig.zk.session.id);
    expect([lease.held, lease.signal.aborted]).toEqual([true, false]);
  });
});

test('events carry the id of their session, and the state is what the event says', async () => {
  await using rig = await startRig();
  const states: string[] = [];
  rig.zk.on('session', ({ type, sessionId }) => {
    // A busy machine holds up this process at times.
    if (type === 'stalled') return;
    states.push(`${type}: ${rig.zk.state}`);
    expect(sessionId).toEqual(rig.zk.session.id);
  });
  await rig.reconnect();
  await rig.zk.close();
  expect(states).toEqual(['suspended: suspended', 'connected: connected', 'closed: closed']);
});

describe('a server that is killed and started again on its data', () => {
  let server: ZooKeeperServer;

  beforeAll(async () => {
    server = await startServer();
  });

  afterAll(() => server.close());

  it('has the session, its ephemeral znodes and its watches again', async () => {
    await using rig = await startRig({ server, sessionTimeout: 60_000 });
    const { zk, events } = rig;
    const { id } = zk.session;
    const seen = new Seen();
    await zk.create('/mine', null, { mode: 'ephemeral' });
    await zk.create('/node');
    await zk.getData('/node', { watch: seen.tell });
    await zk.addWatch('/node', { onEvent: seen.tell });
    await server.kill();
    await events.first('suspended');
    await server.start();
    await events.first('connected', 60_000);
    expect(events.types).toEqual(['suspended', 'connected']);
    expect(zk.session.id).toEqual(id);
    await rig.observer.setData('/node', 'x');
    await seen.count(3);
    expect(seen.all.sort()).toEqual(['dataChanged /node', 'dataChanged /node', 'resync']);
    expect((await rig.observer.exists('/mine'))?.ephemeralOwner).toEqual(id);
  });
});
