import { describe, expect, it, test } from '@jest/globals';
import { acl, InvalidPathError, NoAuthError } from 'zookit';
import { type ConfigSchema, InvalidConfigError, LiveConfig } from 'zookit/recipes';
import { knows } from '../../support/features.js';
import { sharedServer } from '../../support/shared.js';
import { gate, until, within } from '../../support/until.js';
import { watchedPaths } from '../../support/watches.js';
import { failureOf, useClients } from '../clients.js';

const clients = useClients();

interface Limits {
  readonly max: number;
}

/** Takes `{"max": <number>}`, and doubles it: what a schema makes of a value is what counts. */
const schema: ConfigSchema<Limits> = {
  '~standard': {
    version: 1,
    vendor: 'zookit-tests',
    validate: async (value) => {
      const { max } = value as Limits;
      if (max === 13) throw new Error('unlucky');
      if (typeof max === 'number') return { value: { max: 2 * max } };
      return { issues: [{ message: 'not a number', path: ['max', { key: 0 }] }, { message: 'no good' }] };
    },
  },
};

async function znode(data: string | null): Promise<string> {
  return (await clients.zk.create(`${await clients.folder()}/config`, data)).path;
}

async function current<T>(config: LiveConfig<T>, value: T): Promise<void> {
  await until(() => JSON.stringify(config.current) === JSON.stringify(value), { what: JSON.stringify(value) });
}

describe('current', () => {
  it('is the value at first, and then each later one', async () => {
    const path = await znode('{"max":1}');
    await using config = await LiveConfig.open<Limits>(clients.zk, path);
    expect([config.current, config.stale, config.invalid]).toEqual([{ max: 1 }, false, undefined]);
    const other = await clients.another();
    await other.setData(path, '{"max":2}');
    await current(config, { max: 2 });
    await until(() => !config.stale, { what: 'it to be current' });
  });

  it('M5: follows creation, deletion and re-creation, of the parent too', async () => {
    const parent = `${await clients.folder()}/a`;
    const path = `${parent}/config`;
    await using config = await LiveConfig.open(clients.zk, path, { defaultValue: 'none' });
    expect(config.current).toBe('none');
    const other = await clients.another();
    for (let round = 0; round < 3; round++) {
      await other.create(path, `"${round}"`, { parents: true });
      await current(config, `${round}`);
      await other.deleteTree(round === 1 ? parent : path);
      await current(config, 'none');
    }
  });

  it('is undefined where there is no znode and no default', async () => {
    await using config = await LiveConfig.open(clients.zk, `${await clients.folder()}/none`);
    expect(config.current).toBeUndefined();
  });

  it('M1: after 1,000 writes is the last one, and so is the iteration', async () => {
    const path = await znode('0');
    await using config = await LiveConfig.open<number>(clients.zk, path);
    const seen: (number | undefined)[] = [];
    const iterating = (async () => {
      for await (const value of config) {
        seen.push(value);
        if (value === 1_000) return;
      }
    })();
    const other = await clients.another();
    await Promise.all(Array.from({ length: 1_000 }, (_, index) => other.setData(path, String(index + 1))));
    await within(iterating, { what: 'the last value', timeout: 1_000 });
    expect(config.current).toBe(1_000);
    expect(seen).toEqual([...seen].sort((a, b) => a! - b!));
    expect(new Set(seen).size).toBe(seen.length);
  });

  it('comes again when it is written again with the same text, and one look brings one value', async () => {
    const path = await znode('{"max":1}');
    await using config = await LiveConfig.open(clients.zk, path);
    const values = config[Symbol.asyncIterator]();
    const first = await values.next();
    await clients.zk.setData(path, '{"max":1}');
    const second = await within(values.next(), { what: 'the second value' });
    expect([second.value, second.value === first.value]).toEqual([{ max: 1 }, false]);
  });
});

