import { describe, expect, it, test } from '@jest/globals';
import { AbortedError, InvalidArgumentError, OperationTimeoutError } from 'zookit';
import { DoubleBarrier } from 'zookit/recipes';
import { sharedServer } from '../../support/shared.js';
import { until, within } from '../../support/until.js';
import { watchedPaths } from '../../support/watches.js';
import { useClients } from '../clients.js';

const clients = useClients();

/** So many participants, each with a client of its own. */
async function participants(path: string, of: number, count = of): Promise<DoubleBarrier[]> {
  const zks = await Promise.all(Array.from({ length: of }, () => clients.another()));
  return zks.map((zk) => new DoubleBarrier(zk, path, count));
}

async function children(path: string): Promise<string[]> {
  return (await clients.zk.getChildren(path)).sort();
}

describe('enter', () => {
  it('lets all begin when the last one has come, with the znodes of Curator', async () => {
    const path = `${await clients.folder()}/a/b`;
    const all = await participants(path, 3);
    let entered = 0;
    const entering = all.slice(0, 2).map((each) => each.enter().then(() => entered++));
    const members = await until(async () => (await children(path)).length === 2 && children(path), { what: 'two' });
    for (const name of members) {
      expect(name).toMatch(/^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/);
      expect((await clients.zk.exists(`${path}/${name}`))?.ephemeralOwner.isZero()).toBe(false);
    }
    expect(entered).toBe(0);
    await all[2]!.enter();
    await within(Promise.all(entering), { what: 'the others' });
    expect((await clients.zk.exists(`${path}/ready`))?.ephemeralOwner.isZero()).toBe(true);
    await Promise.all(all.map((each) => each.leave()));
    expect(await children(path)).toEqual([]);
    expect(await watchedPaths(sharedServer(), clients.chroot + path)).toEqual([]);
  });

  it('lets more come than it needs', async () => {
    const path = await clients.folder();
    const all = await participants(path, 5, 3);
    await within(Promise.all(all.map((each) => each.enter())), { what: 'all to enter' });
    expect(await children(path)).toHaveLength(6);
    await within(Promise.all(all.map((each) => each.leave())), { what: 'all to leave' });
    expect(await children(path)).toEqual([]);
  });

  it.each(['timeout', 'signal'])('K7: who gives up by its %s counts no more', async (how) => {
    const path = await clients.folder();
    const [loser, ...others] = await participants(path, 4, 3);
    const giveUp = how === 'timeout' ? { timeout: 50 } : { signal: AbortSignal.timeout(50) };
    const losing = loser!.enter(giveUp);
    await expect(losing).rejects.toThrow(how === 'timeout' ? OperationTimeoutError : AbortedError);
    expect(await children(path)).toEqual([]);
    let entered = 0;
    const entering = others.slice(0, 2).map((each) => each.enter().then(() => entered++));
    await until(async () => (await children(path)).length === 2, { what: 'two' });
    expect(entered).toBe(0);
    await others[2]!.enter();
    await Promise.all(entering);
    await Promise.all(others.map((each) => each.leave()));
  });

  it('that is given up at any moment leaves no member, also where the parents had to be made', async () => {
    const zk = await clients.another();
    for (let round = 0; round < 20; round++) {
      const path = `${await clients.folder()}/a/b`;
      const stop = new AbortController();
      const entering = new DoubleBarrier(zk, path, 2).enter({ signal: stop.signal });
      for (let turn = 0; turn < round; turn++) await (turn % 2 === 0 ? zk.exists('/') : Promise.resolve());
      stop.abort();
      await expect(entering).rejects.toThrow(AbortedError);
      await zk.sync('/');
      if (await zk.has(path)) expect(await zk.getChildren(path)).toEqual([]);
    }
  });

  it('that is given up between two steps leaves no member', async () => {
    const zk = await clients.another();
    for (let depth = 0; depth < 30; depth++) {
      const path = await clients.folder();
      const stop = new AbortController();
      // Its answer comes in one packet with that to the first step.
      const marker = zk.exists('/');
      const entering = new DoubleBarrier(zk, path, 2).enter({ signal: stop.signal });
      await marker;
      for (let turn = 0; turn < depth; turn++) await Promise.resolve();
      stop.abort();
      await expect(entering).rejects.toThrow(AbortedError);
      await zk.sync('/');
      expect(await zk.getChildren(path)).toEqual([]);
    }
  });

  it('goes through at once for who comes late, while others are inside', async () => {
    const path = await clients.folder();
    const dying = await clients.another();
    const [one, late] = await participants(path, 2, 3);
    const others = [new DoubleBarrier(dying, path, 3), new DoubleBarrier(dying, path, 3)];
    await Promise.all([one!, ...others].map((each) => each.enter()));
    await dying.close();
    // They are two now, of three; but the round has begun.
    await within(late!.enter(), { what: 'it to enter' });
    expect(await children(path)).toHaveLength(3);
    await within(Promise.all([one!, late!].map((each) => each.leave())), { what: 'all to leave' });
    expect(await children(path)).toEqual([]);
  });

  it('takes no notice of a `ready` that has outlived its round, and needs all of them', async () => {
    for (let round = 0; round < 10; round++) {
      const path = await clients.folder();
      await clients.zk.create(`${path}/ready`);
      const all = await participants(path, 3);
      let entered = 0;
      const entering = all.slice(0, 2).map((each) => each.enter().then(() => entered++));
      await until(async () => (await children(path)).length === 2, { what: 'two, and no `ready`' });
      await clients.zk.sync('/');
      expect(entered).toBe(0);
      await within(Promise.all([all[2]!.enter(), ...entering]), { what: 'all to enter' });
      await within(Promise.all(all.map((each) => each.leave())), { what: 'all to leave' });
      expect(await children(path)).toEqual([]);
    }
  });

  it('tells who takes part, and whether it does itself', async () => {
    const path = await clients.folder();
    const zk = await clients.another();
    const anna = new DoubleBarrier(clients.zk, path, 2, { id: 'anna' });
    const ben = new DoubleBarrier(zk, path, 2, { id: 'ben' });
    expect(await anna.participants()).toEqual([]);
    const entering = anna.enter();
    await until(async () => (await ben.participants()).length === 1, { what: 'anna' });
    expect(anna.participating).toBe(false);
    await Promise.all([entering, ben.enter()]);
    expect([anna.participating, ben.participating]).toEqual([true, true]);
    const members = await anna.participants();
    expect(members.map(({ id }) => id).sort()).toEqual(['anna', 'ben']);
    for (const each of members) expect((await clients.zk.getData(each.path)).text()).toBe(each.id);
    await zk.close();
    expect([anna.participating, ben.participating]).toEqual([true, false]);
    await anna.leave();
    expect(anna.participating).toBe(false);
  });

  it('has not entered when it was given up', async () => {
    const barrier = new DoubleBarrier(clients.zk, await clients.folder(), 2);
    await expect(barrier.enter({ timeout: 30 })).rejects.toThrow(OperationTimeoutError);
    expect(barrier.participating).toBe(false);
  });

  it('replaces a member of its name that is of another session', async () => {
    const path = await clients.folder();
    const [one] = await participants(path, 1, 1);
    await one!.enter();
    const name = (await children(path)).find((child) => child !== 'ready')!;
    await one!.leave();
    await clients.zk.create(`${path}/${name}`, null, { mode: 'ephemeral' });
    await one!.enter();
    expect((await clients.zk.exists(`${path}/${name}`))?.ephemeralOwner).not.toEqual(clients.zk.session.id);
    await one!.leave();
  });

  it('is told also where the first to leave has taken `ready` away, as kazoo does', async () => {
    const path = await clients.folder();
    const [one] = await participants(path, 1, 2);
    const entering = one!.enter();
    await until(async () => (await children(path)).length === 1, { what: 'a member' });
    await clients.zk.transaction().create(`${path}/ready`).delete(`${path}/ready`).commit();
    await within(entering, { what: 'it to enter' });
    await one!.leave();
    expect(await children(path)).toEqual([]);
  });

  it('can be done again after leaving', async () => {
    const path = await clients.folder();
    const all = await participants(path, 2);
    for (let round = 0; round < 5; round++) {
      await within(Promise.all(all.map((each) => each.enter())), { what: 'both to enter' });
      await within(Promise.all(all.map((each) => each.leave())), { what: 'both to leave' });
    }
    expect(await children(path)).toEqual([]);
  });
});

