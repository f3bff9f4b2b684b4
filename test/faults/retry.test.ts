/** Writes whose answers are lost, and what is made of them. */
import { describe, expect, test } from '@jest/globals';
import {
  AbortedError,
  BadVersionError,
  ConnectionLossError,
  InvalidArgumentError,
  NodeExistsError,
  NoNodeError,
  OperationTimeoutError,
  retries,
  SessionExpiredError,
} from 'zookit';
import { until } from '../support/until.js';
import { failureOf, op, type Rig, startRig, SHORT } from './rig.js';

/** The server carries out the next request of the kind, and the connection goes before its answer comes. */
const loseReply = (rig: Rig, opCode: number): void => {
  void rig.proxy.swallowNextReply((request) => request.opCode === opCode);
};

/** The connection goes before the server has the next request of the kind. */
const loseRequest = (rig: Rig, opCode: number): void => {
  void rig.proxy.swallowNextRequest((request) => request.opCode === opCode);
};

const retry = retries.exponential({ first: 5, longest: 50 });

describe('H5: a delete with retry', () => {
  test('succeeds where its answer was lost, also where the znode must be there', async () => {
    await using rig = await startRig({ retry });
    await rig.zk.create('/a');
    await rig.zk.create('/b');
    loseReply(rig, op.delete);
    await rig.zk.delete('/a', -1, { retry: true });
    loseReply(rig, op.delete);
    await rig.zk.delete('/b', 0, { retry });
    expect(await rig.observer.getChildren('/')).toEqual([]);
  });

  test('is done where the request was lost', async () => {
    await using rig = await startRig({ retry });
    await rig.zk.create('/a');
    loseRequest(rig, op.delete);
    await rig.zk.delete('/a', -1, { retry: true });
    expect(await rig.observer.has('/a')).toBe(false);
  });

  test('rejects where there was no znode in the first place', async () => {
    await using rig = await startRig({ retry });
    await expect(rig.zk.delete('/none', -1, { retry: true })).rejects.toBeInstanceOf(NoNodeError);
    await rig.zk.delete('/none', -1, { retry: true, missing: 'ignore' });
    await rig.zk.delete('/none', -1, { missing: 'ignore' });
  });

  test('rejects where somebody has changed the znode', async () => {
    await using rig = await startRig({ retry });
    await rig.zk.create('/a');
    loseRequest(rig, op.delete);
    rig.zk.once('suspended', () => rig.proxy.refuse());
    const outcome = failureOf(rig.zk.delete('/a', 0, { retry: true }));
    await rig.events.first('suspended');
    await rig.observer.setData('/a', 'theirs');
    await rig.relink();
    expect(await outcome).toBeInstanceOf(BadVersionError);
  });
});

describe('a set of a version with retry', () => {
  test('succeeds where its answer was lost, and gives the stat', async () => {
    await using rig = await startRig({ retry });
    await rig.zk.create('/a', 'old');
    loseReply(rig, op.setData);
    expect(await rig.zk.setData('/a', 'new', 0, { retry: true })).toMatchObject({ version: 1, dataLength: 3 });
    loseRequest(rig, op.setData);
    expect(await rig.zk.setData('/a', 'newer', 1, { retry: true })).toMatchObject({ version: 2 });
  });

  test('rejects where the next version is that of somebody else', async () => {
    await using rig = await startRig({ retry });
    await rig.zk.create('/a', 'old');
    loseRequest(rig, op.setData);
    rig.zk.once('suspended', () => rig.proxy.refuse());
    const outcome = failureOf(rig.zk.setData('/a', 'mine', 0, { retry: true }));
    await rig.events.first('suspended');
    await rig.observer.setData('/a', 'theirs');
    await rig.relink();
    expect(await outcome).toBeInstanceOf(BadVersionError);
    expect((await rig.zk.getData('/a')).text()).toBe('theirs');
  });
});

describe('a create with retry', () => {
  test.each(['persistent', 'ephemeral', 'container'] as const)(
    'succeeds where its answer was lost: %s',
    async (mode) => {
      await using rig = await startRig({ retry });
      loseReply(rig, mode === 'container' ? 19 : op.create);
      const created = await rig.zk.create('/a', 'mine', { mode, retry: true });
      const stat = await rig.zk.exists('/a');
      expect(created).toMatchObject({ path: '/a', name: 'a', zxid: stat?.czxid });
    },
  );

  test('rejects where there is a znode that cannot be ours', async () => {
    await using rig = await startRig({ retry });
    const { zk, observer, proxy, events } = rig;
    const attempt = async (theirs: () => Promise<unknown>, mode: 'persistent' | 'ephemeral'): Promise<unknown> => {
      loseRequest(rig, op.create);
      zk.once('suspended', () => proxy.refuse());
      events.clear();
      const outcome = failureOf(zk.create('/a', 'mine', { mode, retry: true }));
      await events.first('suspended');
      await theirs();
      await rig.relink();
      const error = await outcome;
      await observer.delete('/a');
      return error;
    };
    expect(await attempt(() => observer.create('/a', 'theirs'), 'persistent')).toBeInstanceOf(NodeExistsError);
    const ephemeral = { mode: 'ephemeral' } as const;
    expect(await attempt(() => observer.create('/a', 'mine', ephemeral), 'ephemeral')).toBeInstanceOf(NodeExistsError);
    expect(
      await attempt(() => observer.upsert('/a', 'mine').then(() => observer.setData('/a', 'mine')), 'persistent'),
    ).toBeInstanceOf(NodeExistsError);
  });

  test('is refused for sequential modes, which it would create twice', async () => {
    await using rig = await startRig();
    const refused = await failureOf(rig.zk.create('/a-', null, { mode: 'ephemeralSequential', retry: true }));
    expect(refused).toBeInstanceOf(InvalidArgumentError);
    expect(String(refused)).toContain('protected: true does');
  });
});

