import { describe, expect, it } from '@jest/globals';
import { Ajv } from 'ajv';
import * as v from 'valibot';
import { z } from 'zod';
import { type LiveConfigOptions, readSetting } from '../../../../recipes/config/config-options.js';
import { ConfigReader, type ReadConfig, type StoredLayer } from '../../../../recipes/config/config-reader.js';
import { ValueCipher } from '../../../../recipes/config/encryption.js';
import { InvalidConfigError } from '../../../../recipes/config/errors.js';
import { ajvSchema } from '../../../../recipes/config/schema.js';

const subject = { operation: 'test', path: '/c' };

/** A layer of a tree, by the paths below it. */
function layer(name: string, path: string, data: Readonly<Record<string, string | null>>): StoredLayer {
  const znodes = Object.entries(data).map(([below, text]) => ({
    path: path + below,
    data: Buffer.from(text ?? ''),
    isNull: text === null,
  }));
  return { name, path, znodes };
}

const one = (text: string | null): StoredLayer => layer('/c', '/c', { '': text });
const tree = (data: Readonly<Record<string, string | null>>): StoredLayer => layer('/c', '/c', data);

async function read<T>(options: LiveConfigOptions<T>, ...stored: StoredLayer[]): Promise<ReadConfig<T>> {
  const reader = new ConfigReader(readSetting(zk, options, subject), '/c');
  return await reader.read(stored);
}

async function refusal(options: LiveConfigOptions<unknown>, ...stored: StoredLayer[]): Promise<InvalidConfigError> {
  const outcome: unknown = await read(options, ...stored).catch((error: unknown) => error);
  if (outcome instanceof InvalidConfigError) return outcome;
  throw new Error(`it was to be refused, and is ${JSON.stringify(outcome)}`);
}

const zk = { root: '/' };

describe('one znode', () => {
  it('is what its decoder makes of it, frozen', async () => {
    const config = await read({}, one('{"a":[{"b":null}]}'));
    expect([config.value, config.isStored]).toEqual([{ a: [{ b: null }] }, true]);
    expect(Object.isFrozen((config.value as { a: object[] }).a[0])).toBe(true);
    expect((await read({ decoder: 'properties' }, one('a.b=1'))).value).toEqual({ a: { b: '1' } });
  });

  it('is the default where there is none, as it is', async () => {
    const none = { ...one(''), znodes: [] };
    const schema = z.never();
    const config = await read<unknown>({ schema, defaultValue: { a: 1 } }, none);
    expect([config.value, config.isStored, config.originOf(['a'])]).toEqual([{ a: 1 }, false, undefined]);
    expect((await read({}, none)).value).toBeUndefined();
  });

  it.each<[string, string | null, string, object]>([
    ['no JSON', '{', 'the data is no JSON', { reason: 'undecodable', path: '/c', keyPath: undefined }],
    ['nothing', '', 'the data is no JSON', { reason: 'undecodable' }],
    ['null', null, 'the data is no JSON', { reason: 'undecodable' }],
    [
      'a key __proto__',
      '{"a":{"__proto__":{"x":1}}}',
      'a: a key __proto__ is not allowed',
      { reason: 'forbidden', keyPath: 'a' },
    ],
    ['too deep', '['.repeat(200) + ']'.repeat(200), 'there are more than 100 levels of objects', { reason: 'tooDeep' }],
    [
      'a placeholder',
      '{"a":"${b}"}',
      'a: ${b} stands for nothing, and has no default',
      { reason: 'placeholder', keyPath: 'a' },
    ],
    [
      'a circle',
      '{"a":"${b}","b":"${a}"}',
      'a: placeholders stand for themselves: a -> b -> a',
      { reason: 'placeholder' },
    ],
  ])('%s is refused', async (_, data, message, fields) => {
    const error = await refusal({ placeholders: true }, one(data));
    expect(error.message).toContain('LiveConfig /c: ');
    expect(error.message).toContain(message);
    expect(error).toMatchObject({ code: 'INVALID_CONFIG', issues: [], ...fields });
  });

  it('shows nothing of its data where it is refused', async () => {
    const { message } = await refusal({}, one('{"password": s3cret}'));
    expect(message).toBe('LiveConfig /c: the data is no JSON');
  });
});

