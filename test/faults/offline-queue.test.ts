import { describe, expect, it, test } from '@jest/globals';
import { AbortedError, OperationTimeoutError, QueueFullError } from 'zookit';
import { failureOf, op, openTo, startRig } from './rig.js';

/** A broken chain of promises would show as an unhandled rejection: each outcome is taken at once. */
const outcome = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'done',
    (error: unknown) => error,
  );

describe('operations that are called while suspended', () => {
  it('wait, and are sent in the order of the calls after the reconnect', async () => {
    await using rig = await startRig();
    const { zk } = rig;
    await rig.unlink();
    const settled: string[] = [];
    const note = (name: string) => () => settled.push(name);
    const waiting = [
      zk.create('/a').then(note('create')),
      zk.setData('/a', 'x').then(note('setData')),
      zk.getData('/a').then(note('getData')),
      zk.transaction().create('/a/b').commit().then(note('multi')),
      zk.getChildren('/a').then(note('getChildren')),
    ];
    await rig.relink();
    await Promise.all(waiting);
    expect(settled).toEqual(['create', 'setData', 'getData', 'multi', 'getChildren']);
    expect(rig.newestOpCodes).toEqual([op.connect, op.create, op.setData, op.getData, op.multi, op.getChildren]);
  });

  it('are sent before those that are called when the client tells that it is connected', async () => {
    await using rig = await startRig();
    const { zk } = rig;
    await rig.unlink();
    const late: Promise<unknown>[] = [];
    zk.on('connected', () => late.push(zk.exists('/')));
    const early = zk.create('/a');
    await rig.relink();
    await Promise.all([early, ...late]);
    expect(rig.newestOpCodes).toEqual([op.connect, op.create, op.exists]);
  });

  it('wait before the first connection, too', async () => {
    await using rig = await startRig();
    const { proxy, chroot } = rig;
    proxy.refuse();
    await using zk = openTo(proxy.connectString + chroot);
    const created = zk.create('/a');
    await proxy.accept();
    expect(await created).toMatchObject({ path: '/a' });
  });
});

describe('the bounds of those that wait', () => {
  it('a count: the next one fails at once, and was not sent', async () => {
    await using rig = await startRig({ offlineQueue: { maxOperations: 3 } });
    const { zk, observer } = rig;
    await rig.unlink();
    const waiting = ['/a', '/b', '/c'].map((path) => zk.create(path));
    const refused = await failureOf(zk.create('/d'));
    expect(refused).toBeInstanceOf(QueueFullError);
    expect(refused).toMatchObject({ mayHaveBeenApplied: false, path: '/d', operation: 'create' });
    await rig.relink();
    await Promise.all(waiting);
    expect((await observer.getChildren('/')).sort()).toEqual(['a', 'b', 'c']);
  });

  it('bytes', async () => {
    await using rig = await startRig({ offlineQueue: { maxBytes: 10_000 } });
    const { zk } = rig;
    await rig.unlink();
    const fits = zk.create('/a', Buffer.alloc(9_000));
    expect(await failureOf(zk.create('/b', Buffer.alloc(1_000)))).toBeInstanceOf(QueueFullError);
    await rig.relink();
    await fits;
    await rig.unlink();
    // What was sent does not count any more.
    const next = zk.setData('/a', Buffer.alloc(9_000));
    await rig.relink();
    await next;
  });

  it('those that were given up leave their place to others', async () => {
    await using rig = await startRig({ offlineQueue: { maxOperations: 2 } });
    const { zk, observer } = rig;
    await rig.unlink();
    const abort = new AbortController();
    const given = ['/a', '/b'].map((path) => outcome(zk.create(path, null, { signal: abort.signal })));
    abort.abort();
    for (const error of await Promise.all(given)) expect(error).toBeInstanceOf(AbortedError);
    const kept = [zk.create('/c'), zk.create('/d')];
    await rig.relink();
    await Promise.all(kept);
    expect((await observer.getChildren('/')).sort()).toEqual(['c', 'd']);
  });

  it('Q2: time: an operation that waited too long fails and is not sent later, in order of the calls', async () => {
    await using rig = await startRig({ sessionTimeout: 10_000, offlineQueue: { maxWait: 200 } });
    const { zk, observer } = rig;
    await rig.unlink();
    const begin = performance.now();
    const order: string[] = [];
    const late = ['/a', '/b'].map(async (path) => {
      const error = await failureOf<OperationTimeoutError>(zk.create(path));
      order.push(path);
      return error;
    });
    for (const error of await Promise.all(late)) {
      expect(error).toBeInstanceOf(OperationTimeoutError);
      expect(error.mayHaveBeenApplied).toBe(false);
    }
    expect(performance.now() - begin).toBeGreaterThanOrEqual(199);
    expect(order).toEqual(['/a', '/b']);
    await rig.relink();
    await zk.create('/c');
    expect(await observer.getChildren('/')).toEqual(['c']);
  });
});

test('with offlineQueue: false nothing waits', async () => {
  await using rig = await startRig({ offlineQueue: false });
  const { zk, observer } = rig;
  await rig.unlink();
  expect(await failureOf(zk.create('/a'))).toMatchObject({ code: 'QUEUE_FULL', mayHaveBeenApplied: false });
  expect(await failureOf(zk.exists('/a'))).toBeInstanceOf(QueueFullError);
  await rig.relink();
  await zk.create('/b');
  expect(await observer.getChildren('/')).toEqual(['b']);
});

describe('limits of one operation', () => {
  it('hold while it waits for a connection: it is not sent later', async () => {
    await using rig = await startRig();
    const { zk, observer } = rig;
    await rig.unlink();
    const late = await failureOf(zk.create('/late', null, { timeout: 50 }));
    expect(late).toBeInstanceOf(OperationTimeoutError);
    expect(late).toMatchObject({ mayHaveBeenApplied: false });
    const aborted = await failureOf(zk.create('/aborted', null, { signal: AbortSignal.abort(new Error('enough')) }));
    expect(aborted).toMatchObject({ code: 'ABORTED', mayHaveBeenApplied: false, cause: { message: 'enough' } });
    await rig.relink();
    await zk.create('/c');
    expect(await observer.getChildren('/')).toEqual(['c']);
  });

  it('H6: hold while a server does not answer, and the late answers disturb nobody', async () => {
    await using rig = await startRig({ sessionTimeout: 10_000 });
    const { zk, proxy } = rig;
    proxy.holdReplies();
    const abort = new AbortController();
    const given = Array.from({ length: 100 }, (_, index) =>
      failureOf(
        index % 2 === 0 ? zk.create(`/n${index}`, null, { signal: abort.signal }) : zk.exists('/', { timeout: 20 }),
      ),
    );
    const kept = zk.create('/kept');
    await proxy.seen(({ body }) => body.includes('/kept'));
    abort.abort();
    const failures = (await Promise.all(given)) as { code: string; mayHaveBeenApplied: boolean }[];
    expect(new Set(failures.map(({ code, mayHaveBeenApplied }) => `${code} ${mayHaveBeenApplied}`))).toEqual(
      new Set(['ABORTED true', 'OPERATION_TIMEOUT false']),
    );
    proxy.releaseReplies();
    expect(await kept).toMatchObject({ path: '/kept' });
    expect(await zk.getChildren('/')).toHaveLength(51);
    expect(rig.events.types).toEqual([]);
  });
});
