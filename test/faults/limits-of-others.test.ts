import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ConnectionLossError, RequestTooLargeError } from 'zookit';
import { startServer, type ZooKeeperServer } from '../support/zookeeper.js';
import { failureOf, op, startRig } from './rig.js';

describe('G4: a server whose limit for requests is lower than ours', () => {
  let server: ZooKeeperServer;

  beforeAll(async () => {
    server = await startServer({ systemProperties: { 'jute.maxbuffer': 500_000 } });
  });

  afterAll(() => server.close());

  it('closes at a write of 900 KB: that one fails and is not sent again, others go through', async () => {
    await using rig = await startRig({ server, sessionTimeout: 10_000 });
    const { zk, proxy, observer } = rig;
    await zk.create('/big', 'small');
    const failing = failureOf<ConnectionLossError>(zk.setData('/big', Buffer.alloc(900_000)));
    await rig.events.first('suspended');
    const others = Array.from({ length: 10 }, (_, index) => zk.create(`/other-${index}`));
    const failure = await failing;
    expect(failure).toBeInstanceOf(ConnectionLossError);
    expect(failure).toMatchObject({ path: '/big', operation: 'setData', mayHaveBeenApplied: true });
    await Promise.all(others);
    expect(proxy.requests.filter(({ opCode }) => opCode === op.setData)).toHaveLength(1);
    expect((await observer.getData('/big')).text()).toBe('small');
  });

  it('is spared by a client that knows: the write is refused at once with both numbers, and nothing is lost', async () => {
    await using rig = await startRig({ server, maxRequestBytes: 500_000 });
    const { zk } = rig;
    const failing = failureOf<RequestTooLargeError>(zk.create('/big', Buffer.alloc(900_000)));
    const others = Array.from({ length: 10 }, (_, index) => zk.create(`/other-${index}`));
    const failure = await failing;
    expect(failure).toBeInstanceOf(RequestTooLargeError);
    expect([failure.size > 900_000, failure.limit]).toEqual([true, 500_000]);
    await Promise.all(others);
    expect(rig.events.types).toEqual([]);
  });
});
