import { hostname } from 'node:os';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { InvalidArgumentError, InvalidPathError } from 'zookit';
import { InvalidLeaseError, Lease, LeaseTerm, MultiLease } from 'zookit/recipes';
import { until } from '../../support/until.js';
import { failureOf, useClients } from '../clients.js';

const clients = useClients();
const MINUTE = 60_000;

afterEach(() => {
  jest.restoreAllMocks();
});

/** Sets the clock of this machine forward. */
function later(milliseconds: number): void {
  const now = Date.now() + milliseconds;
  jest.spyOn(Date, 'now').mockReturnValue(now);
}

const lease = (path: string, holder: string, zk = clients.zk): Lease =>
  new Lease(zk, path, { duration: MINUTE, holder });

describe('a lease', () => {
  it('is had by one holder until its end, as kazoo writes it', async () => {
    const path = `${await clients.folder()}/a`;
    const term = await lease(path, 'host-1').tryAcquire();
    expect(term).toBeInstanceOf(LeaseTerm);
    expect([term?.held, term?.holder, term?.path]).toEqual([true, 'host-1', `${path}/lease_holder`]);
    const node = await clients.zk.getData(`${path}/lease_holder`);
    expect(node.text()).toMatch(/^\{"version":1,"holder":"host-1","end":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"\}$/);
    expect([node.stat.ephemeralOwner.isZero(), node.stat.czxid]).toEqual([true, term?.fencingToken]);
    const limits = { duration: MINUTE, holder: 'host-2', clockSkew: 10 * MINUTE };
    const other = new Lease(await clients.another(), path, limits);
    expect(await other.tryAcquire()).toBeUndefined();
    expect(await other.current()).toMatchObject({ holder: 'host-1', hasEnded: false });
    later(MINUTE + 1_000);
    expect([term?.held, await other.current()]).toEqual([false, expect.objectContaining({ hasEnded: true })]);
    // Its clock may be ahead.
    expect(await other.tryAcquire()).toBeUndefined();
    later(10 * MINUTE);
    const next = await other.tryAcquire();
    expect([next?.holder, next?.fencingToken.greaterThan(term!.fencingToken)]).toEqual(['host-2', true]);
  });

  it('is taken up again by its holder, with a new term: a twin of it has lost its own', async () => {
    const path = await clients.folder();
    const twin = await lease(path, 'host-1').tryAcquire();
    const term = await lease(path, 'host-1', await clients.another()).tryAcquire();
    expect(term?.fencingToken.greaterThan(twin!.fencingToken)).toBe(true);
    expect(await failureOf(twin!.renew())).toMatchObject({ code: 'LEASE_LOST' });
    await twin?.release();
    expect(await lease(path, 'host-2').current()).toMatchObject({ holder: 'host-1', hasEnded: false });
    await term?.release();
    expect(await lease(path, 'host-2').current()).toBeUndefined();
  });

  it('outlasts the session of its holder', async () => {
    const path = await clients.folder();
    const zk = await clients.another();
    const term = await lease(path, 'host-1', zk).tryAcquire();
    await zk.close();
    expect([term?.held, await lease(path, 'host-2').tryAcquire()]).toEqual([true, undefined]);
  });

  it('is renewed by its term, which keeps its token', async () => {
    const path = await clients.folder();
    const term = (await lease(path, 'host-1').tryAcquire())!;
    const { end, fencingToken } = term;
    later(30_000);
    await term.renew();
    expect([term.end - end >= 30_000, term.fencingToken]).toEqual([true, fencingToken]);
    const { holder, end: written } = (await lease(path, 'host-2').current())!;
    expect([holder, written >= term.end]).toEqual(['host-1', true]);
    later(MINUTE);
    expect(await failureOf(term.renew())).toMatchObject({ code: 'LEASE_LOST' });
  });

  it('is given back early by release, and by await using', async () => {
    const path = await clients.folder();
    {
      await using term = await lease(path, 'host-1').tryAcquire();
      expect(term?.held).toBe(true);
    }
    const next = await lease(path, 'host-2').tryAcquire();
    await next?.release();
    expect(next?.held).toBe(false);
    await until(async () => (await clients.zk.getChildren(path)).length === 0, { what: 'an empty folder' });
  });

  it('waits for contenders of kazoo, and goes on when these are gone', async () => {
    const path = await clients.folder();
    const other = await clients.another();
    const lock = await other.create(`${path}/00ff__lock__`, null, { mode: 'ephemeralSequential' });
    const asking = lease(path, 'host-1').tryAcquire();
    const names = await until(
      async () => {
        const children = await other.getChildren(path);
        return children.length === 2 && children;
      },
      { what: 'two in line' },
    );
    expect(names.some((name) => /^_c_.*-__lock__\d{10}$/.test(name))).toBe(true);
    // As kazoo does it, with its spaces.
    await other.create(`${path}/lease_holder`, '{"version": 1, "holder": "py", "end": "2999-01-01T00:00:00"}');
    await other.delete(lock.path);
    expect(await asking).toBeUndefined();
    expect(await failureOf(lease(path, 'host-1').tryAcquire({ signal: AbortSignal.abort() }))).toMatchObject({
      code: 'ABORTED',
    });
  });

  it('one of many who ask at once gets it', async () => {
    const path = await clients.folder();
    const zks = [clients.zk, await clients.another(), await clients.another()];
    const terms = await Promise.all(
      Array.from({ length: 9 }, (_, index) => lease(path, `host-${index}`, zks[index % 3]).tryAcquire()),
    );
    expect(terms.filter((term) => term !== undefined)).toHaveLength(1);
  });

  it('is no lease where something else is written', async () => {
    const path = await clients.folder();
    await clients.zk.create(`${path}/lease_holder`, '{"version": 2, "holder": "a", "end": "2999-01-01T00:00:00"}');
    expect(await failureOf(lease(path, 'a').tryAcquire())).toBeInstanceOf(InvalidLeaseError);
    expect(await failureOf(lease(path, 'a').current())).toMatchObject({
      code: 'INVALID_LEASE',
      path: `${path}/lease_holder`,
    });
  });

  it('is named after the host unless told otherwise; refuses what it cannot understand', () => {
    expect(new Lease(clients.zk, '/a', { duration: 1_000 }).holder).toBe(hostname());
    const make = (path: string, options: object) => () => new Lease(clients.zk, path, options as { duration: number });
    expect(make('a', { duration: 1_000 })).toThrow(InvalidPathError);
    expect(make('/a', {})).toThrow('the duration is undefined; it must be milliseconds, 1000 or more');
    expect(make('/a', { duration: 999 })).toThrow(InvalidArgumentError);
    expect(make('/a', { duration: 1_000, holder: '' })).toThrow('the holder must be a text');
    expect(make('/a', { duration: 1_000, clockSkew: -1 })).toThrow('the clockSkew is -1');
    expect(make('/a', { duration: 1_000, identifier: 'a' })).toThrow('there is no option "identifier"');
  });
});

describe('several leases', () => {
  it('are had by as many holders, each of which keeps its own', async () => {
    const path = await clients.folder();
    const of = (holder: string): MultiLease => new MultiLease(clients.zk, path, 2, { duration: MINUTE, holder });
    const [first, second] = [await of('host-1').tryAcquire(), await of('host-2').tryAcquire()];
    expect([first?.path, second?.path]).toEqual([`${path}/0/lease_holder`, `${path}/1/lease_holder`]);
    expect(await of('host-3').tryAcquire()).toBeUndefined();
    await first?.release();
    // The first is free now, but it has the second.
    expect((await of('host-2').tryAcquire())?.path).toBe(second?.path);
    expect((await of('host-3').tryAcquire())?.path).toBe(first?.path);
    expect(() => new MultiLease(clients.zk, '/a', 0, { duration: MINUTE })).toThrow(InvalidArgumentError);
  });
});
