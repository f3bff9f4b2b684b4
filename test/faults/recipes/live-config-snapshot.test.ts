import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ZooKeeper } from 'zookit';
import { type ConfigChange, type ConfigSnapshotError, LiveConfig, type LiveConfigOptions } from 'zookit/recipes';
import { z } from 'zod';
import { until, within } from '../../support/until.js';
import { failureOf, SHORT, startRig } from '../rig.js';

const path = '/config';

let folder: string;
let file: string;
let told: ConfigSnapshotError[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'zookit-'));
  file = join(folder, 'config.json');
  told = [];
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

type Config = Readonly<Record<string, unknown>>;

/** Options with which the snapshot is taken at once where no server answers. */
function keeping(options: LiveConfigOptions<Config> = {}): LiveConfigOptions<Config> {
  return { snapshot: { file, wait: 50, onError: (error) => told.push(error) }, ...options };
}

/** What a start without a server comes to, with a snapshot of what the server has now. */
async function withoutServer(act: (zk: ZooKeeper, back: () => Promise<void>) => Promise<void>): Promise<void> {
  await using rig = await startRig();
  await rig.observer.create(path, '{"workers":4}');
  await (await LiveConfig.open(rig.zk, path, keeping())).close();
  await rig.unlink();
  const zk = rig.add(ZooKeeper.open(rig.connectString));
  await act(zk, () => rig.restore());
}

describe('a start without a server', () => {
  it('begins with the snapshot, says so, and goes on with the server', async () => {
    await using rig = await startRig();
    await rig.observer.create(path, '{"workers":4}');
    await (await LiveConfig.open(rig.zk, path, keeping())).close();
    await rig.unlink();
    const zk = rig.add(ZooKeeper.open(rig.connectString));
    await using config = await LiveConfig.open(zk, path, keeping());
    expect([config.current, config.source, config.stale, config.invalid]).toEqual([
      { workers: 4 },
      'snapshot',
      true,
      undefined,
    ]);
    expect(config.origin('workers')).toEqual({ layer: path, path });
    expect(await failureOf(config.ready({ timeout: 20 }))).toMatchObject({ code: 'OPERATION_TIMEOUT' });
    const changes: ConfigChange<Config | undefined>[] = [];
    config.onChange((change) => changes.push(change));
    await rig.observer.setData(path, '{"workers":5}');
    await rig.restore();
    await config.ready();
    expect([config.current, config.source, config.stale]).toEqual([{ workers: 5 }, 'server', false]);
    expect(changes.map(({ previous, value, source }) => [previous, value, source])).toEqual([
      [{ workers: 4 }, { workers: 5 }, 'server'],
    ]);
    await config.close();
    expect(await readFile(file, 'utf8')).toContain(Buffer.from('{"workers":5}').toString('base64'));
    expect(told).toEqual([]);
  });

  it('is no change where the server has what the snapshot has', async () => {
    await withoutServer(async (zk, back) => {
      await using config = await LiveConfig.open(zk, path, keeping());
      const changes: unknown[] = [];
      config.onChange((change) => changes.push(change));
      await back();
      await config.ready();
      expect([config.source, changes]).toEqual(['server', []]);
    });
  });

  it('waits for the server where there is no snapshot, and as long as it is told to', async () => {
    await using rig = await startRig();
    await rig.observer.create(path, '{"workers":4}');
    await rig.unlink();
    const zk = rig.add(ZooKeeper.open(rig.connectString));
    expect(await failureOf(LiveConfig.open(zk, path, keeping({ timeout: 100 })))).toMatchObject({
      code: 'OPERATION_TIMEOUT',
    });
    const opening = LiveConfig.open(zk, path, keeping());
    await rig.restore();
    await using config = await within(opening, { what: 'the configuration' });
    expect([config.current, config.source]).toEqual([{ workers: 4 }, 'server']);
  });

  it('takes the snapshot at the end of a shorter wait of its own, and not when that is aborted', async () => {
    await withoutServer(async (zk) => {
      const snapshot = { file, wait: 60_000 };
      await using config = await LiveConfig.open(zk, path, { snapshot, timeout: 50 });
      expect(config.source).toBe('snapshot');
      const aborted = LiveConfig.open(zk, path, { snapshot, signal: AbortSignal.abort() });
      expect(await failureOf(aborted)).toMatchObject({ code: 'ABORTED' });
    });
  });

  it('takes no snapshot that is torn, foreign or not valid any more', async () => {
    await withoutServer(async (zk) => {
      const whole = await readFile(file, 'utf8');
      const schema = z.object({ workers: z.string() });
      const cases: [string, LiveConfigOptions<Config>, string][] = [
        [whole.slice(0, -10), {}, 'it is torn, or none of zookit'],
        ['{"workers":4}', {}, 'it is torn, or none of zookit'],
        [whole, { shape: 'tree' }, 'it is of another configuration'],
        [whole, { schema }, 'the configuration in it is not valid'],
        [whole, { decoder: 'env' }, 'the configuration in it is not valid'],
      ];
      for (const [text, options, problem] of cases) {
        await writeFile(file, text);
        const opening = failureOf(LiveConfig.open(zk, path, keeping({ ...options, timeout: 150 })));
        expect(await opening).toMatchObject({ code: 'OPERATION_TIMEOUT' });
        expect(told.at(-1)?.message).toContain(problem);
      }
    });
  });

  it('keeps nothing of what is not valid', async () => {
    await using rig = await startRig();
    await rig.observer.create(path, '{"password":"enc:v1:1:none"}');
    const encryption = { key: 'ab'.repeat(32) };
    const failure = await failureOf(LiveConfig.open(rig.zk, path, keeping({ encryption })));
    expect(failure).toMatchObject({ code: 'INVALID_CONFIG', reason: 'undecodable', keyPath: 'password' });
    expect(await readFile(file, 'utf8').catch(() => 'none')).toBe('none');
  });
});

