import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { acl } from 'zookit';
import { type ConfigChange, encrypt, type InvalidConfigError, LiveConfig } from 'zookit/recipes';
import { z } from 'zod';
import { knows } from '../../support/features.js';
import { sharedServer } from '../../support/shared.js';
import { until, within } from '../../support/until.js';
import { watchedPaths } from '../../support/watches.js';
import { failureOf, useClients } from '../clients.js';

const clients = useClients();

/** Znodes below a new one. */
async function plant(tree: Readonly<Record<string, string | null>>): Promise<string> {
  const root = await clients.folder();
  for (const [path, data] of Object.entries(tree)) await clients.zk.create(root + path, data);
  return root;
}

async function current<T>(config: LiveConfig<T>, value: T): Promise<void> {
  await until(() => isDeepStrictEqual(config.current, value), { what: JSON.stringify(value) });
}

describe.each(['auto', 'oneShot'] as const)('a tree, by watches: %s', (watches) => {
  const options = { shape: 'tree', watches } as const;

  it('is one object, and follows what is created, changed and deleted', async () => {
    const root = await plant({ '/db': null, '/db/host': '"a"', '/workers': '4' });
    await using config = await LiveConfig.open(clients.zk, root, options);
    expect([config.current, config.stale, config.source]).toEqual([{ db: { host: 'a' }, workers: 4 }, false, 'server']);
    const other = await clients.another();
    await other.setData(`${root}/db/host`, '"b"');
    await current(config, { db: { host: 'b' }, workers: 4 });
    await other.create(`${root}/db/tls.yaml`, 'ca: x');
    await current(config, { db: { host: 'b', tls: { ca: 'x' } }, workers: 4 });
    await other.deleteTree(`${root}/db`);
    await current<unknown>(config, { workers: 4 });
    await other.deleteTree(root);
    await current<unknown>(config, undefined);
    expect(config.source).toBe('default');
    await other.create(`${root}/a/b`, '1', { parents: true });
    await current<unknown>(config, { a: { b: 1 } });
    expect(config.origin('a.b')).toEqual({ layer: root, path: `${root}/a/b` });
  });

  it('keeps the last good value as long as a part is not good, and says which', async () => {
    const root = await plant({ '/a': '1', '/b': '2' });
    const schema = z.object({ a: z.number().max(10), b: z.number() });
    await using config = await LiveConfig.open(clients.zk, root, { ...options, schema });
    const told: InvalidConfigError[] = [];
    config.on('invalid', (error) => told.push(error));
    const wrong: [() => Promise<unknown>, string, string][] = [
      [() => clients.zk.setData(`${root}/a`, '{'), `${root}/a`, 'undecodable'],
      [() => clients.zk.setData(`${root}/a`, Buffer.from([0x22, 0xff, 0x22])), `${root}/a`, 'undecodable'],
      [() => clients.zk.setData(`${root}/a`, ''), `${root}/a`, 'undecodable'],
      [() => clients.zk.setData(`${root}/a`, '11'), `${root}/a`, 'schema'],
      [() => clients.zk.setData(`${root}/a`, '{"__proto__":1}'), `${root}/a`, 'forbidden'],
      [() => clients.zk.setData(`${root}/a`, '['.repeat(300) + ']'.repeat(300)), `${root}/a`, 'tooDeep'],
      [() => clients.zk.delete(`${root}/a`), root, 'schema'],
    ];
    for (const [index, [act, path, reason]] of wrong.entries()) {
      await act();
      await until(() => told.length > index, { what: `${reason} of ${path}` });
      expect([told.at(-1)?.path, told.at(-1)?.reason, config.invalid]).toEqual([path, reason, told.at(-1)]);
      expect(config.current).toEqual({ a: 1, b: 2 });
    }
    expect(told).toHaveLength(wrong.length);
    await clients.zk.create(`${root}/a`, '6');
    await current(config, { a: 6, b: 2 });
    expect(config.invalid).toBeUndefined();
  });

  it('is refused where a part may not be read, and taken when it may', async () => {
    const root = await plant({ '/a': '1' });
    await clients.zk.create(`${root}/b`, '2', { acl: [acl.digest('somebody', 'else')] });
    expect(await failureOf(LiveConfig.open(clients.zk, root, options))).toMatchObject({
      reason: 'unreadable',
      path: `${root}/b`,
      cause: { code: 'NO_AUTH' },
    });
    const superUser = await clients.superUser();
    await superUser.setAcl(`${clients.chroot}${root}/b`, acl.open);
    await using config = await LiveConfig.open(clients.zk, root, options);
    expect(config.current).toEqual({ a: 1, b: 2 });
  });

  it('M7: closed in the middle of its first load leaves nothing behind', async () => {
    const root = await clients.folder();
    for (let from = 0; from < 2_000; from += 200) {
      const transaction = clients.zk.transaction();
      for (let index = from; index < from + 200; index++) transaction.create(`${root}/n-${index}`, String(index));
      await transaction.commit();
    }
    const zk = await clients.another();
    const abort = new AbortController();
    const opening = failureOf(LiveConfig.open(zk, root, { ...options, signal: abort.signal }));
    await until(() => zk.metrics().operations.byName.getData?.outcomes.ok ?? 0, { what: 'the load to be under way' });
    abort.abort();
    expect(await within(opening, { what: 'the end' })).toMatchObject({ code: 'ABORTED' });
    await zk.sync('/');
    expect(zk.watches()).toEqual([]);
    if (knows('removeWatches'))
      await until(async () => (await watchedPaths(sharedServer(), clients.chroot + root)).length === 0, {
        what: 'the watches to be gone',
      });
  });
});

