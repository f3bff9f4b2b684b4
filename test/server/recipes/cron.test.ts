import { describe, expect, it, jest } from '@jest/globals';
import { InvalidArgumentError, InvalidPathError, type ZooKeeper, type ZooKeeperError } from 'zookit';
import { ClusterCron, type ClusterCronOptions, CronJobError, type CronRecord, type CronRun } from 'zookit/recipes';
import { gate, until, within } from '../../support/until.js';
import { useClients } from '../clients.js';

const clients = useClients();

/** Often enough not to wait for, and with room for a busy machine. */
const often = { every: 100 };
/** Whatever is due is run, however late. */
const whenever: ClusterCronOptions = { missed: 'runOnce', tolerance: 0 };

const HOUR = 3_600_000;

const state = (path: string, upTo: number, history: readonly CronRecord[] = []): [string, string] => [
  `${path}/state`,
  JSON.stringify({ upTo, history }),
];

const signalled = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

/** The history, once it is as wanted. */
async function history(cron: ClusterCron, wanted: (records: readonly CronRecord[]) => boolean) {
  return until(
    async () => {
      const records = await cron.history();
      return wanted(records) && records;
    },
    { what: 'the history' },
  );
}

const outcomes = (records: readonly CronRecord[]): string[] => records.map(({ outcome }) => outcome);

describe('a cluster cron', () => {
  it('runs the job at its times, each once, on the leader alone', async () => {
    const path = await clients.folder();
    const runs: CronRun[] = [];
    const by: string[] = [];
    const crons = [];
    for (const id of ['anna', 'ben']) {
      const job = (run: CronRun): void => {
        runs.push(run);
        by.push(id);
      };
      crons.push(new ClusterCron(await clients.another(), path, often, job, { ...whenever, id }).start());
    }
    const [anna, ben] = crons as [ClusterCron, ClusterCron];
    await until(() => runs.length >= 3, { what: 'three runs' });
    expect(anna.isLeader).not.toBe(ben.isLeader);
    const leader = anna.isLeader ? anna : ben;
    const records = await history(leader, (all) => outcomes(all).filter((each) => each === 'done').length >= 3);
    await leader.close();
    const count = runs.length;
    await until(() => runs.length >= count + 2, { what: 'runs of the other' });
    await Promise.all(crons.map((cron) => cron.close()));
    expect(new Set(by).size).toBe(2);
    const times = runs.map(({ scheduledAt }) => scheduledAt);
    expect(times).toEqual([...new Set(times)].sort((a, b) => a - b));
    for (const time of times) expect(time % 100).toBe(0);
    expect(runs.every(({ signal }) => !signal.aborted)).toBe(true);
    expect(records.find(({ outcome }) => outcome === 'done')).toEqual({
      scheduledAt: expect.any(Number),
      outcome: 'done',
      by: by[0],
      fencingToken: runs[0]!.fencingToken.toString(),
      startedAt: expect.any(Number),
      endedAt: expect.any(Number),
    });
    expect(runs.at(-1)!.fencingToken.greaterThan(runs[0]!.fencingToken)).toBe(true);
    expect(await clients.zk.getChildren(`${path}/leader`)).toEqual([]);
  });

  it('begins with nothing missed', async () => {
    const path = await clients.folder();
    const cron = new ClusterCron(clients.zk, path, { every: HOUR }, () => 1, whenever).start();
    await until(async () => clients.zk.has(`${path}/state`), { what: 'the state' });
    expect(await cron.history()).toEqual([]);
    await cron.close();
    expect(await new ClusterCron(clients.zk, `${path}/other`, often, () => 1).history()).toEqual([]);
  });

  it.each<[ClusterCronOptions['missed'], number, string[]]>([
    ['skip', 0, ['missed']],
    ['runOnce', 1, ['missed', 'done']],
    [{ catchUp: 2 }, 2, ['missed', 'done', 'done']],
  ])('makes up for what was missed before it led, by the rule %j', async (missed, expected, outcome) => {
    const path = await clients.folder();
    const newest = Math.floor(Date.now() / HOUR) * HOUR;
    const clock = jest.spyOn(Date, 'now').mockReturnValue(newest + HOUR / 4);
    try {
      await clients.zk.create(...state(path, newest - 5 * HOUR));
      const runs: CronRun[] = [];
      const cron = new ClusterCron(clients.zk, path, { every: HOUR }, (run) => runs.push(run), { missed }).start();
      const records = await history(cron, (all) => outcomes(all).join() === outcome.join());
      expect(runs.map(({ scheduledAt }) => scheduledAt)).toEqual(
        Array.from({ length: expected }, (_, index) => newest - (expected - 1 - index) * HOUR),
      );
      const record = { outcome: 'missed', scheduledAt: newest - expected * HOUR, count: 5 - expected };
      expect(records[0]).toMatchObject(record);
      expect(runs[0]?.missed).toBe(expected === 0 ? undefined : 5 - expected);
      await cron.close();
      // Nothing of it comes back with the next leader.
      const { version } = (await clients.zk.getData(`${path}/state`)).stat;
      await using _next = new ClusterCron(clients.zk, path, { every: HOUR }, (run) => runs.push(run), {
        missed,
      }).start();
      const looked = async (): Promise<boolean> => (await clients.zk.getData(`${path}/state`)).stat.version > version;
      await until(looked, { what: 'the look of the next leader' });
      expect([runs.length, outcomes(await cron.history())]).toEqual([expected, outcome]);
    } finally {
      clock.mockRestore();
    }
  });

  it('runs what is late by no more than is tolerated', async () => {
    const path = await clients.folder();
    const newest = Math.floor(Date.now() / HOUR) * HOUR;
    await clients.zk.create(...state(path, newest - HOUR));
    const ran = gate<CronRun>();
    const clock = jest.spyOn(Date, 'now').mockReturnValue(newest + 20_000);
    try {
      await using _cron = new ClusterCron(clients.zk, path, { every: HOUR }, ran.open).start();
      expect(await within(ran.promise, { what: 'the run' })).toMatchObject({ scheduledAt: newest, missed: 0 });
    } finally {
      clock.mockRestore();
    }
  });
});