describe('a tree', () => {
  const options = { shape: 'tree' } as const;

  it('is an object of the names of its znodes', async () => {
    const stored = tree({
      '': null,
      '/workers': '4',
      '/db': '',
      '/db/hosts': '["a","b"]',
      '/db/tls': 'true',
      '/empty': null,
    });
    const config = await read(options, stored);
    expect(config.value).toEqual({ workers: 4, db: { hosts: ['a', 'b'], tls: true }, empty: {} });
    expect(config.originOf(['db', 'hosts'])).toEqual({ layer: '/c', path: '/c/db/hosts' });
    expect(config.originOf(['db', 'hosts', '0'])).toEqual({ layer: '/c', path: '/c/db/hosts' });
    expect(config.originOf(['none'])).toBeUndefined();
  });

  it('is decoded by the extensions of its names', async () => {
    const stored = tree({
      '': '{"x":1}',
      '/a.yaml': 'b: 2',
      '/b.env': 'C=3',
      '/d.txt': ' e ',
      '/f.properties': 'g.h=4',
    });
    expect((await read(options, stored)).value).toEqual({
      x: 1,
      a: { b: 2 },
      b: { C: '3' },
      d: ' e ',
      f: { g: { h: '4' } },
    });
    const texts = await read({ ...options, decoder: 'text' }, tree({ '': null, '/a.yaml': 'b: 2', '/c': '' }));
    expect(texts.value).toEqual({ 'a.yaml': 'b: 2', c: '' });
  });

  it('may be all there is', async () => {
    const all = (data: Record<string, string | null>): StoredLayer => ({ ...layer('/', '', data), path: '/' });
    expect((await read(options, all({ '/': null, '/a': null, '/a/b': '1' }))).value).toEqual({ a: { b: 1 } });
    expect((await read({ ...options, decoder: 'text' }, all({ '/': '' }))).value).toBe('');
  });

  it('has the data of znodes with children, too', async () => {
    const stored = tree({ '': '{"a":{"x":1}}', '/b': '{"x":1}', '/b/y': '2' });
    expect((await read(options, stored)).value).toEqual({ a: { x: 1 }, b: { x: 1, y: 2 } });
  });

  it.each<[string, Record<string, string | null>, string, string]>([
    ['two znodes for one key', { '': null, '/a': '1', '/a.json': '2' }, '/c/a.json', 'ambiguous'],
    ['a key in the data, too', { '': '{"a":1}', '/a': '1' }, '/c/a', 'ambiguous'],
    ['children of what is no object', { '': null, '/a': '[1]', '/a/b': '1' }, '/c/a', 'ambiguous'],
    ['a leaf that is not decoded', { '': null, '/a': '1', '/b': 'x' }, '/c/b', 'undecodable'],
    ['a leaf without a byte', { '': null, '/a': '' }, '/c/a', 'undecodable'],
    ['a znode __proto__', { '': null, '/__proto__': '{"x":1}' }, '/c/__proto__', 'forbidden'],
    [
      'a znode __proto__ with an extension',
      { '': null, '/__proto__.json': '{"x":1}' },
      '/c/__proto__.json',
      'forbidden',
    ],
    ['a key __proto__', { '': null, '/a': '{"__proto__":1}' }, '/c/a', 'forbidden'],
  ])('with %s is refused, and told which', async (_, data, path, reason) => {
    expect(await refusal(options, tree(data))).toMatchObject({ path, reason });
    expect(({} as { x?: unknown }).x).toBeUndefined();
  });
});

