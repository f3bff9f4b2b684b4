/** What an editor writes: large values, encrypted ones, formats, ACLs, trees. */
import { describe, expect, it } from '@jest/globals';
import { acl, digestId, type ZooKeeper } from 'zookit';
import { ConfigEditor, type ConfigEditorOptions, type ConfigSchema, encrypt, LiveConfig } from 'zookit/recipes';
import { until } from '../../support/until.js';
import { failureOf, useClients } from '../clients.js';

const clients = useClients();
const key = Buffer.alloc(32, 1);

async function editorOf<T>(options: ConfigEditorOptions<T> = {}, name = 'config'): Promise<ConfigEditor<T>> {
  return new ConfigEditor<T>(clients.zk, `${await clients.folder()}/${name}`, options);
}

async function textOf(path: string): Promise<string> {
  return (await clients.zk.getData(path)).text();
}

/** The names of the generations of parts that are there. */
async function generations({ path }: { readonly path: string }): Promise<string[]> {
  return (await clients.zk.has(`${path}-__parts__`)) ? await clients.zk.getChildren(`${path}-__parts__`) : [];
}

/** A value of so many bytes that does not repeat itself. */
function large(bytes: number, seed = 1): string {
  let state = seed;
  let text = '';
  while (text.length < bytes) text += (state = (state * 48_271) % 2_147_483_647).toString(36);
  return text.slice(0, bytes);
}

describe('a large value', () => {
  it('is refused with its size and the limit, and nothing is written', async () => {
    const editor = await editorOf<string>({ indent: 0 });
    const failure = await failureOf(editor.set(large(1_000_000)));
    expect(failure).toMatchObject({
      code: 'VALUE_TOO_LARGE',
      size: 1_000_002,
      limit: 1_000_000,
      operation: 'ConfigEditor.set',
      path: editor.path,
    });
    expect(await failureOf(editor.set(large(1_000_000), { dryRun: true }))).toMatchObject({ code: 'VALUE_TOO_LARGE' });
    expect(await clients.zk.has(editor.path)).toBe(false);
  });

  it('of the limit is written, and one of the limit in its place: the former one goes into parts', async () => {
    const editor = await editorOf<string>({ indent: 0 });
    const [first, second] = [large(999_998, 1), large(999_998, 2)];
    await editor.set(first);
    await editor.set(second);
    expect((await clients.zk.getData(editor.path)).data).toHaveLength(1_000_000);
    expect(await generations(editor)).toHaveLength(1);
    expect([(await editor.at(0)).value === first, (await editor.at(1)).value === second]).toEqual([true, true]);
    await editor.rollback(0);
    expect((await editor.at(2)).value).toBe(first);
  });

  it('is written in parts with `split`, and read back by editors and readers', async () => {
    const editor = await editorOf<string>({ split: true });
    const values = [large(2_500_000, 1), large(3_000_000, 2), 'small'] as const;
    await editor.set(values[0]);
    await using config = await LiveConfig.open<string>(await clients.another(), editor.path);
    expect(config.current === values[0]).toBe(true);
    expect((await clients.zk.getData(editor.path)).data.length).toBeLessThan(300);
    await editor.update((before) => (before === values[0] ? values[1] : 'wrong'));
    await until(() => config.current === values[1], { what: 'the second value' });
    await editor.set(values[2]);
    await until(() => config.current === values[2], { what: 'the third value' });
    for (const [version, value] of values.entries()) expect((await editor.at(version)).value === value).toBe(true);
    expect(await generations(editor)).toHaveLength(2);
    await editor.rollback(0);
    expect((await editor.update(() => undefined)).before === values[0]).toBe(true);
  });

  it('leaves no parts that nothing names', async () => {
    const editor = await editorOf<string>({ split: true, limit: 1_024, history: 2 });
    for (let round = 0; round < 6; round++) {
      await editor.set(large(5_000, round + 1));
      expect(await generations(editor)).toHaveLength(Math.min(round + 1, 3));
    }
    await editor.set('small');
    await editor.set('smaller');
    await editor.set('smallest');
    expect(await generations(editor)).toEqual([]);
    const without = new ConfigEditor<string>(clients.zk, editor.path, { split: true, limit: 1_024, history: 0 });
    await without.set(large(5_000, 1));
    await without.set(large(5_000, 2));
    expect(await generations(without)).toHaveLength(1);
  });

  it('leaves no parts where somebody else was faster', async () => {
    const editor = await editorOf<string>({ split: true, limit: 1_024 });
    let calls = 0;
    await editor.update(async () => {
      if (++calls === 1) await clients.zk.create(editor.path, '"other"');
      return large(5_000);
    });
    await until(async () => (await generations(editor)).length === 1, { what: 'the parts of the first try to go' });
    expect((await editor.update(() => undefined)).before).toBe(large(5_000));
  });

  it('that has come to harm is told, may be overwritten, and is no reason to trust the rest', async () => {
    const editor = await editorOf<string>({ split: true, limit: 1_024 });
    await editor.set(large(5_000));
    const [generation = ''] = await generations(editor);
    const part = `${editor.path}-__parts__/${generation}/1`;
    const { data } = await clients.zk.getData(part);
    await clients.zk.setData(part, Buffer.from(data).fill('x', 0, 1));
    expect(await failureOf(editor.update((before) => before))).toMatchObject({ code: 'DAMAGED_VALUE', path: editor.path });
    expect(await failureOf(LiveConfig.open(clients.zk, editor.path))).toMatchObject({ code: 'INVALID_CONFIG' });
    await clients.zk.delete(part);
    expect(await failureOf(editor.update((before) => before))).toMatchObject({ code: 'DAMAGED_VALUE' });
    await editor.set('good');
    expect(await failureOf(editor.at(0))).toMatchObject({ code: 'DAMAGED_VALUE' });
    expect((await editor.at(1)).value).toBe('good');
  });

  it('that looks like a manifest is written in parts', async () => {
    const codec = { name: 'text', decode: String, encode: (value: unknown) => value as string };
    const editor = await editorOf<string>({ codec });
    await editor.set('\0zookit-parts 1\n{}');
    expect((await editor.update(() => undefined)).before).toBe('\0zookit-parts 1\n{}');
  });
});