describe('a schema', () => {
  it('types and changes the value', async () => {
    await using config = await LiveConfig.open(clients.zk, await znode('{"max":4}'), { schema });
    expect(config.current).toEqual({ max: 8 });
  });

  it('M9: refuses a version: the last good one stays, and it is told', async () => {
    const path = await znode('{"max":4}');
    const told: InvalidConfigError[] = [];
    const onInvalid = (error: InvalidConfigError): void => void told.push(error);
    await using config = await LiveConfig.open(clients.zk, path, { schema, onInvalid });
    const wrong: [string | null, string][] = [
      ['{"max":"x"}', 'the value is not valid: max.0: not a number; no good'],
      ['{"max":13}', 'its schema threw an error'],
      ['{', 'the data is no JSON'],
      ['', 'the data is no JSON'],
      [null, 'the data is no JSON'],
    ];
    for (const [index, [data, message]] of wrong.entries()) {
      await clients.zk.setData(path, data);
      await until(() => told.length === index + 1, { what: `onInvalid for ${data}` });
      expect(config.invalid).toBe(told[index]);
      expect(config.invalid?.message).toBe(`LiveConfig ${path}: ${message}`);
      expect([config.current, config.invalid?.code]).toEqual([{ max: 8 }, 'INVALID_CONFIG']);
    }
    expect((told[1]?.cause as Error).message).toBe('unlucky');
    await clients.zk.setData(path, '{"max":5}');
    await current(config, { max: 10 });
    expect([config.invalid, told.length]).toEqual([undefined, 5]);
  });

  it('is not asked about the default, nor about a znode that is missing', async () => {
    const path = `${await clients.folder()}/none`;
    await using config = await LiveConfig.open(clients.zk, path, { schema, defaultValue: { max: -1 } });
    expect(config.current).toEqual({ max: -1 });
  });
});

describe('open', () => {
  it('rejects if the first version is not valid, and leaves no watch', async () => {
    const path = await znode('{');
    const told = gate<InvalidConfigError>();
    const failure = await failureOf(LiveConfig.open(clients.zk, path, { onInvalid: (error) => told.open(error) }));
    expect(failure).toBeInstanceOf(InvalidConfigError);
    expect(await told.promise).toBe(failure);
    await clients.zk.sync('/');
    if (knows('removeWatches')) expect(await watchedPaths(sharedServer(), clients.chroot + path)).toEqual([]);
  });

  it('rejects where the ACL forbids to read, and where there is no path', async () => {
    const path = `${await clients.folder()}/secret`;
    await clients.zk.create(path, '1', { acl: [acl.digest('somebody', 'else')] });
    await expect(LiveConfig.open(clients.zk, path)).rejects.toThrow(NoAuthError);
    await expect(LiveConfig.open(clients.zk, 'config')).rejects.toThrow(InvalidPathError);
    await expect(LiveConfig.open(clients.zk, await znode('1'), { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'ABORTED',
    });
  });
});

describe('close', () => {
  it('ends the iterations and takes the watch away', async () => {
    const path = await znode('1');
    const config = await LiveConfig.open(clients.zk, path);
    const other = await LiveConfig.open(clients.zk, path);
    const seen: unknown[] = [];
    const iterating = (async () => {
      for await (const value of config) seen.push(value);
    })();
    await config.close();
    await within(iterating, { what: 'the end' });
    // The other one on the same path goes on.
    await clients.zk.setData(path, '2');
    await current(other, 2);
    expect([config.current, config.stale]).toEqual([1, true]);
    await other.close();
    await clients.zk.sync('/');
    if (knows('removeWatches')) expect(await watchedPaths(sharedServer(), clients.chroot + path)).toEqual([]);
  });

  it('of one leaves the watch to others that are just opening', async () => {
    const path = await znode('0');
    const zk = await clients.another();
    let config = await LiveConfig.open<number>(zk, path);
    for (let round = 1; round <= 30; round++) {
      const opening = LiveConfig.open<number>(zk, path);
      for (let turn = 0; turn < round % 10; turn++) await Promise.resolve();
      await config.close();
      config = await opening;
      await clients.zk.setData(path, String(round));
      await current(config, round);
    }
    await config.close();
  });
});

test('an error that does not pass ends it, and its iterations tell', async () => {
  const path = await znode('1');
  await using config = await LiveConfig.open<number>(clients.zk, path);
  const values = config[Symbol.asyncIterator]();
  await values.next();
  const hidden = { acl: [acl.digest('somebody', 'else')] };
  await clients.zk.transaction().delete(path).create(path, '2', hidden).commit();
  await expect(values.next()).rejects.toThrow(NoAuthError);
  expect([config.current, config.stale]).toEqual([1, true]);
});
