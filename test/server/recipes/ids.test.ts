import { afterEach, describe, expect, it, jest, test } from '@jest/globals';
import { InvalidArgumentError, OperationTimeoutError, type WatchedPath, type ZooKeeper } from 'zookit';
import {
  Counter,
  CounterOverflowError,
  IdGenerator,
  IdRefusedError,
  Snowflake,
  type SnowflakeOptions,
  type WorkerId,
  WorkerIds,
} from 'zookit/recipes';
import { until, within } from '../../support/until.js';
import { failureOf, useClients } from '../clients.js';

const clients = useClients();

describe('an id generator', () => {
  it('gives each number once, to whoever asks', async () => {
    const path = `${await clients.folder()}/a/ids`;
    const zks = [clients.zk, await clients.another(), await clients.another()];
    const all = await Promise.all(
      zks.flatMap((zk) => {
        const generator = new IdGenerator(zk, path, { blockSize: 7 });
        return Array.from({ length: 30 }, () => generator.next());
      }),
    );
    expect(new Set(all).size).toBe(90);
    const own = all.slice(0, 30);
    expect(own).toEqual([...own].sort((a, b) => a - b));
  });

  it('fetches a block at a time, in the layout of Curator', async () => {
    const path = await clients.folder();
    const generator = new IdGenerator(clients.zk, path, { blockSize: 10, as: 'bigint' });
    const ids = await Promise.all(Array.from({ length: 10 }, () => generator.next()));
    expect(ids).toEqual(Array.from({ length: 10 }, (_, index) => BigInt(index + 1)));
    expect((await clients.zk.getData(path)).data.toString('hex')).toBe('000000000000000a');
    expect((await clients.zk.getData(path)).stat.version).toBe(1);
    expect(await generator.next()).toBe(11n);
    expect(await new Counter(clients.zk, path).get()).toBe(20);
  });

  it('refuses numbers that do not fit into their type, and ends with the range', async () => {
    const path = await clients.folder();
    await new Counter(clients.zk, path, { as: 'bigint' }).set(2n ** 53n - 2n);
    const generator = new IdGenerator(clients.zk, path, { blockSize: 5 });
    expect(await generator.next()).toBe(Number.MAX_SAFE_INTEGER);
    await expect(generator.next()).rejects.toThrow(CounterOverflowError);
    await new Counter(clients.zk, path, { as: 'bigint' }).set(2n ** 63n - 2n);
    const last = new IdGenerator(clients.zk, path, { blockSize: 1, as: 'bigint' });
    expect(await last.next()).toBe(2n ** 63n - 1n);
    await expect(last.next()).rejects.toThrow(CounterOverflowError);
  });

  test('checks its arguments', () => {
    for (const options of [{ blockSize: 0 }, { blockSize: 1.5 }, { as: 'text' }, { block: 1 }])
      expect(() => new IdGenerator(clients.zk, '/a', options as never)).toThrow(InvalidArgumentError);
  });
});

/** Resolves when the client watches so many ids for one to be free. */
async function watching(zk: ZooKeeper, path: string, count: number): Promise<void> {
  const isOfIds = ({ path: watched, kind }: WatchedPath): boolean =>
    watched.startsWith(`${path}/`) && kind === 'children';
  await until(() => zk.watches().filter(isOfIds).length === count, { what: 'the watches' });
}

