/** What an editor writes: large values, encrypted ones, formats, ACLs, trees. */
import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { type Acl, acl, InvalidPathError, parentOf } from 'zookit';
import { ConfigEditor, type ConfigEditorOptions, type ConfigSchema, encrypt, LiveConfig } from 'zookit/recipes';
import { until, within } from '../../support/until.js';
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
    expect(await failureOf(editor.update((before) => before))).toMatchObject({
      code: 'DAMAGED_VALUE',
      path: editor.path,
    });
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
    expect(await failureOf(moved.update((before) => before))).toMatchObject({
      code: 'DECRYPTION',
      keyPath: 'password',
    });
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
    await blind.update((before = { host: '', password: '' }) => ({ ...before, host: 'db2' }));
    expect((await editor.update(() => undefined)).before).toEqual({ host: 'db2', password: 's3cret' });
    expect(await failureOf(blind.set({ host: '', password: encrypt('x') }))).toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
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
            : { issues: [{ message: `${(value as Database).password} is too long`, path: ['password'] }] },
      },
    };
    const editor = await editorOf<Database>({ encryption: { key }, schema });
    await editor.set({ host: '', password: encrypt('short') });
    const failure = await failureOf(editor.set({ host: '', password: encrypt('much too long') }));
    expect(failure).toMatchObject({
      code: 'INVALID_CONFIG',
      keyPath: 'password',
      issues: [{ message: '[secret] is too long' }],
    });
    expect(inspect(failure, { depth: 9, showHidden: true })).not.toContain('much too long');
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
  const list: readonly Acl[] = [acl.digest('me', 'secret'), acl.world('read')];
  const me = { auth: [{ scheme: 'digest', auth: 'me:secret' }] };

  /** Checks that everything in the folder of an editor has the list. */
  async function expectList({ path }: { readonly path: string }): Promise<void> {
    const owner = await clients.superUser();
    const at = clients.chroot + parentOf(path);
    for await (const each of owner.walk(at))
      if (each.depth > 0) expect([each.path, (await owner.getAcl(each.path)).acl]).toEqual([each.path, list]);
  }

  it('are those that were given, for all znodes', async () => {
    const path = `${await clients.folder()}/config`;
    const editor = new ConfigEditor<string>(await clients.another(me), path, { acl: list, split: true, limit: 1_024 });
    await editor.set('small');
    await editor.set(large(5_000));
    await expectList(editor);
    // Others may read it, and the history.
    const other = new ConfigEditor<string>(clients.zk, path, { split: true });
    expect((await other.at(0)).value).toBe('small');
    const failure = await failureOf(other.set('mine'));
    expect(failure).toMatchObject({ code: 'NO_AUTH', path: expect.stringContaining(path) as unknown });
    expect((await other.history()).map(({ version }) => version)).toEqual([1, 0]);
  });

  it('are set for all that is there, and for what comes', async () => {
    const path = `${await clients.folder()}/config`;
    const editor = new ConfigEditor<string>(await clients.another(me), path, { split: true, limit: 1_024 });
    await editor.set(large(5_000));
    await editor.set('small');
    await editor.setAcl(list);
    await expectList(editor);
    await editor.set(large(5_000, 2));
    await expectList(editor);
  });

  it('that forbid the history are told with its path, and the value stays as it is', async () => {
    const path = `${await clients.folder()}/config`;
    const editor = new ConfigEditor<string>(clients.zk, path);
    await editor.set('first');
    const owner = await clients.superUser();
    const history = `${clients.chroot}${path}-__history__`;
    await owner.setAcl(history, [acl.world('read')]);
    expect(await failureOf(editor.set('second'))).toMatchObject({ code: 'NO_AUTH', path: `${path}-__history__` });
    await owner.setAcl(history, [acl.digest('me', 'secret')]);
    expect(await failureOf(editor.history())).toMatchObject({ code: 'NO_AUTH', path: `${path}-__history__` });
    expect(await textOf(path)).toBe('"first"\n');
  });
});