describe('runs that overlap', () => {
  it('are left out by the rule "skip"', async () => {
    const path = await clients.folder();
    const settle = gate();
    let runs = 0;
    const cron = new ClusterCron(
      clients.zk,
      path,
      often,
      () => (++runs === 1 ? settle.promise : undefined),
      whenever,
    ).start();
    const records = await history(cron, (all) => outcomes(all).filter((each) => each === 'overlapped').length >= 2);
    expect([outcomes(records).find((each) => each !== 'missed'), runs]).toEqual(['running', 1]);
    settle.open();
    await until(() => runs >= 2, { what: 'another run' });
    await cron.close();
  });

  it('wait by the rule { queue }, as many as are let', async () => {
    const path = await clients.folder();
    const settle = gate();
    const runs: number[] = [];
    let running = 0;
    const job = async ({ scheduledAt }: CronRun): Promise<void> => {
      expect(++running).toBe(1);
      runs.push(scheduledAt);
      if (runs.length === 1) await settle.promise;
      running--;
    };
    const cron = new ClusterCron(clients.zk, path, often, job, { ...whenever, overlap: { queue: 2 } }).start();
    const records = await history(cron, (all) => outcomes(all).includes('overlapped'));
    const first = runs[0]!;
    const overlapped = records.find(({ outcome }) => outcome === 'overlapped')!.scheduledAt;
    settle.open();
    await until(() => runs.length >= 3, { what: 'those that waited' });
    await cron.close();
    expect(runs[1]! > first && runs[2]! > runs[1]! && overlapped > runs[2]!).toBe(true);
  });

  it('take the place of what runs by the rule "interrupt", once that has returned', async () => {
    const path = await clients.folder();
    const signals: AbortSignal[] = [];
    let running = 0;
    const job = async ({ signal }: CronRun): Promise<void> => {
      expect(++running).toBe(1);
      signals.push(signal);
      await signalled(signal);
      running--;
      throw signal.reason;
    };
    const told: unknown[] = [];
    const options: ClusterCronOptions = { ...whenever, overlap: 'interrupt', onError: (error) => told.push(error) };
    const cron = new ClusterCron(clients.zk, path, often, job, options).start();
    await until(() => signals.length >= 3, { what: 'three runs' });
    await cron.close();
    expect(signals.every(({ aborted }) => aborted)).toBe(true);
    expect(outcomes(await cron.history()).filter((each) => each === 'interrupted').length).toBeGreaterThanOrEqual(3);
    expect(told).toEqual([]);
  });
});

describe('the history', () => {
  it('has what jobs throw, and onError is told', async () => {
    const path = await clients.folder();
    const told: ZooKeeperError[] = [];
    const options: ClusterCronOptions = { ...whenever, onError: (error) => told.push(error) };
    const job = (): never => {
      throw new Error('x'.repeat(500));
    };
    await using cron = new ClusterCron(clients.zk, path, often, job, options).start();
    const records = await history(cron, (all) => outcomes(all).includes('failed'));
    const failed = records.find(({ outcome }) => outcome === 'failed')!;
    expect(failed.error).toMatch(/^Error: x{193}$/);
    expect(told[0]).toBeInstanceOf(CronJobError);
    expect(told[0]!.cause).toMatchObject({ message: 'x'.repeat(500) });
    expect(told[0]!.message).toContain(new Date(failed.scheduledAt).toISOString());
  });

  it.each([0, 3])('is bounded: %d', async (bound) => {
    const path = await clients.folder();
    let runs = 0;
    await using cron = new ClusterCron(clients.zk, path, often, () => ++runs, { ...whenever, history: bound }).start();
    await until(() => runs >= 5, { what: 'five runs' });
    expect((await cron.history()).length).toBe(bound);
  });

  it('begins anew where the data is none', async () => {
    const path = await clients.folder();
    await clients.zk.create(`${path}/state`, 'spoilt');
    const ran = gate();
    const cron = new ClusterCron(clients.zk, path, often, () => ran.open(), whenever).start();
    await within(ran.promise, { what: 'a run' });
    await cron.close();
    expect(outcomes(await cron.history())).toContain('done');
  });
});

