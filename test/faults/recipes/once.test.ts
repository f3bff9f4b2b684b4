import { expect, it } from '@jest/globals';
import { once } from 'zookit/recipes';
import { runScript } from '../../support/child.js';
import { gate, until } from '../../support/until.js';
import { op, startRig, SHORT } from '../rig.js';

const path = '/job';

it('a job whose runner is killed is run by the next one', async () => {
  await using rig = await startRig();
  await using child = await runScript({
    source: `
    import { ZooKeeper } from 'zookit';
    import { once } from 'zookit/recipes';
    const zk = await ZooKeeper.connect('${rig.connectString}', { sessionTimeout: ${SHORT} });
    await once(zk, '${path}', () => new Promise(() => console.log('running')));`,
  });
  await child.line(/^running$/);
  const waiting = once(rig.zk, path, (lock) => lock.held);
  await until(async () => (await rig.observer.getChildren(`${path}/lock`)).length === 2, { what: 'a line of two' });
  await child.kill();
  expect(await waiting).toBe(true);
});

it.each([{}, false] as const)('an outcome is stored once over lost requests and replies', async (offlineQueue) => {
  await using rig = await startRig({ sessionTimeout: 30_000, offlineQueue });
  const isMulti = ({ opCode }: { opCode: number }): boolean => opCode === op.multi;
  for (let round = 0; round < 4; round++) {
    let runs = 0;
    const lost = round % 2 === 0 ? rig.proxy.swallowNextReply(isMulti) : rig.proxy.swallowNextRequest(isMulti);
    const job = (): number => {
      runs++;
      if (round < 2) throw new Error('no luck');
      return round;
    };
    const outcome = await once(rig.zk, `${path}-${round}`, job).catch((error: unknown) => (error as Error).message);
    await lost;
    expect([runs, outcome]).toEqual([
      1,
      round < 2 ? `once ${path}-${round}: the job has failed: Error: no luck` : round,
    ]);
    expect(await rig.observer.getChildren(`${path}-${round}/lock`)).toEqual([]);
  }
});

it('a runner whose session ends stores nothing, and gets the result of the other one', async () => {
  await using rig = await startRig({ sessionTimeout: SHORT });
  const finish = gate();
  const running = once(rig.zk, path, async (lock) => {
    await finish.promise;
    return `stale ${lock.held}`;
  });
  await until(async () => (await rig.observer.getChildren(`${path}/lock`)).length === 1, { what: 'the runner' });
  const waiting = once(rig.observer, path, () => 'fresh');
  await rig.outlive();
  expect(await waiting).toBe('fresh');
  finish.open();
  await rig.relink();
  expect(await running).toBe('fresh');
});

it('who waits, waits over an expiry', async () => {
  await using rig = await startRig({ sessionTimeout: SHORT });
  const finish = gate();
  const running = once(rig.observer, path, async () => {
    await finish.promise;
    return 'done';
  });
  await until(async () => (await rig.observer.getChildren(`${path}/lock`)).length === 1, { what: 'the runner' });
  const waiting = once(rig.zk, path, () => 'twice');
  await until(async () => (await rig.observer.getChildren(`${path}/lock`)).length === 2, { what: 'a line of two' });
  await rig.outlive();
  await rig.relink();
  finish.open();
  expect([await running, await waiting]).toEqual(['done', 'done']);
});
