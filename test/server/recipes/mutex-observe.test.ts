import { describe, expect, it } from '@jest/globals';
import { InvalidArgumentError } from 'zookit';
import { type LockView, Mutex } from 'zookit/recipes';
import { until, within } from '../../support/until.js';
import { failureOf, useClients } from '../clients.js';

const clients = useClients();

async function lineOf(path: string, count: number): Promise<void> {
  await until(async () => (await clients.zk.getChildren(path)).length === count, { what: `a line of ${count}` });
}

/** The first view that is as it is waited for. */
async function viewOf(views: AsyncGenerator<LockView>, isRight: (view: LockView) => boolean): Promise<LockView> {
  const find = async (): Promise<LockView> => {
    for (;;) {
      const next = await views.next();
      if (next.done !== true && isRight(next.value)) return next.value;
    }
  };
  return within(find(), { what: 'the view' });
}

function ids({ holder, waiters }: LockView): (string | undefined)[] {
  return [holder?.id, ...waiters.map(({ id }) => id)];
}

describe('participants', () => {
  it('has all in order, and what they say of themselves', async () => {
    const path = await clients.folder();
    const other = await clients.another();
    const mutex = new Mutex(clients.zk, path);
    expect(await mutex.participants()).toEqual([]);
    const lock = await mutex.acquire({ data: 'first' });
    await clients.zk.create(`${path}/no-contender`);
    const waiting = new Mutex(other, path).acquire({ data: 'second' });
    await lineOf(path, 3);
    const { ctime } = (await clients.zk.exists(lock.path))!;
    const common = { isRevoked: false };
    expect(await mutex.participants()).toEqual([
      {
        id: 'first',
        path: lock.path,
        askedAt: ctime,
        session: clients.zk.session.id,
        isHolder: true,
        isOwn: true,
        ...common,
      },
      expect.objectContaining({ id: 'second', session: other.session.id, isHolder: false, isOwn: false, ...common }),
    ]);
    await mutex.revoke();
    expect(await mutex.participants()).toMatchObject([{ id: '', isRevoked: true }, { id: 'second' }]);
    await lock.release();
    await (await waiting).release();
    expect(await new Mutex(clients.zk, `${path}/nowhere`).participants()).toEqual([]);
  });
});

describe('observe', () => {
  it('tells who holds, since when, who waits in order, and my place', async () => {
    const path = `${await clients.folder()}/lock`;
    const [us, other] = [await clients.another(), await clients.another()];
    const views = new Mutex(us, path).observe();
    expect(await viewOf(views, () => true)).toEqual({
      holder: undefined,
      heldSince: undefined,
      waiters: [],
      place: undefined,
      stale: false,
    });

    const first = await new Mutex(other, path).acquire({ data: 'a' });
    const held = await viewOf(views, ({ holder }) => holder !== undefined);
    expect(held).toMatchObject({ holder: { path: first.path, id: 'a', isHolder: true }, waiters: [], stale: false });
    expect(Math.abs(held.heldSince! - Date.now())).toBeLessThan(60_000);

    const second = new Mutex(us, path).acquire({ data: 'b' });
    await lineOf(path, 2);
    const third = new Mutex(other, path).acquire({ data: 'c' });
    const three = await viewOf(views, ({ waiters }) => waiters.length === 2);
    expect([ids(three), three.place, three.heldSince]).toEqual([['a', 'b', 'c'], 1, held.heldSince]);

    await new Mutex(us, path).revoke();
    const revoked = await viewOf(views, ({ holder }) => holder?.isRevoked === true);
    expect(ids(revoked)).toEqual(['a', 'b', 'c']);

    await first.release();
    const handedOver = await viewOf(views, ({ holder }) => holder?.id === 'b');
    expect([ids(handedOver), handedOver.place]).toEqual([['b', 'c'], 0]);
    expect(handedOver.heldSince).toBeGreaterThanOrEqual(held.heldSince!);

    await (await second).release();
    await (await third).release();
    const free = await viewOf(views, ({ holder }) => holder === undefined);
    expect([free.heldSince, free.place]).toEqual([undefined, undefined]);
    await views.return();
  });

  it('leaves no watch behind, whoever holds when the loop is left', async () => {
    const observer = await clients.another();
    const path = `${await clients.folder()}/lock`;
    const watched = (): string[] => observer.watches().map((watch) => `${watch.kind} ${watch.path}`);
    const leave = async (isRight: (view: LockView) => boolean, watching: readonly string[]): Promise<void> => {
      const views = new Mutex(observer, path).observe();
      await viewOf(views, isRight);
      expect(watched().sort()).toEqual(watching);
      await views.return();
      expect(watched()).toEqual([]);
    };
    await leave(({ holder }) => holder === undefined, [`exists ${path}`]);
    const lock = await new Mutex(clients.zk, path).acquire();
    await leave(({ holder }) => holder !== undefined, [`children ${path}`, `data ${lock.path}`]);
    await lock.release();
    await leave(({ holder }) => holder === undefined, [`children ${path}`]);
  });

  it('knows of who held before only when that has asked', async () => {
    const path = await clients.folder();
    await using _ = await new Mutex(clients.zk, path).acquire();
    const views = new Mutex(clients.zk, path).observe();
    const { holder, heldSince, place } = await viewOf(views, () => true);
    expect([heldSince, place]).toEqual([holder?.askedAt, 0]);
    await views.return();
  });

  it('passes over what comes too fast, and never the last', async () => {
    const path = await clients.folder();
    const views = new Mutex(clients.zk, path).observe();
    await views.next();
    for (let round = 0; round < 20; round++) await new Mutex(clients.zk, path).using(() => undefined);
    await using lock = await new Mutex(clients.zk, path).acquire();
    expect((await viewOf(views, ({ holder }) => holder?.path === lock.path)).waiters).toEqual([]);
    await views.return();
  });

  it('ends with its signal, and with an error that does not pass', async () => {
    const stop = new AbortController();
    const views = new Mutex(clients.zk, await clients.folder()).observe({ signal: stop.signal });
    await views.next();
    const next = failureOf(views.next());
    stop.abort();
    expect(await next).toMatchObject({ code: 'ABORTED', operation: 'Mutex.observe' });
    expect(await views.next()).toEqual({ done: true, value: undefined });

    const zk = await clients.another();
    const ended = new Mutex(zk, await clients.folder()).observe();
    await ended.next();
    const failure = failureOf(ended.next().then(() => ended.next()));
    await zk.close();
    expect(await failure).toMatchObject({ code: 'CLOSED' });
    expect(() => new Mutex(zk, '/a').observe({ timeout: 5 } as object)).toThrow(InvalidArgumentError);
  });
});