describe('layers', () => {
  it('come and go, the later ones over the earlier ones', async () => {
    const root = await plant({ '/all': '{"level":"info","pool":{"min":1,"max":5}}' });
    const paths = { global: `${root}/all`, service: `${root}/cart`, instance: `${root}/cart-7` };
    await using config = await LiveConfig.open(clients.zk, paths, { defaults: { level: 'warn', color: 'red' } });
    expect(config.current).toEqual({ level: 'info', color: 'red', pool: { min: 1, max: 5 } });
    expect([config.path, config.layers.map(({ name }) => name)]).toEqual([
      paths.instance,
      ['global', 'service', 'instance'],
    ]);
    const other = await clients.another();
    await other.create(paths.instance, '{"pool":{"max":9},"color":null}');
    await current<unknown>(config, { level: 'info', pool: { min: 1, max: 9 } });
    await other.create(paths.service, '{"pool":{"max":7,"min":2}}');
    await current<unknown>(config, { level: 'info', pool: { min: 2, max: 9 } });
    const origins = ['level', 'pool.min', 'pool.max', 'color'].map((place) => config.origin(place)?.layer);
    expect(origins).toEqual(['global', 'service', 'instance', undefined]);
    await other.delete(paths.global);
    await current<unknown>(config, { level: 'warn', pool: { min: 2, max: 9 } });
    await other.setData(paths.service, 'x');
    await until(() => config.invalid, { what: 'the wrong layer' });
    expect([config.invalid?.path, config.invalid?.reason]).toEqual([paths.service, 'undecodable']);
  });
});

