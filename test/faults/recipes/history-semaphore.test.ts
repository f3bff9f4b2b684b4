import { expect, it } from '@jest/globals';
import { OperationTimeoutError } from 'zookit';
import { Semaphore } from 'zookit/recipes';
import { findOverlaps } from '../../support/histories/holds.js';
import { until } from '../../support/until.js';
import { Arena, type Player, seeds } from './arena.js';

const path = '/semaphore';
const LEASES = 3;

it.each(seeds())(
  'K1: never more holders than leases, and in the end all of them can be taken: seed %d',
  async (seed) => {
    await using arena = await Arena.start(seed, 6);
    /** Takes leases in one of the ways there are; undefined if they were not to be had in time. */
    const take = async ({ zk }: Player, count: number) => {
      const semaphore = new Semaphore(zk, path, LEASES);
      const way = arena.random();
      if (way < 0.1) return semaphore.tryAcquire({ count });
      if (way > 0.3) return semaphore.acquire({ count });
      return semaphore.acquire({ count, timeout: 40 }).catch((error: unknown) => {
        if (error instanceof OperationTimeoutError) return undefined;
        throw error;
      });
    };
    await arena.play(async (player) => {
      const permits = arena.chance(0.7) ? 1 : 2;
      const leases = await take(player, permits);
      if (leases === undefined) return;
      const end = arena.holds.took(player.name, leases, { permits });
      await arena.linger(15);
      end();
      await leases.release();
    });
    const { holds } = arena.holds;
    expect(holds.length).toBeGreaterThan(20);
    expect(findOverlaps(holds, LEASES)).toEqual([]);
    const [{ zk }] = arena.players as [Player];
    const all = await new Semaphore(zk, path, LEASES).acquire({ count: LEASES, timeout: 30_000 });
    expect(all.held).toBe(true);
    await all.release();
    await until(async () => (await arena.observer.getChildren(`${path}/leases`)).length === 0, {
      what: 'all leases to be gone',
    });
  },
  180_000,
);
