import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ZooKeeper } from 'zookit';
import { LiveConfig } from 'zookit/recipes';
import { until, within } from '../../support/until.js';
import { startServer, type ZooKeeperServer } from '../../support/zookeeper.js';
import { failureOf, op, startRig, SHORT } from '../rig.js';

const path = '/config';

async function fresh(config: LiveConfig<unknown>): Promise<void> {
  await until(() => !config.stale, { what: 'it to be current' });
}

describe('a configuration', () => {
  it('keeps its value without a connection, says so, and learns of what changed meanwhile', async () => {
    await using rig = await startRig({ sessionTimeout: 10_000 });
    await rig.observer.create(path, '[1]');
    await using config = await LiveConfig.open<number[]>(rig.zk, path);
    const first = config.current;
    expect(config.stale).toBe(false);
    await rig.unlink();
    expect([config.current, config.stale]).toEqual([[1], true]);
    await rig.relink();
    await fresh(config);
    // Nothing has changed: it is current again all the same, and no new value.
    expect(config.current).toBe(first);
    await rig.unlink();
    await rig.observer.setData(path, '[2]');
    expect([config.current, config.stale]).toEqual([[1], true]);
    await rig.relink();
    await fresh(config);
    expect(config.current).toEqual([2]);
    await rig.unlink();
    await rig.observer.delete(path);
    await rig.observer.create(path, '[0]');
    // It has the same version as before.
    await rig.observer.setData(path, '[3]');
    await rig.relink();
    await fresh(config);
    expect(config.current).toEqual([3]);
  });

  it('goes on in a new session, where it is not current before it has looked', async () => {
    await using rig = await startRig({ sessionTimeout: SHORT });
    await rig.observer.create(path, '1');
    await using config = await LiveConfig.open<number>(rig.zk, path);
    const values = config[Symbol.asyncIterator]();
    await values.next();
    const next = values.next();
    const staleWhenConnected: boolean[] = [];
    rig.zk.on('connected', () => staleWhenConnected.push(config.stale));
    await rig.outlive();
    await rig.observer.setData(path, '2');
    expect([config.current, config.stale]).toEqual([1, true]);
    await rig.relink();
    expect(await within(next, { what: 'the value' })).toEqual({ done: false, value: 2 });
    await fresh(config);
    await rig.observer.setData(path, '3');
    await until(() => config.current === 3, { what: 'the next value' });
    expect(staleWhenConnected).toEqual([true]);
  });

  it('is not behind after any of many lost reads', async () => {
    for (const offlineQueue of [{}, false] as const) {
      await using rig = await startRig({ sessionTimeout: 10_000, offlineQueue });
      await rig.observer.create(path, '0');
      await using config = await LiveConfig.open<number>(rig.zk, path);
      for (let round = 1; round <= 20; round++) {
        const lost = round % 2 === 0 ? 'swallowNextReply' : 'swallowNextRequest';
        void rig.proxy[lost](({ opCode }) => opCode === op.getData);
        await rig.observer.setData(path, String(round));
        await until(() => config.current === round, { what: `the value ${round}` });
      }
    }
  });

  it('can be closed at once without a connection', async () => {
    await using rig = await startRig({ sessionTimeout: 10_000 });
    await rig.observer.create(path, '1');
    const config = await LiveConfig.open<number>(rig.zk, path);
    await rig.unlink();
    const opening = failureOf(LiveConfig.open(rig.zk, path, { timeout: 50 }));
    expect(await within(opening, { what: 'the error', timeout: 5_000 })).toMatchObject({ code: 'OPERATION_TIMEOUT' });
    await within(config.close(), { what: 'the end', timeout: 5_000 });
    expect([config.current, rig.zk.state]).toEqual([1, 'suspended']);
  });

  it('ends with the client: its iterations tell', async () => {
    await using rig = await startRig();
    await rig.observer.create(path, '1');
    const config = await LiveConfig.open<number>(rig.zk, path);
    const values = config[Symbol.asyncIterator]();
    await values.next();
    const next = failureOf(values.next());
    await rig.zk.close();
    expect(await next).toMatchObject({ code: 'CLOSED' });
    expect([config.current, config.stale]).toEqual([1, true]);
    await config.close();
  });
});

describe('M3: with the server down at the start', () => {
  let server: ZooKeeperServer;

  beforeAll(async () => {
    server = await startServer();
    await using zk = await ZooKeeper.connect(server.connectString);
    await zk.create(path, '{"a":1}');
    await server.stop();
    await zk.close({ timeout: 10 });
  });

  afterAll(async () => {
    await server.close();
  });

  it('it opens when the server comes, unless the wait is over before', async () => {
    await using zk = ZooKeeper.open(server.connectString);
    const opening = LiveConfig.open(zk, path);
    const failure = await failureOf(LiveConfig.open(zk, path, { timeout: 100 }));
    expect(failure).toMatchObject({ code: 'OPERATION_TIMEOUT', operation: 'LiveConfig.open', path });
    await server.start();
    await using config = await within(opening, { what: 'the configuration' });
    expect([config.current, config.stale]).toEqual([{ a: 1 }, false]);
  });
});