describe('who follows', () => {
  interface Config {
    readonly db: { readonly host: string; readonly port?: number };
    readonly limits: readonly { readonly max: number }[];
  }

  const first: Config = { db: { host: 'a' }, limits: [{ max: 1 }] };

  async function opened(): Promise<{ config: LiveConfig<Config>; write: (value: unknown) => Promise<void> }> {
    const root = await plant({ '/c': JSON.stringify(first) });
    const config = await LiveConfig.open<Config>(clients.zk, `${root}/c`, { defaultValue: first });
    const write = async (value: unknown): Promise<void> => {
      await clients.zk.setData(`${root}/c`, JSON.stringify(value));
      await current<unknown>(config, value);
    };
    return { config, write };
  }

  it('reads parts, which are typed', async () => {
    const { config } = await opened();
    const host: string = config.get('db.host');
    const port: number | undefined = config.get('db.port');
    const max: number | undefined = config.get('limits.0.max');
    const more: unknown = config.get('nothing.there');
    expect([host, port, max, more, config.get(['db', 'host']), config.get('')]).toEqual([
      'a',
      undefined,
      1,
      undefined,
      'a',
      first,
    ]);
    expect(() => Object.assign(config.current.db, { host: 'x' })).toThrow(TypeError);
    await config.close();
  });

  it('is told of changes with what is different, and of a part only when that is', async () => {
    const { config, write } = await opened();
    const changes: ConfigChange<Config>[] = [];
    const told: unknown[] = [];
    const stop = config.onChange((change) => changes.push(change));
    const stopHost = config.onChange('db.host', (now, before) => told.push(['host', now, before]));
    config.onChange(['db'], (now, before) => told.push(['db', now, before]));
    config.onChange(
      (value) => value.limits.map(({ max }) => max),
      (now, before) => told.push(['max', now, before]),
    );
    await write({ ...first, limits: [{ max: 2 }] });
    expect(changes.at(-1)).toEqual({
      value: { ...first, limits: [{ max: 2 }] },
      previous: first,
      source: 'server',
      differences: [{ type: 'changed', path: 'limits', keys: ['limits'], before: [{ max: 1 }], after: [{ max: 2 }] }],
    });
    expect(told.splice(0)).toEqual([['max', [2], [1]]]);
    await write({ db: { host: 'b', port: 1 }, limits: [{ max: 2 }] });
    expect(told.splice(0)).toEqual([
      ['host', 'b', 'a'],
      ['db', { host: 'b', port: 1 }, { host: 'a' }],
    ]);
    expect(changes.at(-1)?.differences.map(({ type, path }) => `${type} ${path}`)).toEqual([
      'changed db.host',
      'added db.port',
    ]);
    stop();
    stopHost();
    await write({ db: { host: 'c' }, limits: [{ max: 2 }] });
    expect([changes.length, told]).toEqual([2, [['db', { host: 'c' }, { host: 'b', port: 1 }]]]);
    await config.close();
  });

  it('is told nothing of the same written again, though iterations have it', async () => {
    const { config } = await opened();
    const values = config[Symbol.asyncIterator]();
    await values.next();
    const told: unknown[] = [];
    config.onChange((change) => told.push(change));
    await clients.zk.setData(config.path, JSON.stringify(first));
    expect(await within(values.next(), { what: 'the value' })).toEqual({ done: false, value: first });
    expect(told).toEqual([]);
    await config.close();
  });

  it('is taken off by a signal, and by closing', async () => {
    const { config, write } = await opened();
    const abort = new AbortController();
    const told: unknown[] = [];
    config.onChange(() => told.push('aborted'), { signal: abort.signal });
    config.onChange('db', () => told.push('never'), { signal: AbortSignal.abort() });
    config.onChange(() => told.push('all'));
    abort.abort();
    await write({ ...first, limits: [] });
    expect(told).toEqual(['all']);
    expect(() => config.onChange(() => undefined, { sginal: abort.signal } as object)).toThrow(
      'there is no option "sginal"',
    );
    await config.close();
    await clients.zk.setData(config.path, '{}');
    await clients.zk.sync('/');
    expect(told).toEqual(['all']);
  });

  it('M6: may throw, reject or never end: it is told once, and disturbs nobody', async () => {
    const root = await plant({ '/c': '1' });
    const errors: unknown[] = [];
    const told: unknown[] = [];
    const onListenerError = (error: unknown): void => void errors.push((error as Error).message);
    const thrower = (message: string) => (): never => {
      throw new Error(message);
    };
    await using config = await LiveConfig.open<number>(clients.zk, `${root}/c`, {
      onListenerError,
      onInvalid: thrower('invalid'),
    });
    config.onChange(thrower('change'));
    config.onChange(thrower('select'), () => told.push('never'));
    config.onChange(async () => Promise.reject(new Error('reject')));
    config.onChange(() => new Promise(() => undefined));
    config.onChange(
      (value) => value,
      (value) => told.push(value),
    );
    await clients.zk.setData(config.path, '2');
    await until(() => errors.length === 3, { what: 'the errors' });
    expect([errors.sort(), told]).toEqual([['change', 'reject', 'select'], [2]]);
    await clients.zk.setData(config.path, '{');
    await until(() => errors.length === 4, { what: 'the error of the hook' });
    expect([errors.at(-1), config.current]).toEqual(['invalid', 2]);
  });
});