describe('a start with a version that is not valid', () => {
  it('begins with the last good one of the snapshot, and says what is wrong', async () => {
    await using rig = await startRig();
    await rig.observer.create(path, '{"workers":4}');
    await (await LiveConfig.open(rig.zk, path, keeping())).close();
    await rig.observer.setData(path, '{"workers":');
    const invalid: unknown[] = [];
    await using config = await LiveConfig.open(
      rig.zk,
      path,
      keeping({ onInvalid: (error) => invalid.push(error.reason) }),
    );
    expect([config.current, config.source, config.invalid?.reason, invalid]).toEqual([
      { workers: 4 },
      'snapshot',
      'undecodable',
      ['undecodable'],
    ]);
    await rig.observer.setData(path, '{"workers":6}');
    await config.ready();
    expect([config.current, config.source, config.invalid]).toEqual([{ workers: 6 }, 'server', undefined]);
  });
});

describe('a tree in layers', () => {
  it('goes on in a new session, and keeps what the server had last', async () => {
    await using rig = await startRig({ sessionTimeout: SHORT });
    for (const each of ['/g', '/g/a', '/s', '/s/b']) await rig.observer.create(each, each.length === 4 ? '1' : null);
    const paths = { global: '/g', service: '/s' };
    const options = keeping({ shape: 'tree' });
    await using config = await LiveConfig.open(rig.zk, paths, options);
    expect(config.current).toEqual({ a: 1, b: 1 });
    await rig.outlive();
    expect([config.current, config.stale, config.source]).toEqual([{ a: 1, b: 1 }, true, 'server']);
    await rig.observer.transaction().setData('/g/a', '2').delete('/s/b').create('/s/c', '2').commit();
    await rig.relink();
    await until(() => !config.stale, { what: 'it to be current', timeout: 20_000 });
    expect(config.current).toEqual({ a: 2, c: 2 });
    await rig.observer.setData('/g/a', '3');
    await until(() => config.get('a') === 3, { what: 'the next value' });
    await config.close();
    await rig.unlink();
    const zk = rig.add(ZooKeeper.open(rig.connectString));
    await using again = await LiveConfig.open(zk, paths, options);
    expect([again.current, again.source]).toEqual([{ a: 3, c: 2 }, 'snapshot']);
  });
});