describe('a tree', () => {
  interface App {
    readonly db: { readonly host: string; readonly password?: string };
    readonly limits?: { readonly max: number };
    readonly extra?: unknown;
  }

  async function treeOf(options: ConfigEditorOptions<App> = {}): Promise<ConfigEditor<App>> {
    return await editorOf<App>({ shape: 'tree', indent: 0, ...options }, 'app');
  }

  const none: App = { db: { host: '' } };

  /** What the znodes of the tree hold. */
  async function znodes({ path }: { readonly path: string }): Promise<Record<string, string | null>> {
    const found: Record<string, string | null> = {};
    for await (const each of clients.zk.walk(path)) {
      const { data, isNull } = await clients.zk.getData(each.path);
      found[each.path.slice(path.length)] = isNull ? null : data.toString();
    }
    return found;
  }

  it('is created with a znode for each key, changed and read as one object', async () => {
    const editor = await treeOf();
    const first = await editor.update(() => ({ db: { host: 'a' }, limits: { max: 1 } }));
    expect(first).toMatchObject({ version: 0, before: undefined });
    expect(await znodes(editor)).toEqual({ '': null, '/db': '{"host":"a"}', '/limits': '{"max":1}' });
    const zxid = (await clients.zk.exists(editor.path))?.mzxid;
    expect((await clients.zk.exists(`${editor.path}/limits`))?.mzxid).toEqual(zxid);
    await using config = await LiveConfig.open<App>(await clients.another(), editor.path, { shape: 'tree' });
    expect(config.current).toEqual({ db: { host: 'a' }, limits: { max: 1 } });
    const second = await editor.update((before = none) => ({ ...before, db: { host: 'b' }, extra: [1] }));
    expect(second).toMatchObject({ version: 1, diff: [{ path: 'db.host' }, { path: 'extra' }] });
    expect([...second.znodes.keys()].sort()).toEqual([`${editor.path}/db`, `${editor.path}/extra`]);
    expect((await clients.zk.exists(`${editor.path}/limits`))?.version).toBe(0);
    await until(() => config.current?.extra !== undefined, { what: 'the second version' });
    expect(config.current).toEqual({ db: { host: 'b' }, limits: { max: 1 }, extra: [1] });
    const third = await editor.update(({ limits: _, ...rest } = none) => rest);
    expect([...third.znodes]).toEqual([[`${editor.path}/limits`, null]]);
    expect(await znodes(editor)).toEqual({ '': null, '/db': '{"host":"b"}', '/extra': '[1]' });
  });

  it('keeps the layout that is there', async () => {
    const editor = await treeOf();
    const { path } = editor;
    await clients.zk.create(path, null);
    await clients.zk.create(`${path}/db`, '{ "host" : "a" }');
    await clients.zk.create(`${path}/db/password`, '"x"');
    await clients.zk.create(`${path}/limits.yaml`, 'max: 1 # at night\n');
    await editor.update((before = none) => ({ ...before, db: { host: 'a', password: 'y' } }));
    expect(await znodes(editor)).toEqual({
      '': null,
      '/db': '{ "host" : "a" }',
      '/db/password': '"y"',
      '/limits.yaml': 'max: 1 # at night\n',
    });
    await editor.update(() => ({ db: { host: 'b' }, limits: { max: 2 } }));
    expect(await znodes(editor)).toEqual({ '': null, '/db': '{"host":"b"}', '/limits.yaml': 'max: 2\n' });
  });

  it('is written in one transaction, on condition of all that was read', async () => {
    const editor = await treeOf();
    await editor.set({ db: { host: 'a' }, limits: { max: 1 } });
    let tries = 0;
    const changed = await editor.update(async (before = none) => {
      // Somebody changes the same znode.
      if (++tries === 1) await clients.zk.setData(`${editor.path}/db`, '{"host":"b"}');
      return { ...before, db: { host: `${before.db.host}c` } };
    });
    expect(changed).toMatchObject({ tries: 2, after: { db: { host: 'bc' } } });
    await editor.set({ db: { host: 'a' }, limits: { max: 1 } });
    let calls = 0;
    const result = await editor.update(async (before) => {
      // Somebody who knows nothing of editors changes what this one leaves as it is.
      if (++calls === 1) await clients.zk.setData(`${editor.path}/limits`, '{"max":5}');
      return { db: { host: `${before?.db.host}-${before?.limits?.max}` }, limits: before?.limits } as App;
    });
    expect(result).toMatchObject({ tries: 2, after: { db: { host: 'a-5' }, limits: { max: 5 } } });
  });

  it('of many writers at once loses nothing, and readers never see two versions mixed', async () => {
    const path = `${await clients.folder()}/app`;
    const options = { shape: 'tree', indent: 0, history: 100 } as const;
    const editors = await Promise.all(
      [0, 1, 2].map(async () => new ConfigEditor<Record<string, number>>(await clients.another(), path, options)),
    );
    await editors[0]?.set({ a: 0, b: 0 });
    await using config = await LiveConfig.open<Record<string, number>>(clients.zk, path, { shape: 'tree' });
    const mixed: unknown[] = [];
    const watching = (async () => {
      for await (const value of config) {
        if (value?.a !== value?.b) mixed.push(value);
        if (value?.a === 30) return;
      }
    })();
    await Promise.all(
      editors.flatMap((editor) =>
        Array.from({ length: 10 }, () => editor.update(({ a = 0, b = 0 } = {}) => ({ a: a + 1, b: b + 1 }))),
      ),
    );
    await within(watching, { what: 'the last version' });
    expect(mixed).toEqual([]);
    expect((await editors[0]?.history())?.map(({ version }) => version)).toEqual(
      Array.from({ length: 31 }, (_, index) => 30 - index),
    );
  });

  it('has a history of whole trees', async () => {
    const editor = await treeOf({ encryption: { key } });
    const values: App[] = [
      { db: { host: 'a', password: 's3cret' }, limits: { max: 1 } },
      { db: { host: 'b' }, extra: true },
      { db: { host: 'c' } },
    ];
    await editor.set({ db: { host: 'a', password: encrypt('s3cret') }, limits: { max: 1 } });
    for (const value of values.slice(1)) await editor.set(value);
    for (const [version, value] of values.entries()) expect((await editor.at(version)).value).toEqual(value);
    expect(await editor.rollback(0)).toMatchObject({ version: 3, after: values[0] });
    expect(JSON.stringify(await znodes(editor))).not.toContain('s3cret');
    expect((await editor.update(() => undefined)).before).toEqual(values[0]);
  });

  it('does not lay open what moves to another znode', async () => {
    const editor = await treeOf({ encryption: { key } });
    await editor.set({ db: { host: 'a', password: encrypt('s3cret') } });
    await editor.update((before) => ({ db: { host: 'a' }, extra: { password: before?.db.password } }));
    expect(JSON.stringify(await znodes(editor))).not.toContain('s3cret');
    expect((await editor.update(() => undefined)).before?.extra).toEqual({ password: 's3cret' });
  });

  it('leaves the history of a znode in it alone', async () => {
    const editor = await treeOf();
    await editor.set({ db: { host: 'a' } });
    const single = new ConfigEditor(clients.zk, `${editor.path}/db`);
    await single.set({ host: 'b' });
    expect(await editor.update((before = none) => ({ ...before, extra: 1 }))).toMatchObject({
      before: { db: { host: 'b' } },
    });
    expect((await single.history()).map(({ version }) => version)).toEqual([1, 0]);
  });

  it.each([[{ 'a/b': 1 }], [{ '': 1 }], [{ '..': 1 }], [{ 'a.yaml': 1 }], [{ 'a-__history__': 1 }]])(
    'cannot hold %j',
    async (value) => {
      const editor = await editorOf<object>({ shape: 'tree' });
      expect(await failureOf(editor.set(value))).toMatchObject({ code: 'INVALID_ARGUMENT' });
      expect(await clients.zk.has(editor.path)).toBe(false);
    },
  );

  it('that is too large for one transaction is refused', async () => {
    const editor = await treeOf({ limit: 5_000 });
    const value = { db: { host: large(3_000) }, extra: large(3_000) };
    expect(await failureOf(editor.set(value))).toMatchObject({ code: 'VALUE_TOO_LARGE', limit: 5_000 });
    expect(await clients.zk.has(editor.path)).toBe(false);
  });
});

