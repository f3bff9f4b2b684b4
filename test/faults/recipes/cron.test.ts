import { describe, expect, it } from '@jest/globals';
import { ClusterCron, type ClusterCronOptions, type CronRecord, type CronRun } from 'zookit/recipes';
import { runScript } from '../../support/child.js';
import { sharedServer } from '../../support/shared.js';
import { gate, until, within } from '../../support/until.js';
import { op, startRig, SHORT } from '../rig.js';

const path = '/cron';
const often = { every: 100 };
const whenever: ClusterCronOptions = { missed: 'runOnce', tolerance: 0, history: 500 };

const outcomesOf = (records: readonly CronRecord[], scheduledAt: number): string[] =>
  records.filter((record) => record.scheduledAt === scheduledAt).map(({ outcome }) => outcome);

describe('a cluster cron', () => {
  it('starts no time twice where the answer to a claim, or to a result, is lost', async () => {
    await using rig = await startRig({ sessionTimeout: 10_000 });
    const times: number[] = [];
    const cron = new ClusterCron(rig.zk, path, often, ({ scheduledAt }) => times.push(scheduledAt), whenever).start();
    await until(() => times.length >= 1, { what: 'a run' });
    for (let round = 0; round < 6; round++) {
      const before = times.length;
      await rig.proxy.swallowNextReply(({ opCode }) => opCode === op.multi);
      await until(() => times.length > before + 1, { what: 'further runs' });
    }
    await cron.close();
    expect(times).toEqual([...new Set(times)].sort((a, b) => a - b));
    const records = await cron.history();
    for (const time of times) expect(outcomesOf(records, time)).toEqual(['done']);
  });

  it('of two, one of which has lost its session, runs on the other one; the run that was going on is not repeated', async () => {
    await using rig = await startRig({ sessionTimeout: SHORT });
    const ours: CronRun[] = [];
    const first = new ClusterCron(
      rig.zk,
      path,
      often,
      async (run) => {
        ours.push(run);
        if (!run.signal.aborted)
          await new Promise<void>((resolve) => run.signal.addEventListener('abort', () => resolve(), { once: true }));
      },
      { ...whenever, id: 'first' },
    ).start();
    await until(() => ours.length === 1, { what: 'our run' });
    const theirs: CronRun[] = [];
    const heldThen: boolean[] = [];
    const second = new ClusterCron(
      rig.observer,
      path,
      often,
      (run) => {
        theirs.push(run);
        heldThen.push(first.isLeader || !ours[0]!.signal.aborted);
      },
      { ...whenever, id: 'second' },
    ).start();
    await until(async () => (await second.participants()).length === 2, { what: 'both' });
    await rig.outlive();
    await until(() => theirs.length >= 3, { what: 'their runs' });
    expect(new Set(heldThen)).toEqual(new Set([false]));
    await rig.relink();
    await until(async () => (await second.participants()).length === 2, { what: 'both again' });
    await first.close();
    await second.close();
    const { scheduledAt } = ours[0]!;
    expect([ours.length, theirs.some((run) => run.scheduledAt === scheduledAt)]).toEqual([1, false]);
    expect(outcomesOf(await second.history(), scheduledAt)).toEqual(['abandoned']);
    const tokens = [...ours, ...theirs].map(({ fencingToken }) => fencingToken.toNumber());
    expect(tokens).toEqual([...tokens].sort((a, b) => a - b));
  });

  it('goes on in another process when the one of the leader is killed', async () => {
    await using rig = await startRig();
    const source = `
      import { ZooKeeper } from 'zookit';
      import { ClusterCron } from 'zookit/recipes';
      const zk = await ZooKeeper.connect('${sharedServer().connectString}${rig.chroot}', { sessionTimeout: 1_000 });
      const job = ({ scheduledAt }) => console.log('ran', scheduledAt);
      new ClusterCron(zk, '${path}', { every: 100 }, job, { tolerance: 0, missed: 'runOnce' }).start();`;
    await using child = await runScript({ source });
    await child.line(/^ran \d+$/);
    const ran = gate<CronRun>();
    const cron = new ClusterCron(rig.zk, path, often, ran.open, { ...whenever, id: 'here' }).start();
    await until(async () => (await cron.participants()).length === 2, { what: 'both' });
    await child.kill();
    const run = await within(ran.promise, { what: 'a run here', timeout: 15_000 });
    await cron.close();
    const ours = (await cron.history()).filter(({ by, outcome }) => by === 'here' && outcome !== 'missed');
    expect(ours[0]).toMatchObject({ scheduledAt: run.scheduledAt, outcome: 'done' });
    const times = (await cron.history()).map(({ scheduledAt }) => scheduledAt);
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });
});