it('writes nothing as a leader who is none any more, and goes on with its next term', async () => {
  const path = await clients.folder();
  const zk: ZooKeeper = await clients.another();
  const runs: CronRun[] = [];
  const lost = gate();
  const job = async (run: CronRun): Promise<void> => {
    runs.push(run);
    if (runs.length > 1) return;
    await clients.zk.deleteTree(`${path}/leader`);
    await signalled(run.signal);
    lost.open();
  };
  const cron = new ClusterCron(zk, path, often, job, whenever).start();
  await within(lost.promise, { what: 'the loss' });
  await until(() => runs.length >= 2, { what: 'a run of the next term' });
  await cron.close();
  expect(runs[1]!.fencingToken.greaterThan(runs[0]!.fencingToken)).toBe(true);
  const first = (await cron.history()).find(({ scheduledAt }) => scheduledAt === runs[0]!.scheduledAt);
  expect(first?.outcome).toBe('abandoned');
});

it('close() aborts the signal of the job, and waits for it', async () => {
  const path = await clients.folder();
  const begun = gate<AbortSignal>();
  const settle = gate();
  const job = async ({ signal }: CronRun): Promise<void> => {
    begun.open(signal);
    await settle.promise;
  };
  const cron = new ClusterCron(clients.zk, path, often, job, whenever).start();
  const signal = await begun.promise;
  let isClosed = false;
  const closing = cron.close().then(() => (isClosed = true));
  await within(signalled(signal), { what: 'the signal' });
  expect(isClosed).toBe(false);
  settle.open();
  await within(closing, { what: 'the end' });
  expect(outcomes(await cron.history())).toContain('interrupted');
});

it('hands over to another process, and lets others see who leads', async () => {
  const path = await clients.folder();
  const anna = new ClusterCron(clients.zk, path, { every: HOUR }, () => 1, { id: 'anna' }).start();
  await using observer = anna.observe();
  expect((await observer.leader({ timeout: 10_000 })).id).toBe('anna');
  await until(() => anna.isLeader, { what: 'anna' });
  const ben = new ClusterCron(await clients.another(), path, { every: HOUR }, () => 1, { id: 'ben' }).start();
  expect((await within(anna.handOver({ to: 'ben' }), { what: 'ben' })).id).toBe('ben');
  await until(() => ben.isLeader && ben.state === 'leading', { what: 'ben' });
  await until(async () => (await anna.participants()).map(({ id }) => id).join() === 'ben,anna', { what: 'both' });
  await Promise.all([anna.close(), ben.close()]);
});

it('tells the next time without asking', () => {
  const cron = new ClusterCron(clients.zk, '/cron', '0 3 * * *', () => 1, { timeZone: 'Asia/Kolkata' });
  expect(new Date(cron.nextAt(Date.parse('2026-11-21T00:00Z'))).toISOString()).toBe('2026-11-21T21:30:00.000Z');
  expect(cron.nextAt()).toBeGreaterThan(Date.now());
});

it.each([
  { missed: 'never' },
  { missed: { catchUp: 0 } },
  { missed: null },
  { overlap: 'queue' },
  { overlap: { queue: 1.5 } },
  { tolerance: -1 },
  { history: 501 },
  { history: '5' },
  { timeZone: 'Europe/Atlantis' },
  { timeZone: 1 },
  { grace: -1 },
  { requeue: true },
  { margin: -1 },
])('refuses the options %j', (options) => {
  expect(() => new ClusterCron(clients.zk, '/cron', '* * * * *', () => 1, options as never)).toThrow(
    InvalidArgumentError,
  );
});

it('refuses a schedule, a job and a path that are none', () => {
  expect(() => new ClusterCron(clients.zk, '/cron', '* * * *', () => 1)).toThrow(InvalidArgumentError);
  expect(() => new ClusterCron(clients.zk, '/cron', often, 5 as never)).toThrow(InvalidArgumentError);
  expect(() => new ClusterCron(clients.zk, 'cron', often, () => 1)).toThrow(InvalidPathError);
});