describe('leave', () => {
  it('lets nobody go before the last one leaves; the lowest goes last', async () => {
    const path = await clients.folder();
    const all = await participants(path, 3);
    await Promise.all(all.map((each) => each.enter()));
    const [lowest, ...higher] = (await children(path)).filter((name) => name !== 'ready');
    let left = 0;
    const leaving = all.slice(0, 2).map((each) => each.leave().then(() => left++));
    const staying = await until(
      async () => {
        const names = await children(path);
        // Of those who leave, all but the lowest have deleted their znodes.
        return names.length < 4 && names;
      },
      { what: 'a member to go' },
    );
    expect(staying).toContain(lowest);
    expect([left, higher.length]).toEqual([0, 2]);
    await all[2]!.leave();
    await within(Promise.all(leaving), { what: 'all to go' });
    expect(await children(path)).toEqual([]);
  });

  it('that is given up ends the own membership, and the others can go', async () => {
    const path = await clients.folder();
    const [one, two] = await participants(path, 2);
    await Promise.all([one!.enter(), two!.enter()]);
    await expect(one!.leave({ timeout: 50 })).rejects.toThrow(OperationTimeoutError);
    expect(await children(path)).toHaveLength(2);
    await within(two!.leave(), { what: 'the other one' });
    expect(await children(path)).toEqual([]);
  });

  it('goes on when one is gone that was waited for', async () => {
    const path = await clients.folder();
    const zk = await clients.another();
    const [dying, staying] = [new DoubleBarrier(zk, path, 2), new DoubleBarrier(clients.zk, path, 2)];
    await Promise.all([dying.enter(), staying.enter()]);
    const leaving = staying.leave();
    await zk.close();
    await within(leaving, { what: 'the other one' });
    expect(await children(path)).toEqual([]);
  });

  it('without entering is done at once where nobody is', async () => {
    await new DoubleBarrier(clients.zk, '/nowhere', 2).leave();
  });
});

test.each([0, -1, 1.5, NaN])('a count of %p is refused', (count) => {
  expect(() => new DoubleBarrier(clients.zk, '/barrier', count)).toThrow(InvalidArgumentError);
  expect(() => new DoubleBarrier(clients.zk, '/barrier', 2, { identifier: 'a' } as never)).toThrow(
    InvalidArgumentError,
  );
});