describe('layers', () => {
  const global = layer('global', '/g', { '': '{"a":1,"o":{"x":1,"y":1},"l":[1,2],"n":1}' });
  const none = layer('zone', '/z', {});
  const instance = layer('instance', '/i', { '': '{"o":{"y":2},"l":[3],"n":null,"b":null}' });

  it('are merged, the later ones over the earlier ones', async () => {
    const config = await read({ defaults: { a: 0, d: 0, o: { z: 0 } } }, global, none, instance);
    expect(config.value).toEqual({ a: 1, d: 0, o: { x: 1, y: 2, z: 0 }, l: [3] });
  });

  it('say where each value comes from', async () => {
    const config = await read({ defaults: { a: 0, d: 0, o: { z: 0 } } }, global, none, instance);
    const origin = (path: string): string | undefined => config.originOf(path.split('.'))?.layer;
    expect(['a', 'd', 'o.x', 'o.y', 'o.z', 'o', 'l', 'l.0', 'l.1', 'n', 'b', 'none', 'a.b'].map(origin)).toEqual([
      ...['global', 'defaults', 'global', 'instance', 'defaults', 'instance', 'instance', 'instance'],
      ...[undefined, undefined, undefined, undefined, undefined],
    ]);
    expect(config.originOf(['o', 'x'])).toEqual({ layer: 'global', path: '/g' });
    expect(config.originOf(['d'])).toEqual({ layer: 'defaults', path: undefined });
  });

  it('that are all missing leave the defaults, which are validated', async () => {
    const config = await read(
      { schema: z.object({ a: z.number() }), defaults: { a: 1 } },
      { ...global, znodes: [] },
      none,
    );
    expect([config.value, config.isStored]).toEqual([{ a: 1 }, false]);
    expect(await refusal({ schema: z.object({ a: z.number() }), defaults: {} }, none)).toMatchObject({
      reason: 'schema',
    });
  });

  it('have placeholders across them', async () => {
    const service = layer('service', '/s', { '': '{"url":"http://${host}:${port:80}/${env:ZONE}"}' });
    const config = await read(
      { placeholders: { env: { ZONE: 'eu' } }, defaults: { host: 'a' } },
      service,
      layer('instance', '/i', { '': '{"host":"b"}' }),
    );
    expect(config.value).toEqual({ url: 'http://b:80/eu', host: 'b' });
    expect((await read({}, service)).value).toEqual({ url: 'http://${host}:${port:80}/${env:ZONE}' });
  });

  it('that are wrong are named', async () => {
    const schema = z.object({ o: z.object({ y: z.string() }) });
    const error = await refusal({ schema }, global, instance);
    expect([error.path, error.reason, error.keyPath, error.issues.length]).toEqual(['/i', 'schema', 'o.y', 1]);
    expect(await refusal({ placeholders: true }, layer('a', '/a', { '': '{"x":"${no}"}' }), instance)).toMatchObject({
      path: '/a',
    });
  });

  it('do not make what is not theirs', async () => {
    const evil = layer('global', '/g', { '': '{"__proto__":{"polluted":true}}' });
    expect(await refusal({}, evil, instance)).toMatchObject({ reason: 'forbidden', path: '/g' });
    const constructor = layer('global', '/g', { '': '{"constructor":{"prototype":{"polluted":true}}}' });
    expect((await read({}, constructor, instance)).value).toMatchObject({
      constructor: { prototype: { polluted: true } },
    });
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });
});