describe('encrypted values', () => {
  interface Database {
    readonly host: string;
    readonly password: string;
  }

  it('stand as texts in the znode, in the diff and in the history, and are read by those who have the key', async () => {
    const editor = await editorOf<Database>({ encryption: { key } });
    await editor.set({ host: 'db1', password: encrypt('s3cret') });
    const result = await editor.update((before) => ({ host: 'db2', password: before?.password ?? '' }));
    expect(result).toMatchObject({
      before: { host: 'db1', password: 's3cret' },
      after: { host: 'db2', password: 's3cret' },
      diff: [{ path: 'host' }],
    });
    const changed = await editor.update((before) => ({ host: before?.host ?? '', password: 'n3w' }));
    expect(changed.diff).toMatchObject([{ path: 'password', after: expect.stringMatching(/^enc:v1:1:/) as unknown }]);
    const all: string[] = [];
    for await (const { path } of clients.zk.walk(editor.path.slice(0, -'/config'.length))) all.push(await textOf(path));
    expect(all.join('\n')).toMatch(/enc:v1:1:/);
    expect(all.join('\n')).not.toMatch(/s3cret|n3w/);
    expect((await editor.at(0)).value).toEqual({ host: 'db1', password: 's3cret' });
    await using config = await LiveConfig.open<Database>(clients.zk, editor.path, { encryption: { key } });
    expect(config.current).toEqual({ host: 'db2', password: 'n3w' });
  });

  it('are bound to the znode, whichever chroot the client has', async () => {
    const editor = await editorOf<Database>({ encryption: { key } });
    await editor.set({ host: 'db1', password: encrypt('s3cret') });
    const folder = editor.path.slice(0, -'/config'.length);
    const below = await clients.another({}, folder);
    const same = new ConfigEditor<Database>(below, '/config', { encryption: { key } });
    expect((await same.update(() => undefined)).before).toEqual({ host: 'db1', password: 's3cret' });
    await clients.zk.create(`${folder}/other`, await textOf(editor.path));
    const moved = new ConfigEditor<Database>(clients.zk, `${folder}/other`, { encryption: { key } });
    expect(await failureOf(moved.update((before) => before))).toMatchObject({ code: 'DECRYPTION', keyPath: 'password' });
  });

  it('are written anew with another key, in a version of its own', async () => {
    const old = await editorOf<Database>({ encryption: { key, keyId: 'old' } });
    await old.set({ host: 'db1', password: encrypt('s3cret') });
    const encryption = { key: Buffer.alloc(32, 2), keyId: 'new', olderKeys: { old: key } };
    const editor = new ConfigEditor<Database>(clients.zk, old.path, { encryption });
    expect(await editor.reencrypt()).toMatchObject({ written: true, version: 1, after: { password: 's3cret' } });
    expect(await editor.reencrypt()).toMatchObject({ written: false });
    expect(await textOf(old.path)).toMatch(/enc:v1:new:/);
    const { olderKeys: _, ...young } = encryption;
    const younger = new ConfigEditor<Database>(clients.zk, old.path, { encryption: young });
    expect((await younger.update(() => undefined)).before).toEqual({ host: 'db1', password: 's3cret' });
    expect(await failureOf(younger.at(0))).toMatchObject({ code: 'DECRYPTION', keyId: 'old' });
  });

  it('are left as they are without a key, and cannot be made', async () => {
    const editor = await editorOf<Database>({ encryption: { key } });
    await editor.set({ host: 'db1', password: encrypt('s3cret') });
    const blind = new ConfigEditor<Database>(clients.zk, editor.path);
    await blind.update((before) => ({ ...(before as Database), host: 'db2' }));
    expect((await editor.update(() => undefined)).before).toEqual({ host: 'db2', password: 's3cret' });
    expect(await failureOf(blind.set({ host: '', password: encrypt('x') }))).toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('with a wrong key are refused, and nothing is written', async () => {
    const editor = await editorOf<Database>({ encryption: { key } });
    await editor.set({ host: 'db1', password: encrypt('s3cret') });
    const wrong = new ConfigEditor<Database>(clients.zk, editor.path, { encryption: { key: Buffer.alloc(32, 9) } });
    expect(await failureOf(wrong.update(() => ({ host: '', password: '' })))).toMatchObject({
      code: 'DECRYPTION',
      keyPath: 'password',
      path: editor.path,
    });
    expect((await clients.zk.exists(editor.path))?.version).toBe(0);
  });

  it('are checked by the schema as what they stand for', async () => {
    const schema: ConfigSchema<Database> = {
      '~standard': {
        version: 1,
        vendor: 'zookit-tests',
        validate: (value) =>
          (value as Database).password.length < 10
            ? { value: value as Database }
            : { issues: [{ message: 'too long', path: ['password'] }] },
      },
    };
    const editor = await editorOf<Database>({ encryption: { key }, schema });
    await editor.set({ host: '', password: encrypt('short') });
    expect(await failureOf(editor.set({ host: '', password: encrypt('much too long') }))).toMatchObject({
      code: 'INVALID_CONFIG',
      keyPath: 'password',
    });
  });
});

describe('formats', () => {
  const value = { name: 'a b', text: 'ä"\\#!=: $x`\n\tend ', path: '/x/y.z', count: 5, on: true };
  const texts = { ...value, count: '5', on: 'true' };

  it.each([
    ['config.json', value],
    ['config', value],
    ['config.yaml', value],
    ['config.yml', value],
    ['config.properties', texts],
    ['config.env', texts],
  ])('%s is read as it was written', async (name, expected) => {
    const editor = await editorOf<unknown>({}, name);
    const { after } = await editor.set(value);
    expect(after).toEqual(expected);
    await using config = await LiveConfig.open(clients.zk, editor.path);
    expect(config.current).toEqual(expected);
    expect(await editor.set(value)).toMatchObject({ written: false });
  });

  it('properties may be nested', async () => {
    const editor = await editorOf<unknown>({ codec: 'properties' });
    await editor.set({ db: { host: 'a', 'key with = and :': '' }, '#no comment': ' leading' });
    expect((await editor.update(() => undefined)).before).toEqual({
      db: { host: 'a', 'key with = and :': '' },
      '#no comment': ' leading',
    });
  });

  it.each([
    ['config.properties', { 'a.b': 1 }],
    ['config.properties', { a: [1] }],
    ['config.properties', { a: null }],
    ['config.properties', 'text'],
    ['config.env', { a: { b: 1 } }],
    ['config.env', { 'a b': 1 }],
    ['config.txt', { a: 1 }],
    ['config.json', () => undefined],
  ])('%s cannot hold %j', async (name, bad) => {
    const editor = await editorOf<unknown>({}, name);
    expect(await failureOf(editor.set(bad))).toMatchObject({ code: 'INVALID_ARGUMENT', path: editor.path });
    expect(await clients.zk.has(editor.path)).toBe(false);
  });

  it('may be one’s own', async () => {
    const codec = {
      name: 'reversed',
      decode: (bytes: Buffer) => [...bytes.toString()].reverse().join(''),
      encode: async (text: unknown) => Buffer.from([...(text as string)].reverse().join('')),
    };
    const editor = await editorOf<string>({ codec });
    await editor.set('abc');
    expect([await textOf(editor.path), (await editor.update(() => undefined)).before]).toEqual(['cba', 'abc']);
    const readOnly = { name: 'read-only', decode: codec.decode } as never;
    expect(() => new ConfigEditor(clients.zk, '/x', { codec: readOnly })).toThrow(/has no function encode/);
  });
});

describe('ACLs', () => {
  const mine = { scheme: 'digest', id: 'me:secret' } as const;

  async function owner(): Promise<ZooKeeper> {
    return await clients.another({ auth: [{ scheme: 'digest', credentials: mine.id }] as never });
  }

  it('are those that were given, for all znodes', async () => {
    const list = [...acl.open(), { scheme: 'digest', id: digestId('me', 'secret'), permissions: ['admin'] }] as never;
    const editor = await editorOf<string>({ acl: list, split: true, limit: 1_024 });
    await editor.set('small');
    await editor.set(large(5_000));
    const folder = editor.path.slice(0, -'/config'.length);
    for await (const { path, depth } of clients.zk.walk(folder))
      if (depth > 0) expect([path, (await clients.zk.getAcl(path)).acl]).toEqual([path, list]);
  });
});