describe('many of the same', () => {
  it('read it once, and each is told', async () => {
    const root = await plant({ '/c': '0' });
    const zk = await clients.another();
    const configs = await Promise.all(Array.from({ length: 1_000 }, () => LiveConfig.open<number>(zk, `${root}/c`)));
    const reads = (): number => zk.metrics().operations.byName.getData?.outcomes.ok ?? 0;
    expect(reads()).toBe(1);
    await clients.zk.setData(`${root}/c`, '1');
    await until(() => configs.every((config) => config.current === 1), { what: '1,000 to be told' });
    expect(reads()).toBe(2);
    const [last, ...others] = configs;
    await Promise.all(others.map((config) => config.close()));
    await clients.zk.setData(`${root}/c`, '2');
    await until(() => last?.current === 2, { what: 'the last one to be told' });
    expect(others.map(({ current: value }) => value)).toEqual(others.map(() => 1));
    await last?.close();
    expect(zk.watches()).toEqual([]);
  });

  it('may come while others go, and after one has failed', async () => {
    const root = await plant({});
    const zk = await clients.another();
    await clients.zk.create(`${root}/c`, '1', { acl: [acl.digest('somebody', 'else')] });
    expect(await failureOf(LiveConfig.open(zk, `${root}/c`))).toMatchObject({ code: 'NO_AUTH' });
    await (await clients.superUser()).setAcl(`${clients.chroot}${root}/c`, acl.open);
    const one = await LiveConfig.open(zk, `${root}/c`);
    const closing = one.close();
    await using two = await LiveConfig.open(zk, `${root}/c`);
    await closing;
    await clients.zk.setData(`${root}/c`, '2');
    await until(() => two.current === 2, { what: 'the change' });
  });
});

describe('update', () => {
  const schema = z.object({ workers: z.number().max(10), name: z.string(), url: z.string() });
  const options = { schema, defaults: { name: 'cart', url: 'http://${name}' }, placeholders: true };

  it('writes what is stored, without defaults, and only what would be taken', async () => {
    const root = await plant({ '/c': '{"workers":4}' });
    await using config = await LiveConfig.open(clients.zk, `${root}/c`, options);
    const done = await config.update<{ workers: number }>((before) => ({ workers: (before?.workers ?? 0) + 1 }));
    expect([done.written, done.before, done.after]).toEqual([true, { workers: 4 }, { workers: 5 }]);
    await current<unknown>(config, { workers: 5, name: 'cart', url: 'http://cart' });
    expect((await clients.zk.getData(`${root}/c`)).json()).toEqual({ workers: 5 });
    for (const [change, message] of [
      [{ workers: 11 }, 'workers: '],
      [{ workers: 5, url: '${none}' }, '${none} stands for nothing'],
    ] as const) {
      const failure = await failureOf(config.update<object>(() => change));
      expect(failure).toMatchObject({ code: 'INVALID_CONFIG' });
      expect((failure as Error).message).toContain(message);
    }
    expect((await clients.zk.getData(`${root}/c`)).json()).toEqual({ workers: 5 });
  });

  it('writes a tree in one transaction', async () => {
    const root = await plant({ '/a': '1', '/b': '2' });
    await using config = await LiveConfig.open<object>(clients.zk, root, { shape: 'tree' });
    await config.update(() => ({ a: 3, c: { d: 4 } }));
    await current<unknown>(config, { a: 3, c: { d: 4 } });
  });

  it('refuses layers', async () => {
    const root = await plant({ '/a': '{}', '/b': '{}' });
    await using config = await LiveConfig.open<object>(clients.zk, { global: `${root}/a`, service: `${root}/b` });
    await expect(config.update(() => ({}))).rejects.toThrow(
      'it is made of layers; write one of them with a ConfigEditor',
    );
  });

  it('keeps encrypted what is encrypted, also in the snapshot', async () => {
    const root = await plant({});
    const folder = await mkdtemp(join(tmpdir(), 'zookit-'));
    const snapshot = { file: join(folder, 'config.json') };
    const encryption = { key: 'ab'.repeat(32) };
    try {
      const config = await LiveConfig.open<{ password: string }>(clients.zk, `${root}/c`, { encryption, snapshot });
      await config.update(() => ({ password: encrypt('s3cret') }));
      await current<unknown>(config, { password: 's3cret' });
      await config.close();
      const text = await readFile(snapshot.file, 'utf8');
      expect(Buffer.from(/"data":"([^"]+)"/.exec(text)?.[1] ?? '', 'base64').toString()).toContain('enc:v1:');
      await clients.zk.setData(`${root}/c`, '{');
      await using again = await LiveConfig.open(clients.zk, `${root}/c`, { encryption, snapshot });
      expect([again.current, again.source]).toEqual([{ password: 's3cret' }, 'snapshot']);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