describe('a schema', () => {
  const good = one('{"workers":4,"more":1}');
  const bad = one('{"workers":"4"}');

  it('of zod', async () => {
    const schema = z.object({ workers: z.number().int(), name: z.string().default('cart') });
    const { value } = await read({ schema }, good);
    const name: string = value?.name ?? '';
    expect([value, name]).toEqual([{ workers: 4, name: 'cart' }, 'cart']);
    expect((await refusal({ schema }, bad)).message).toMatch(
      /^LiveConfig \/c: the value is not valid: workers: .*number/,
    );
  });

  it('of zod, asynchronous', async () => {
    const schema = z.object({
      workers: z.number().refine(async (workers) => Promise.resolve(workers < 4), 'too many'),
    });
    expect((await refusal({ schema }, good)).message).toContain('workers: too many');
  });

  it('of valibot', async () => {
    const schema = v.object({ workers: v.pipe(v.number(), v.integer()), name: v.optional(v.string(), 'cart') });
    const { value } = await read({ schema }, good);
    const workers: number = value?.workers ?? 0;
    expect([value, workers]).toEqual([{ workers: 4, name: 'cart' }, 4]);
    expect(await refusal({ schema }, bad)).toMatchObject({ keyPath: 'workers', reason: 'schema' });
  });

  it('of ajv, which may change what it is given', async () => {
    interface Config {
      readonly workers: number;
      readonly name: string;
    }
    const ajv = new Ajv({ useDefaults: true, coerceTypes: true, removeAdditional: 'all', allErrors: true });
    const schema = ajvSchema(
      ajv.compile<Config>({
        type: 'object',
        properties: {
          workers: { type: 'integer' },
          name: { type: 'string', default: 'cart' },
          'a/b': { type: 'integer' },
        },
        required: ['workers'],
      }),
    );
    const reader = new ConfigReader<Config>(readSetting<Config>(zk, { schema }, subject), '/c');
    expect((await reader.read([good])).value).toEqual({ workers: 4, name: 'cart' });
    // What was decoded once is not changed for the next time.
    expect((await reader.read([good])).value).toEqual({ workers: 4, name: 'cart' });
    expect((await reader.read([bad])).value).toEqual({ workers: 4, name: 'cart' });
    const error = await refusal({ schema }, one('{"a/b":"x","workers":[]}'));
    expect(error.issues.map(({ path }) => path).sort()).toEqual([['a/b'], ['workers']]);
    expect((await refusal({ schema }, one('{}'))).message).toContain("must have required property 'workers'");
  });

  it('shows nothing of what was encrypted', async () => {
    const encryption = { key: 'ab'.repeat(32) };
    const cipher = new ValueCipher(encryption, subject);
    const password = await cipher.encrypt('s3cret', { znode: '/c', keys: ['password'] });
    const stored = one(JSON.stringify({ password, url: 'x' }));
    const schema = v.object({ password: v.literal('other'), url: v.literal('y') });
    const { message, issues } = await refusal({ schema, encryption }, stored);
    expect([message, JSON.stringify(issues)].join()).not.toContain('s3cret');
    expect(message).toContain('[secret]');
    const throwing = z.custom((value) => {
      throw new Error(JSON.stringify(value));
    });
    expect((await refusal({ schema: throwing, encryption }, stored)).cause).toBeUndefined();
    expect((await read({ encryption }, stored)).value).toEqual({ password: 's3cret', url: 'x' });
  });

  it('that throws is refused like a value', async () => {
    const schema = z.custom(() => {
      throw new Error('unlucky');
    });
    const error = await refusal({ schema }, good);
    expect([error.reason, (error.cause as Error).message]).toEqual(['schemaFailed', 'unlucky']);
  });
});

describe('options', () => {
  it.each<[object, string]>([
    [{ schema: {} }, 'the schema has no "~standard" interface; one of ajv is made by ajvSchema(validate)'],
    [{ shape: 'list' }, 'shape is list; it must be "value" or "tree"'],
    [{ watches: 'all' }, 'watches is all; it must be "auto" or "oneShot"'],
    [{ decoder: 'toml' }, 'decoder is "toml"; it must be one of "auto", "json", "yaml", "properties", "env", "text"'],
    [{ defaults: [] }, 'defaults must be a plain object'],
    [{ defaults: {}, defaultValue: 1 }, 'defaults and defaultValue exclude each other'],
    [{ placeholders: 'yes' }, 'placeholders must be true, false or { env }'],
    [{ placeholders: { environment: {} } }, 'there is no option "environment"'],
    [{ placeholders: { env: 1 } }, 'placeholders.env must be an object of texts, or false'],
    [{ snapshot: {} }, 'snapshot.file must be the path of a file'],
    [{ snapshot: { file: '/f', maxAge: 0 } }, 'snapshot.maxAge is 0; it must be milliseconds, above 0'],
    [{ snapshot: { file: '/f', wait: -1 } }, 'snapshot.wait is -1'],
    [{ snapshot: { file: '/f', mode: 1 } }, 'there is no option "mode"'],
    [{ onInvalid: 1 }, 'onInvalid is no function'],
    [{ onListenerError: 1 }, 'onListenerError is no function'],
    [{ encryption: {} }, 'encryption.key'],
  ])('%j are refused', (options, message) => {
    expect(() => readSetting(zk, options as LiveConfigOptions<unknown>, subject)).toThrow(message);
  });
});
