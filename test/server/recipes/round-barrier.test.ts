import { describe, expect, it, test } from '@jest/globals';
import { InvalidArgumentError, InvalidPathError, OperationTimeoutError, type ZooKeeper } from 'zookit';
import { InvalidBarrierError, NotAMemberError, RoundBarrier, type RoundMember } from 'zookit/recipes';
import { knows } from '../../support/features.js';
import { sharedServer } from '../../support/shared.js';
import { until, within } from '../../support/until.js';
import { watchedPaths } from '../../support/watches.js';
import { failureOf, useClients } from '../clients.js';

const clients = useClients();

/** So many members, each with a client of its own. */
async function join(
  path: string,
  count: number,
): Promise<{ readonly zks: ZooKeeper[]; readonly members: RoundMember[] }> {
  const zks = await Promise.all(Array.from({ length: count }, () => clients.another()));
  const members = await Promise.all(zks.map((zk, index) => new RoundBarrier(zk, path).join({ id: `m${index}` })));
  return { zks, members };
}

function all(members: readonly RoundMember[]): Promise<number[]> {
  return within(Promise.all(members.map((each) => each.arrive())), { what: 'the round' });
}

describe('rounds', () => {
  it('are over when all have arrived, one after the other, with growing numbers', async () => {
    const path = `${await clients.folder()}/a/rounds`;
    const barrier = new RoundBarrier(clients.zk, path);
    expect([await barrier.round(), await barrier.participants()]).toEqual([undefined, []]);
    const { members } = await join(path, 4);
    for (let round = 1; round <= 6; round++) {
      let over = 0;
      const early = members.slice(0, 3).map((each) => each.arrive().then((next) => (over++, next)));
      await until(async () => (await barrier.participants()).filter(({ hasArrived }) => hasArrived).length === 3, {
        what: 'three to arrive',
      });
      expect([over, await barrier.round()]).toEqual([0, round]);
      expect(await all(members.slice(3))).toEqual([round + 1]);
      expect(await within(Promise.all(early), { what: 'the others' })).toEqual([round + 1, round + 1, round + 1]);
      expect(members.map((each) => each.round)).toEqual(members.map(() => round + 1));
    }
    expect((await barrier.participants()).map(({ id }) => id).sort()).toEqual(['m0', 'm1', 'm2', 'm3']);
    await Promise.all(members.map((each) => each.leave()));
    await clients.zk.sync('/');
    expect([await clients.zk.getChildren(path), await barrier.round()]).toEqual([[], 7]);
    // An older server keeps watches until they tell.
    if (knows('removeWatches')) expect(await watchedPaths(sharedServer(), clients.chroot + path)).toEqual([]);
  });

  it('are over for all of many members at once, again and again', async () => {
    const path = await rounds();
    const { members } = await join(path, 6);
    const seen = await Promise.all(
      members.map(async (each) => {
        const numbers: number[] = [];
        for (let round = 0; round < 8; round++) numbers.push(await within(each.arrive(), { what: 'the round' }));
        return numbers;
      }),
    );
    for (const numbers of seen) expect(numbers).toEqual([2, 3, 4, 5, 6, 7, 8, 9]);
    await Promise.all(members.map((each) => each.leave()));
  });

  it('wait for who joins in them, and no more for who leaves', async () => {
    const path = await rounds();
    const { zks, members } = await join(path, 2);
    let over = 0;
    const first = members[0]!.arrive().then((next) => (over++, next));
    const late = await new RoundBarrier(zks[1]!, path).join();
    expect(late.round).toBe(1);
    await members[1]!.leave();
    await clients.zk.sync('/');
    expect(over).toBe(0);
    expect(await all([late])).toEqual([2]);
    expect(await within(first, { what: 'the round' })).toBe(2);
    expect(await failureOf(members[1]!.arrive())).toBeInstanceOf(NotAMemberError);
    await Promise.all([late, members[0]!].map((each) => each.leave()));
  });

  it('go on without a member whose session has ended, whichever it is', async () => {
    for (let dying = 0; dying < 3; dying++) {
      const path = await rounds();
      const { zks, members } = await join(path, 3);
      const others = members.filter((_, index) => index !== dying);
      const arriving = others.map((each) => each.arrive());
      await until(
        async () =>
          (await new RoundBarrier(clients.zk, path).participants()).filter(({ hasArrived }) => hasArrived).length === 2,
        { what: 'two' },
      );
      await zks[dying]!.close();
      expect(await within(Promise.all(arriving), { what: 'the round' })).toEqual([2, 2]);
      // Also where it had arrived, and the others watched it.
      const last = all(others.slice(1));
      await until(
        async () => (await new RoundBarrier(clients.zk, path).participants()).some(({ hasArrived }) => hasArrived),
        { what: 'one' },
      );
      await others[0]!.leave();
      expect(await last).toEqual([3]);
      await others[1]!.leave();
    }
  });

  it('are over also where the one who watched the others is gone, and then the one who was missing', async () => {
    const path = await rounds();
    const barrier = new RoundBarrier(clients.zk, path);
    const { zks, members } = await join(path, 3);
    // In the order that decides who watches whom.
    const order = (await barrier.participants()).map(({ id }) => Number(id.slice(1)));
    const [first, second, third] = order.map((index) => ({ zk: zks[index]!, member: members[index]! }));
    const failing = failureOf(first!.member.arrive());
    const arriving = second!.member.arrive();
    await until(async () => (await barrier.participants()).filter(({ hasArrived }) => hasArrived).length === 2, {
      what: 'two to arrive',
    });
    const watches = (): number => second!.zk.watches().filter((watch) => watch.path.startsWith(path)).length;
    await until(() => watches() === 2, { what: 'it to watch' });
    await first!.zk.close();
    await third!.zk.close();
    expect(await within(arriving, { what: 'the round' })).toBe(2);
    await failing;
    await second!.member.leave();
  });

  it('are not over before the least number has arrived', async () => {
    const path = await rounds();
    const barrier = new RoundBarrier(clients.zk, path, { least: 2 });
    await using one = await barrier.join();
    expect(await failureOf(one.arrive({ timeout: 50 }))).toBeInstanceOf(OperationTimeoutError);
    const arriving = one.arrive();
    await using two = await barrier.join();
    expect(await all([two])).toEqual([2]);
    expect(await within(arriving, { what: 'the round' })).toBe(2);
  });

  it('can be arrived in, given up, and waited for again', async () => {
    const path = await rounds();
    const { members } = await join(path, 2);
    expect(await failureOf(members[0]!.arrive({ timeout: 50 }))).toBeInstanceOf(OperationTimeoutError);
    expect(await all([members[1]!])).toEqual([2]);
    expect([members[0]!.round, await members[0]!.arrive(), members[0]!.round]).toEqual([1, 2, 2]);
    await Promise.all(members.map((each) => each.leave()));
  });

  it('end for a member whose znode somebody deletes, and while it leaves', async () => {
    const path = await rounds();
    const { members } = await join(path, 2);
    const arriving = failureOf(members[0]!.arrive());
    await until(async () => (await clients.zk.getChildren(path)).some((name) => name.endsWith('-1')), {
      what: 'it to arrive',
    });
    await members[0]!.leave();
    const again = all([members[1]!]);
    expect(await again).toEqual([2]);
    expect(await within(arriving, { what: 'the error' })).toMatchObject({ code: 'NOT_A_MEMBER', path });
    for (const name of await clients.zk.getChildren(path)) await clients.zk.delete(`${path}/${name}`);
    expect(await failureOf(members[1]!.arrive())).toMatchObject({ code: 'NOT_A_MEMBER' });
    await members[1]!.leave();
  });

  it('leave no member behind when joining is given up at any moment', async () => {
    const zk = await clients.another();
    for (let round = 0; round < 20; round++) {
      const path = await rounds();
      const stop = new AbortController();
      const joining = new RoundBarrier(zk, path).join({ signal: stop.signal });
      for (let turn = 0; turn < round; turn++) await (turn % 2 === 0 ? zk.exists('/') : Promise.resolve());
      stop.abort();
      const outcome = await joining.catch(() => undefined);
      await outcome?.leave();
      await zk.sync('/');
      if (await zk.has(path)) expect(await zk.getChildren(path)).toEqual([]);
    }
  });
});

async function rounds(): Promise<string> {
  return `${await clients.folder()}/rounds`;
}

test('foreign children are passed over, and foreign data are an error', async () => {
  const path = await rounds();
  const { members } = await join(path, 1);
  await clients.zk.create(`${path}/foreign`);
  expect(await all(members)).toEqual([2]);
  await clients.zk.setData(path, 'x');
  expect(await failureOf(members[0]!.arrive())).toBeInstanceOf(InvalidBarrierError);
  expect(await failureOf(new RoundBarrier(clients.zk, path).join())).toBeInstanceOf(InvalidBarrierError);
  await members[0]!.leave();
  expect(await clients.zk.getChildren(path)).toEqual(['foreign']);
});

test('arguments are checked', async () => {
  expect(() => new RoundBarrier(clients.zk, 'x')).toThrow(InvalidPathError);
  for (const options of [{ least: 0 }, { least: 1.5 }, { parties: 3 }])
    expect(() => new RoundBarrier(clients.zk, '/a', options as never)).toThrow(InvalidArgumentError);
  expect(await failureOf(new RoundBarrier(clients.zk, '/a').join({ name: 'x' } as never))).toBeInstanceOf(
    InvalidArgumentError,
  );
});