describe('every safe write', () => {
  test('ends with its session', async () => {
    await using rig = await startRig({ retry, sessionTimeout: SHORT });
    const { zk } = rig;
    await zk.create('/a');
    const outlived = rig.outlive();
    await rig.events.first('suspended');
    const asked = [
      failureOf(zk.setData('/a', 'x', 0, { retry: true })),
      failureOf(zk.create('/b', 'x', { retry: true })),
      failureOf(zk.delete('/a', 0, { retry: true })),
      failureOf(zk.delete('/a', 0, { guaranteed: true })),
    ];
    await outlived;
    await rig.relink();
    for (const error of await Promise.all(asked)) expect(error).toBeInstanceOf(SessionExpiredError);
    expect(await zk.getChildren('/')).toEqual(['a']);
    expect((await zk.exists('/a'))?.version).toBe(0);
  });

  test('ends when its policy says so, with the last failure', async () => {
    await using rig = await startRig();
    await rig.zk.create('/a');
    loseReply(rig, op.setData);
    const outcome = await failureOf(rig.zk.setData('/a', 'x', -1, { retry: retries.none }));
    expect(outcome).toBeInstanceOf(ConnectionLossError);
    expect(outcome).toMatchObject({ mayHaveBeenApplied: true });
  });

  test('ends with its limits, which are those of all tries together', async () => {
    await using rig = await startRig();
    const { zk } = rig;
    await zk.create('/a');
    await rig.unlink();
    const patient = retries.times(1_000, 10);
    const late = await failureOf(zk.setData('/a', 'x', -1, { retry: patient, timeout: 50 }));
    expect(late).toBeInstanceOf(OperationTimeoutError);
    const abort = new AbortController();
    const aborted = failureOf(zk.setData('/a', 'x', -1, { retry: patient, signal: abort.signal }));
    abort.abort(new Error('enough'));
    expect(await aborted).toBeInstanceOf(AbortedError);
  });
});

describe('a guaranteed delete', () => {
  test('goes on when its caller waits no longer', async () => {
    await using rig = await startRig();
    await rig.zk.create('/a');
    await rig.unlink();
    const late = await failureOf(rig.zk.delete('/a', -1, { guaranteed: true, timeout: 20 }));
    expect(late).toBeInstanceOf(OperationTimeoutError);
    expect(late).toMatchObject({ path: '/a', operation: 'delete', mayHaveBeenApplied: true });
    expect(await rig.observer.has('/a')).toBe(true);
    await rig.relink();
    await until(async () => !(await rig.observer.has('/a')), { what: 'the znode to be deleted' });
  });

  test('survives one lost connection after the other', async () => {
    await using rig = await startRig();
    await rig.zk.create('/a');
    loseRequest(rig, op.delete);
    rig.zk.once('connected', () => loseRequest(rig, op.delete));
    await rig.zk.delete('/a', -1, { guaranteed: true });
    expect(rig.proxy.requests.filter(({ opCode }) => opCode === op.delete)).toHaveLength(3);
    expect(await rig.observer.has('/a')).toBe(false);
  });
});

describe('zk.retry', () => {
  test('runs a step until it succeeds, over lost connections', async () => {
    await using rig = await startRig({ retry });
    const { zk } = rig;
    await zk.create('/counter', '0');
    loseReply(rig, op.setData);
    const attempts: number[] = [];
    const version = await zk.retry(async ({ attempt, signal }) => {
      attempts.push(attempt);
      const { stat, data } = await zk.getData('/counter', { signal });
      if (data.toString() === '1') return stat.version;
      return (await zk.setData('/counter', '1', stat.version)).version;
    });
    expect([attempts, version]).toEqual([[1, 2], 1]);
  });

  test('goes on in the next session', async () => {
    await using rig = await startRig({ retry, sessionTimeout: SHORT });
    const { zk } = rig;
    const before = zk.session.toString();
    const outlived = rig.outlive();
    await rig.events.first('suspended');
    const asked = zk.retry(() => zk.exists('/'));
    await outlived;
    await rig.relink();
    expect(await asked).toMatchObject({ version: 0 });
    expect(zk.session.toString()).not.toBe(before);
  });

  test('hands out what is no passing failure', async () => {
    await using rig = await startRig({ retry });
    let runs = 0;
    const failing = rig.zk.retry(async () => {
      runs++;
      await rig.zk.getData('/none');
    });
    await expect(failing).rejects.toBeInstanceOf(NoNodeError);
    expect(runs).toBe(1);
    const stubborn = rig.zk.retry(() => Promise.reject(new Error(`run ${++runs}`)), { isRetryable: () => runs < 4 });
    await expect(stubborn).rejects.toThrow('run 4');
  });

  test('ends at its limits even when the step does not heed them', async () => {
    await using rig = await startRig();
    const never = (): Promise<never> => new Promise(() => undefined);
    await expect(rig.zk.retry(never, { timeout: 10 })).rejects.toBeInstanceOf(OperationTimeoutError);
    const abort = new AbortController();
    const asked = rig.zk.retry(never, { signal: abort.signal });
    abort.abort();
    await expect(asked).rejects.toBeInstanceOf(AbortedError);
  });
});