describe('worker ids', () => {
  it('are held by one at a time, and all are given out', async () => {
    const path = `${await clients.folder()}/a/workers`;
    const zks = [clients.zk, await clients.another()];
    const workers = await Promise.all(
      Array.from({ length: 8 }, (_, index) => new WorkerIds(zks[index % 2]!, path, { count: 8, data: 'me' }).acquire()),
    );
    expect(workers.map(({ id }) => id).sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(workers.every(({ held }) => held)).toBe(true);
    const pool = new WorkerIds(clients.zk, path, { count: 8 });
    expect(await pool.held()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect((await clients.zk.getData(workers[0]!.path)).text()).toBe('me');
    await expect(pool.acquire({ timeout: 100 })).rejects.toThrow(OperationTimeoutError);
    const waiting = pool.acquire();
    await watching(clients.zk, path, 8);
    await workers[3]!.release();
    const next = await within(waiting, { what: 'the id' });
    expect([next.id, workers[3]!.held]).toEqual([workers[3]!.id, false]);
    expect(next.fencingToken.greaterThan(workers[3]!.fencingToken)).toBe(true);
    await Promise.all([next, ...workers].map((worker) => worker.release()));
    expect(await pool.held()).toEqual([]);
  });

  it('are free again when the session of their holder has ended', async () => {
    const path = await clients.folder();
    const zk = await clients.another();
    const worker = await new WorkerIds(zk, path, { count: 1 }).acquire();
    const waiting = new WorkerIds(clients.zk, path, { count: 1 }).acquire();
    await watching(clients.zk, path, 1);
    await zk.close();
    expect(worker.held).toBe(false);
    const next = await within(waiting, { what: 'the id' });
    expect(next.id).toBe(0);
    await next.release();
  });

  it('are lost when somebody deletes the znode', async () => {
    await using worker = await new WorkerIds(clients.zk, await clients.folder()).acquire();
    await clients.zk.delete(worker.path);
    await until(() => !worker.held && worker.signal.aborted, { what: 'the loss' });
  });

  test('check their arguments', () => {
    expect(() => new WorkerIds(clients.zk, 'x')).toThrow();
    for (const options of [{ count: 0 }, { count: 1.5 }, { size: 4 }, { margin: -1 }])
      expect(() => new WorkerIds(clients.zk, '/a', options as never)).toThrow(InvalidArgumentError);
  });
});

describe('snowflake ids', () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  async function workerOf(zk: ZooKeeper = clients.zk): Promise<WorkerId> {
    return new WorkerIds(zk, await clients.folder()).acquire();
  }

  /** Ids whose clock is set by the test, from now on. */
  async function startClock(
    options: SnowflakeOptions = {},
  ): Promise<{ ids: Snowflake; worker: WorkerId; set(time: number): void; begin: number }> {
    const worker = await workerOf();
    const ids = await Snowflake.open(worker, { maxClockSkew: 500, ...options });
    const begin = Date.now();
    let time = begin;
    jest.spyOn(Date, 'now').mockImplementation(() => time);
    return { ids, worker, begin, set: (next) => (time = next) };
  }

  it('grow, with the worker id and the time in them', async () => {
    const { ids, worker, set, begin } = await startClock({ epoch: 1_000_000 });
    const first = ids.next();
    expect([(first >> 12n) & 1023n, first >> 22n]).toEqual([BigInt(worker.id), BigInt(begin - 1_000_000)]);
    set(begin + 3);
    const all = [first, ...Array.from({ length: 1_000 }, () => ids.next())];
    expect(all.every((id, index) => index === 0 || id > all[index - 1]!)).toBe(true);
    expect(all[1]! >> 22n).toBe(BigInt(begin + 3 - 1_000_000));
    await worker.release();
  });

  it('run ahead of the clock a little where a millisecond is full, and then refuse', async () => {
    const { ids, worker, set, begin } = await startClock({ sequenceBits: 2, maxLead: 2 });
    const all = Array.from({ length: 12 }, () => ids.next());
    expect(new Set(all).size).toBe(12);
    expect(() => ids.next()).toThrow(IdRefusedError);
    set(begin + 1);
    const next = ids.next();
    expect(next > all[11]!).toBe(true);
    await worker.release();
  });

  it('refuse when the clock is set back, and go on when it has come up', async () => {
    const { ids, worker, set, begin } = await startClock({ maxLead: 100 });
    const before = ids.next();
    set(begin - 50);
    const between = ids.next();
    set(begin - 101);
    expect(() => ids.next()).toThrow(expect.objectContaining({ code: 'ID_REFUSED', reason: 'clockBack' }));
    set(begin + 10);
    expect([before < between, between < ids.next()]).toEqual([true, true]);
    await worker.release();
  });

  it('refuse when the clock is set ahead, and when the worker id is lost', async () => {
    const { ids, worker, set, begin } = await startClock();
    set(begin + 60_000);
    expect(() => ids.next()).toThrow(expect.objectContaining({ reason: 'clockAhead' }));
    set(begin);
    ids.next();
    await worker.release();
    expect(() => ids.next()).toThrow(expect.objectContaining({ reason: 'leaseLost' }));
  });

  it('begin later than those of an earlier holder can have ended', async () => {
    const pool = new WorkerIds(clients.zk, await clients.folder(), { count: 1 });
    const settings = { maxClockSkew: 300, maxLead: 50 };
    const first = await pool.acquire();
    const ids = await Snowflake.open(first, settings);
    const last = ids.next();
    await first.release();
    const second = await pool.acquire();
    const later = (await Snowflake.open(second, settings)).next();
    expect((later >> 22n) - (last >> 22n)).toBeGreaterThanOrEqual(350n);
    await second.release();
  });

  it('refuse a clock that differs from that of the server', async () => {
    for (const [skew, reason] of [
      [5_000, 'clockAhead'],
      [-5_000, 'clockBack'],
    ] as const) {
      const now = Date.now.bind(Date);
      jest.spyOn(Date, 'now').mockImplementation(() => now() + skew);
      const worker = await workerOf();
      expect(await failureOf(Snowflake.open(worker))).toMatchObject({ code: 'ID_REFUSED', reason });
      jest.restoreAllMocks();
      await worker.release();
    }
  });

  it('are made by one generator for each worker id, and their settings are checked', async () => {
    const worker = await workerOf();
    const settings = { maxClockSkew: 200, maxLead: 0 };
    for (const bad of [{ epoch: -1 }, { workerBits: 0 }, { sequenceBits: 23 }, { maxLead: 0.5 }, { worker: 1 }])
      expect(await failureOf(Snowflake.open(worker, { ...settings, ...bad }))).toBeInstanceOf(InvalidArgumentError);
    const ended = failureOf(Snowflake.open(worker, { maxClockSkew: 5_000, timeout: 20 }));
    expect(await ended).toBeInstanceOf(OperationTimeoutError);
    const ids = await Snowflake.open(worker, settings);
    expect(await failureOf(Snowflake.open(worker, settings))).toBeInstanceOf(InvalidArgumentError);
    expect(ids.worker).toBe(worker);
    await worker.release();
  });

  it('refuse a worker id that does not fit, and a time before the epoch', async () => {
    const pool = new WorkerIds(clients.zk, await clients.folder(), { count: 3 });
    const workers = await Promise.all([pool.acquire(), pool.acquire(), pool.acquire()]);
    const settings = { maxClockSkew: 200, maxLead: 0, workerBits: 1 };
    const [zero, two] = [workers.find(({ id }) => id === 0)!, workers.find(({ id }) => id === 2)!];
    expect(await failureOf(Snowflake.open(two, settings))).toBeInstanceOf(InvalidArgumentError);
    const ids = await Snowflake.open(zero, { ...settings, epoch: 9e15 });
    expect(() => ids.next()).toThrow(expect.objectContaining({ reason: 'outOfRange' }));
    await Promise.all(workers.map((worker) => worker.release()));
  });
});
