import { describe, expect, it } from '@jest/globals';
import { InvalidArgumentError } from 'zookit';
import { forgetOnce, type Lock, once, OnceFailedError } from 'zookit/recipes';
import { gate, until } from '../../support/until.js';
import { failureOf, useClients } from '../clients.js';

const clients = useClients();

async function freshPath(): Promise<string> {
  return `${await clients.folder()}/jobs/a`;
}

describe('once', () => {
  it('runs the job for one of many, and gives its result to all', async () => {
    const path = await freshPath();
    const zks = [clients.zk, await clients.another(), await clients.another()];
    let runs = 0;
    const job = async (lock: Lock): Promise<object> => {
      expect(lock.held).toBe(true);
      runs++;
      await clients.zk.sync('/');
      return { run: runs, at: new Date(0) };
    };
    const results = await Promise.all(Array.from({ length: 9 }, (_, index) => once(zks[index % 3]!, path, job)));
    // Also to the one that has run it, as the others read it.
    expect([runs, ...results]).toEqual([
      1,
      ...Array.from({ length: 9 }, () => ({ run: 1, at: '1970-01-01T00:00:00.000Z' })),
    ]);
    expect(await once(clients.zk, path, () => 'another')).toEqual(results[0]);
    expect((await clients.zk.getChildren(path)).sort()).toEqual(['lock', 'result']);
    expect(await clients.zk.getChildren(`${path}/lock`)).toEqual([]);
  });

  it('keeps nothing, null and false apart', async () => {
    for (const value of [undefined, null, false, 0, '']) {
      const path = await freshPath();
      expect([await once(clients.zk, path, () => value), await once(clients.zk, path, () => 1)]).toEqual([
        value,
        value,
      ]);
    }
  });

  it('shares a failure, and says whose it was', async () => {
    const path = await freshPath();
    let runs = 0;
    const cause = Object.assign(new TypeError('no luck'), { code: 'E_LUCK' });
    const job = (): Promise<string> => {
      runs++;
      return Promise.reject(cause);
    };
    const [own, shared] = [await failureOf(once(clients.zk, path, job)), await failureOf(once(clients.zk, path, job))];
    const failure = { name: 'TypeError', message: 'no luck', code: 'E_LUCK' };
    for (const each of [own, shared]) {
      expect(each).toBeInstanceOf(OnceFailedError);
      expect(each).toMatchObject({ code: 'ONCE_FAILED', operation: 'once', path, failure });
      expect((each as Error).message).toBe(`once ${path}: the job has failed: TypeError: no luck`);
    }
    expect([(own as Error).cause, 'cause' in (shared as Error), runs]).toEqual([cause, false, 1]);
    expect((await clients.zk.getChildren(path)).sort()).toEqual(['failure', 'lock']);
  });

  it('runs it again when the outcome is forgotten', async () => {
    const path = await freshPath();
    await forgetOnce(clients.zk, path);
    await failureOf(once(clients.zk, path, () => Promise.reject(new Error('no'))));
    await forgetOnce(clients.zk, path);
    expect(await once(clients.zk, path, () => 1)).toBe(1);
    await forgetOnce(clients.zk, path);
    expect(await once(clients.zk, path, () => 2)).toBe(2);
  });

  it('takes a result that cannot be written for a failure of the job', async () => {
    const circular: { self?: object } = {};
    circular.self = circular;
    const path = await freshPath();
    expect(await failureOf(once(clients.zk, path, () => circular))).toMatchObject({ failure: { name: 'TypeError' } });
    const large = await freshPath();
    const failure = await failureOf(once(clients.zk, large, () => 'x'.repeat(2_000_000)));
    expect(failure).toMatchObject({ failure: { name: 'RequestTooLargeError', code: 'REQUEST_TOO_LARGE' } });
    expect(await failureOf(once(clients.zk, large, () => ''))).toBeInstanceOf(OnceFailedError);
  });

  it('writes and reads as it is told', async () => {
    const path = await freshPath();
    const options = {
      serialize: (value: bigint) => Buffer.from(value.toString(16)),
      deserialize: (node: { text(): string }) => BigInt(`0x${node.text()}`),
    };
    expect(await once(clients.zk, path, () => 255n, options)).toBe(255n);
    expect((await clients.zk.getData(`${path}/result`)).text()).toBe('ff');
    expect(await once(clients.zk, path, () => 1n, options)).toBe(255n);
  });

  it('ends a wait for others by its limits, and the job goes on', async () => {
    const path = await freshPath();
    const finish = gate();
    const running = once(clients.zk, path, async () => {
      await finish.promise;
      return 'done';
    });
    const other = await clients.another();
    await until(async () => (await other.getChildren(`${path}/lock`)).length === 1, { what: 'the runner' });
    const job = (): string => 'another';
    const stop = new AbortController();
    const aborted = failureOf(once(other, path, job, { signal: stop.signal }));
    expect(await failureOf(once(other, path, job, { timeout: 50 }))).toMatchObject({
      code: 'OPERATION_TIMEOUT',
      operation: 'once',
      path,
    });
    stop.abort();
    expect(await aborted).toMatchObject({ code: 'ABORTED', operation: 'once' });
    expect(await clients.zk.getChildren(`${path}/lock`)).toHaveLength(1);
    finish.open();
    expect([await running, await once(other, path, job)]).toEqual(['done', 'done']);
  });

  it('stores nothing of a job that was stopped by its caller', async () => {
    const path = await freshPath();
    const stop = new AbortController();
    const job = (): Promise<never> => {
      stop.abort(new Error('enough'));
      return Promise.reject(new Error('stopped'));
    };
    expect(await failureOf(once(clients.zk, path, job, { signal: stop.signal }))).toMatchObject({ code: 'ABORTED' });
    expect(await once(clients.zk, path, () => 'fresh')).toBe('fresh');
  });

  it('lets another one run it when the lock of the runner was lost, and both get that result', async () => {
    const path = await freshPath();
    const begun = gate<Lock>();
    const running = once(clients.zk, path, async (lock) => {
      begun.open(lock);
      await new Promise((resolve) => lock.signal.addEventListener('abort', resolve));
      return 'stale';
    });
    const other = await clients.another();
    await other.delete((await begun.promise).path);
    expect([await once(other, path, () => 'fresh'), await running]).toEqual(['fresh', 'fresh']);
  });

  it.each(['"theirs"', undefined])('stores nothing of a stale runner, where %p is stored meanwhile', async (theirs) => {
    const path = await freshPath();
    const other = await clients.another();
    let runs = 0;
    const outcome = await once(clients.zk, path, async (lock) => {
      if (++runs > 1) return 'again';
      // Whether it knows of the deletion already, or the server has to refuse the result.
      await other.delete(lock.path);
      if (theirs !== undefined) await other.create(`${path}/result`, theirs);
      return 'stale';
    });
    expect([outcome, runs]).toEqual(theirs === undefined ? ['again', 2] : ['theirs', 1]);
  });

  it('checks what it is given before anything is sent', async () => {
    const job = (): number => 1;
    for (const [work, options] of [
      [undefined, {}],
      [1, {}],
      [job, { ttl: 0 }],
      [job, { ttl: 1.5 }],
      [job, { ttl: 2 ** 40 }],
      [job, { serialize: 'json' }],
      [job, { deserialize: {} }],
      [job, { margin: -1 }],
      [job, { timeout: -1 }],
      [job, { retry: true }],
    ] as [typeof job, object][])
      expect(await failureOf(once(clients.zk, '/never', work, options))).toBeInstanceOf(InvalidArgumentError);
    expect(await failureOf(once(clients.zk, 'never', job))).toMatchObject({ code: 'INVALID_PATH' });
    expect(await clients.zk.has('/never')).toBe(false);
  });
});