describe('what an editor is given', () => {
  it.each([
    [{ historyy: 1 }, /no option "historyy"/],
    [{ history: -1 }, /history is -1/],
    [{ history: 1_001 }, /history is 1001/],
    [{ limit: 10 }, /limit is 10/],
    [{ split: 1 }, /split is 1/],
    [{ shape: 'list' }, /shape is list/],
    [{ shape: 'tree', split: true }, /split is for single values/],
    [{ indent: 11 }, /indent is 11/],
    [{ codec: 'xml' }, /"xml"/],
    [{ schema: {} }, /~standard/],
    [{ author: 5 }, /author/],
    [{ acl: 'open' }, /acl must be a list/],
    [{ retry: 5 }, /retry must be/],
    [{ encryption: { key: 'x' } }, /encryption.key/],
  ])('is checked: %j', (options, message) => {
    expect(() => new ConfigEditor(clients.zk, '/x', options as never)).toThrow(message);
  });

  it('is checked for each call, too', async () => {
    expect(() => new ConfigEditor(clients.zk, 'x')).toThrow(InvalidPathError);
    expect(() => new ConfigEditor(clients.zk, '/')).toThrow(/beside the root/);
    const editor = await editorOf();
    for (const options of [
      { dryrun: true },
      { dryRun: 1 },
      { comment: 'x'.repeat(3_000) },
      { timeout: -1 },
      { author: 1 },
    ])
      expect(await failureOf(editor.set(1, options as never))).toMatchObject({ code: 'INVALID_ARGUMENT' });
    for (const version of ['1', 0.5, undefined])
      for (const method of ['at', 'rollback'] as const)
        expect(await failureOf(editor[method](version as never))).toMatchObject({
          code: 'INVALID_ARGUMENT',
          operation: `ConfigEditor.${method}`,
        });
    expect(await failureOf(editor.update(1 as never))).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(await failureOf(editor.history({ limit: 1 } as never))).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(await clients.zk.has(editor.path)).toBe(false);
  });
});
