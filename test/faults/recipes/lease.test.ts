import { describe, expect, it } from '@jest/globals';
import { Lease, MultiLock, Mutex } from 'zookit/recipes';
import { type ProxyRequest } from '../../support/proxy.js';
import { until, within } from '../../support/until.js';
import { failureOf, op, startRig, SHORT } from '../rig.js';

const path = '/lease';
const isMulti = ({ opCode }: ProxyRequest): boolean => opCode === op.multi;

describe('a lease', () => {
  it.each(['request', 'reply'] as const)('is taken, and known, where the %s is lost', async (what) => {
    await using rig = await startRig();
    const lost = what === 'reply' ? rig.proxy.swallowNextReply(isMulti) : rig.proxy.swallowNextRequest(isMulti);
    const term = await new Lease(rig.zk, path, { duration: 60_000, holder: 'a' }).tryAcquire();
    await lost;
    expect(term?.held).toBe(true);
    expect((await rig.observer.exists(`${path}/lease_holder`))?.czxid).toEqual(term?.fencingToken);
    expect(await new Lease(rig.observer, path, { duration: 60_000, holder: 'b' }).tryAcquire()).toBeUndefined();
    await until(async () => (await rig.observer.getChildren(path)).length === 1, { what: 'its lock to go' });
  });

  it('is not taken by who does not wait any more', async () => {
    await using rig = await startRig();
    await rig.observer.ensurePath(path);
    const stop = new AbortController();
    const ignore = rig.proxy.onRequest((request) => {
      if (isMulti(request)) rig.proxy.holdReplies();
    });
    const taking = failureOf(new Lease(rig.zk, path, { duration: 60_000 }).tryAcquire({ signal: stop.signal }));
    await until(() => rig.observer.has(`${path}/lease_holder`), { what: 'the lease to be written' });
    ignore();
    stop.abort();
    expect(await within(taking, { what: 'the error' })).toMatchObject({ code: 'ABORTED' });
    rig.proxy.releaseReplies();
    await until(async () => (await rig.observer.getChildren(path)).length === 0, { what: 'an empty folder' });
  });

  it('outlasts an expiry, and is renewed and given back in the next session', async () => {
    await using rig = await startRig({ sessionTimeout: SHORT });
    const term = (await new Lease(rig.zk, path, { duration: 600_000, holder: 'a' }).tryAcquire())!;
    await rig.outlive();
    expect([term.held, term.signal.aborted]).toEqual([true, false]);
    const renewing = term.renew();
    await rig.relink();
    await renewing;
    expect(term.held).toBe(true);
    await term.release();
    await until(async () => (await rig.observer.getChildren(path)).length === 0, { what: 'an empty folder' });
  });

  it('is not written by who has lost the lock meanwhile', async () => {
    await using rig = await startRig();
    const ended = '{"version": 1, "holder": "c", "end": "2020-01-01T00:00:00"}';
    await rig.observer.create(`${path}/lease_holder`, ended, { parents: true });
    let looks = 0;
    const ignore = rig.proxy.onRequest(({ opCode }) => {
      // What is answered to the look under the lock comes late.
      if (opCode === op.getData && ++looks === 2) rig.proxy.holdReplies();
    });
    const taking = new Lease(rig.zk, path, { duration: 60_000, holder: 'a' }).tryAcquire();
    await until(() => looks === 2, { what: 'the look under the lock' });
    ignore();
    await rig.observer.sync('/');
    const lock = (await rig.observer.getChildren(path)).find((name) => name.includes('__lock__'));
    await rig.observer.delete(`${path}/${lock}`);
    const other = await new Lease(rig.observer, path, { duration: 60_000, holder: 'b' }).tryAcquire();
    // Of the same version as what was seen there.
    expect((await rig.observer.exists(`${path}/lease_holder`))?.version).toBe(0);
    rig.proxy.releaseReplies();
    expect([other?.held, await taking]).toEqual([true, undefined]);
    expect(await new Lease(rig.observer, path, { duration: 60_000 }).current()).toMatchObject({ holder: 'b' });
  });
});

describe('a multi lock', () => {
  it('takes all anew after an expiry, and holds all', async () => {
    await using rig = await startRig({ sessionTimeout: SHORT });
    const blocker = await new Mutex(rig.observer, '/b').acquire();
    const multi = new MultiLock([new Mutex(rig.zk, '/a'), new Mutex(rig.zk, '/b')]);
    const acquiring = multi.acquire();
    await until(async () => (await rig.observer.getChildren('/b')).length === 2, { what: 'it to wait' });
    await rig.outlive();
    await rig.relink();
    await until(async () => (await rig.observer.getChildren('/b')).length === 2, { what: 'it to wait again' });
    await blocker.release();
    const group = await within(acquiring, { what: 'the locks' });
    expect([group.held, group.parts.map(({ held }) => held)]).toEqual([true, [true, true]]);
    await group.release();
    for (const each of ['/a', '/b']) expect(await rig.observer.getChildren(each)).toEqual([]);
  });

  it('can end the wait while there is no connection, and is lost with its parts', async () => {
    await using rig = await startRig({ sessionTimeout: SHORT });
    const multi = new MultiLock([new Mutex(rig.zk, '/a'), new Mutex(rig.zk, '/b')]);
    const group = await multi.acquire();
    const blocked = failureOf(multi.acquire({ timeout: 200 }));
    await rig.unlink();
    expect(await within(blocked, { what: 'the error', timeout: 5_000 })).toMatchObject({ code: 'OPERATION_TIMEOUT' });
    await rig.events.first('lost');
    expect([group.held, group.signal.aborted]).toEqual([false, true]);
    await rig.relink();
    await group.release();
    for (const each of ['/a', '/b']) {
      await until(async () => (await rig.observer.getChildren(each)).length === 0, { what: `${each} to be empty` });
    }
  });
});
