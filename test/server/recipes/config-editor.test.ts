import { describe, expect, it } from '@jest/globals';
import { Long, retries } from 'zookit';
import {
  ConfigEditor,
  type ConfigEditorOptions,
  type ConfigSchema,
  type ConfigVersion,
  LiveConfig,
} from 'zookit/recipes';
import { until } from '../../support/until.js';
import { failureOf, useClients } from '../clients.js';

const clients = useClients();

interface Cart {
  readonly workers: number;
  readonly password?: string;
}

/** Takes whole numbers of workers; it doubles them, which is for readers alone. */
const schema: ConfigSchema<Cart> = {
  '~standard': {
    version: 1,
    vendor: 'zookit-tests',
    validate: async (value) => {
      const { workers } = value as Cart;
      if (Number.isInteger(workers)) return { value: { workers: 2 * workers } };
      return { issues: [{ message: 'must be a whole number', path: ['workers'] }] };
    },
  },
};

async function editorOf<T = Cart>(options: ConfigEditorOptions<T> = {}): Promise<ConfigEditor<T>> {
  return new ConfigEditor<T>(clients.zk, `${await clients.folder()}/config`, options);
}

async function textOf(path: string): Promise<string> {
  return (await clients.zk.getData(path)).text();
}

/** All znodes beside a configuration, in order. */
async function beside({ path }: { readonly path: string }, suffix: string): Promise<string[]> {
  const found: string[] = [];
  try {
    for await (const each of clients.zk.walk(`${path}-__${suffix}__`)) if (each.depth > 0) found.push(each.path);
  } catch {
    // There are none.
  }
  return found;
}

const inShort = ({ version, author, comment, recorded, kept, missing }: ConfigVersion): unknown[] => [
  version,
  author,
  comment,
  recorded,
  kept,
  missing,
];

describe('update', () => {
  it('creates the znode, with its parents, and changes it then', async () => {
    const path = `${await clients.folder()}/a/b/config`;
    const editor = new ConfigEditor<Cart>(clients.zk, path);
    const first = await editor.update((before) => ({ workers: (before?.workers ?? 0) + 1 }));
    expect(first).toMatchObject({ written: true, version: 0, before: undefined, after: { workers: 1 }, tries: 1 });
    expect(first.diff).toEqual([{ type: 'added', path: '', keys: [], before: undefined, after: { workers: 1 } }]);
    const second = await editor.update(async (before) => ({ workers: (before?.workers ?? 0) + 1 }));
    expect(second).toMatchObject({ version: 1, before: { workers: 1 }, after: { workers: 2 } });
    expect(second.diff).toEqual([{ type: 'changed', path: 'workers', keys: ['workers'], before: 1, after: 2 }]);
    expect(await textOf(path)).toBe('{\n  "workers": 2\n}\n');
    expect((await clients.zk.exists(path))?.version).toBe(1);
  });

  it('gives a copy, which may be changed in place', async () => {
    const editor = await editorOf<{ list: number[] }>({ indent: 0 });
    await editor.set({ list: [1] });
    const { before, after, diff } = await editor.update((value) => {
      value?.list.push(2);
      return value;
    });
    expect([before, after, diff.map(({ path }) => path)]).toEqual([{ list: [1] }, { list: [1, 2] }, ['list']]);
    expect(await textOf(editor.path)).toBe('{"list":[1,2]}');
  });

  it('writes nothing where nothing is different, or nothing is given', async () => {
    const editor = await editorOf();
    expect(await editor.update(() => undefined)).toMatchObject({
      written: false,
      version: undefined,
      before: undefined,
    });
    expect(await clients.zk.has(editor.path)).toBe(false);
    await clients.zk.create(editor.path, '{ "workers":   1}');
    const same = await editor.update(() => ({ workers: 1 }));
    expect(same).toMatchObject({ written: false, version: 0, id: undefined, diff: [], after: { workers: 1 } });
    expect([same.znodes.size, await textOf(editor.path)]).toEqual([0, '{ "workers":   1}']);
  });

  it('dry run: gives the diff and the bytes, and writes nothing at all', async () => {
    const editor = await editorOf({ split: true, limit: 1_024 });
    const parent = editor.path.slice(0, -'/config'.length);
    for (const workers of [1, 10 ** 300]) {
      const dry = await editor.update(() => ({ workers, password: 'x'.repeat(workers > 1 ? 5_000 : 1) }), {
        dryRun: true,
      });
      expect(dry).toMatchObject({ written: false, version: undefined, id: undefined, after: { workers } });
      expect(dry.diff).toHaveLength(1);
      expect(JSON.parse(String(dry.znodes.get(editor.path)))).toMatchObject({ workers });
    }
    expect(await clients.zk.getChildren(parent)).toEqual([]);
    const failure = await failureOf(
      new ConfigEditor(clients.zk, editor.path, { schema }).set({ workers: 0.5 }, { dryRun: true }),
    );
    expect(failure).toMatchObject({ code: 'INVALID_CONFIG' });
  });

  it('never writes what the schema does not take, and never what the schema makes of it', async () => {
    const editor = await editorOf({ schema });
    await editor.set({ workers: 3 });
    const failure = await failureOf(editor.update(() => ({ workers: 0.5 })));
    expect(failure).toMatchObject({
      code: 'INVALID_CONFIG',
      reason: 'schema',
      keyPath: 'workers',
      operation: 'ConfigEditor.update',
      path: editor.path,
    });
    // What readers would see is what counts: JSON makes null of it.
    expect(await failureOf(editor.update(() => ({ workers: NaN })))).toMatchObject({ code: 'INVALID_CONFIG' });
    expect(JSON.parse(await textOf(editor.path))).toEqual({ workers: 3 });
    expect((await clients.zk.exists(editor.path))?.version).toBe(0);
  });

  it('refuses to be made of what is no value; set writes in its place, and the history keeps it', async () => {
    const editor = await editorOf();
    await clients.zk.create(editor.path, '{"workers":');
    const failure = await failureOf(editor.update(() => ({ workers: 1 })));
    expect(failure).toMatchObject({ code: 'INVALID_CONFIG', reason: 'undecodable' });
    expect(await editor.set({ workers: 1 })).toMatchObject({ written: true, version: 1, before: undefined });
    expect((await editor.history()).map(inShort)).toEqual([
      [1, null, null, true, true, 0],
      [0, null, null, false, true, 0],
    ]);
    expect(await failureOf(editor.at(0))).toMatchObject({ code: 'INVALID_CONFIG' });
    expect(await failureOf(editor.rollback(0))).toMatchObject({ code: 'INVALID_CONFIG' });
  });

  it('passes on what the function throws, and what ends the wait', async () => {
    const editor = await editorOf();
    const error = new Error('mine');
    expect(await failureOf(editor.update(() => Promise.reject(error)))).toBe(error);
    const never = editor.update(() => new Promise(() => undefined), { timeout: 50 });
    expect(await failureOf(never)).toMatchObject({ code: 'OPERATION_TIMEOUT', mayHaveBeenApplied: false });
    const aborted = editor.update(() => ({ workers: 1 }), { signal: AbortSignal.abort() });
    expect(await failureOf(aborted)).toMatchObject({ code: 'ABORTED', mayHaveBeenApplied: false });
    expect(await clients.zk.has(editor.path)).toBe(false);
  });

  it('is made again of the newer value when somebody else was faster, as often as the policy allows', async () => {
    const editor = await editorOf();
    await editor.set({ workers: 0 });
    const other = new ConfigEditor<Cart>(await clients.another(), editor.path);
    const increment = (before: Cart | undefined): Cart => ({ workers: (before?.workers ?? 0) + 1 });
    let calls = 0;
    const result = await editor.update(async (before) => {
      if (++calls <= 2) await other.update(increment);
      return increment(before);
    });
    expect(result).toMatchObject({ before: { workers: 2 }, after: { workers: 3 }, version: 3, tries: 3 });
    const impatient = new ConfigEditor<Cart>(clients.zk, editor.path, { retry: retries.times(2, 0) });
    const failure = impatient.update(async (before) => {
      await other.update(increment);
      return increment(before);
    });
    expect(await failureOf(failure)).toMatchObject({ code: 'CONTENTION', operation: 'ConfigEditor.update' });
    expect(await other.update(() => undefined)).toMatchObject({ before: { workers: 5 } });
  });

  it('overwrites nothing of somebody who knows nothing of editors', async () => {
    const editor = await editorOf();
    await editor.set({ workers: 0 });
    let calls = 0;
    const result = await editor.update(async (before) => {
      if (++calls === 1) await clients.zk.setData(editor.path, '{"workers":50}');
      return { workers: (before?.workers ?? 0) + 1 };
    });
    expect(result).toMatchObject({ before: { workers: 50 }, after: { workers: 51 }, version: 2, tries: 2 });
  });

  it('loses none of many that are made at once, and the history has all of them in order', async () => {
    const editors = await Promise.all(
      [0, 1, 2, 3].map(
        async () => new ConfigEditor<number[]>(await clients.another(), '/at-once', { history: 100, indent: 0 }),
      ),
    );
    await Promise.all(
      editors.flatMap((editor, owner) =>
        Array.from({ length: 10 }, (_, index) =>
          editor.update((list = []) => [...list, owner * 10 + index], { comment: `${owner * 10 + index}` }),
        ),
      ),
    );
    const [editor] = editors as [ConfigEditor<number[]>];
    const versions = await editor.history();
    const value = (await editor.at(39)).value;
    expect([...value].sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, index) => index));
    expect(
      versions.map(({ version, comment, recorded, kept, missing }) => [version, comment, recorded, kept, missing]),
    ).toEqual(value.map((item, index) => [index, String(item), true, true, 0]).reverse());
    for (const { version } of versions.slice(0, 5))
      expect((await editor.at(version)).value).toEqual(value.slice(0, version + 1));
  });

  it('is never seen by half in the history', async () => {
    const editor = await editorOf<number>({ history: 5 });
    const other = new ConfigEditor<number>(await clients.another(), editor.path, { history: 5 });
    const updating = (async () => {
      for (let count = 0; count < 60; count++) await other.update((before = 0) => before + 1);
    })();
    const seen: ConfigVersion[][] = [];
    while ((seen.at(-1)?.[0]?.version ?? 0) < 59) seen.push(await editor.history());
    await updating;
    for (const versions of seen) {
      const newest = versions[0]?.version ?? -1;
      expect(versions.map(inShort)).toEqual(
        Array.from({ length: Math.min(newest + 1, 6) }, (_, index) => {
          // The oldest is known by the entry of the next one alone, when its own is gone.
          const recorded = index < 5;
          return [newest - index, null, null, recorded, true, 0];
        }),
      );
    }
  });

  it('is told to readers once', async () => {
    const editor = await editorOf();
    await editor.set({ workers: 1 });
    await using config = await LiveConfig.open<Cart>(await clients.another(), editor.path);
    await editor.update(() => ({ workers: 2 }));
    await until(() => config.current?.workers === 2, { what: 'the new value' });
  });

  it('takes a znode that holds null for no value', async () => {
    const editor = await editorOf();
    await clients.zk.create(editor.path, null);
    expect(await editor.update((before) => ({ workers: before === undefined ? 1 : 2 }))).toMatchObject({
      version: 1,
      before: undefined,
      after: { workers: 1 },
    });
    expect((await editor.history()).map(({ version, kept }) => [version, kept])).toEqual([
      [1, true],
      [0, false],
    ]);
    expect(await failureOf(editor.at(0))).toMatchObject({ code: 'VERSION_NOT_KEPT' });
  });
});

describe('the history', () => {
  it('tells who, why and when, and gives values back', async () => {
    const editor = await editorOf({ author: 'deploy' });
    expect(await editor.history()).toEqual([]);
    const { id } = await editor.set({ workers: 1 }, { comment: 'begin' });
    await editor.set({ workers: 2 }, { author: 'ann', comment: 'more\nof them' });
    const [now, former] = await editor.history();
    const stat = await clients.zk.exists(editor.path);
    expect(now).toEqual({
      version: 1,
      zxid: stat?.mzxid,
      time: stat?.mtime,
      recorded: true,
      id: expect.stringMatching(/^[\da-f]{16}$/) as unknown,
      author: 'ann',
      comment: 'more\nof them',
      current: true,
      kept: true,
      missing: 0,
    });
    expect(former).toMatchObject({
      version: 0,
      zxid: stat?.czxid,
      id,
      author: 'deploy',
      comment: 'begin',
      current: false,
    });
    expect(await editor.at(0)).toEqual({ ...former, value: { workers: 1 } });
    expect(await editor.at(stat?.mzxid ?? Long.ZERO)).toEqual({ ...now, value: { workers: 2 } });
    expect(await failureOf(editor.at(2))).toMatchObject({ code: 'VERSION_NOT_KEPT', operation: 'ConfigEditor.at' });
  });

  it('rolls back by a new version', async () => {
    const editor = await editorOf({ schema });
    for (const workers of [1, 2, 3]) await editor.set({ workers });
    const back = await editor.rollback(0, { author: 'ann' });
    expect(back).toMatchObject({ written: true, version: 3, before: { workers: 3 }, after: { workers: 1 } });
    expect(back.diff).toMatchObject([{ path: 'workers', before: 3, after: 1 }]);
    const [now] = await editor.history();
    expect(now).toMatchObject({ version: 3, author: 'ann', comment: 'rollback to version 0' });
    expect(await editor.rollback(3)).toMatchObject({ written: false });
    expect(await editor.rollback(2, { dryRun: true })).toMatchObject({ written: false, after: { workers: 3 } });
    expect(JSON.parse(await textOf(editor.path))).toEqual({ workers: 1 });
    expect(await failureOf(editor.rollback(9))).toMatchObject({
      code: 'VERSION_NOT_KEPT',
      operation: 'ConfigEditor.rollback',
    });
  });

  it('rolls back to what was meant, though it goes from the history meanwhile', async () => {
    const path = `${await clients.folder()}/config`;
    const other = new ConfigEditor<number>(await clients.another(), path, { history: 1 });
    await other.set(0);
    await other.set(1);
    let isFirst = true;
    const slow: ConfigSchema<number> = {
      '~standard': {
        version: 1,
        vendor: 'zookit-tests',
        validate: async (value) => {
          if (isFirst) await other.set(2);
          isFirst = false;
          return { value: value as number };
        },
      },
    };
    const editor = new ConfigEditor<number>(clients.zk, path, { history: 1, schema: slow });
    expect(await editor.rollback(0)).toMatchObject({ before: 2, after: 0, version: 3, tries: 2 });
    expect((await editor.history()).map(({ version }) => version)).toEqual([3, 2]);
  });

  it('keeps as many as were asked for', async () => {
    const editor = await editorOf({ history: 3 });
    for (let workers = 0; workers < 6; workers++) await editor.set({ workers });
    expect((await editor.history()).map(({ version }) => version)).toEqual([5, 4, 3, 2]);
    expect(await beside(editor, 'history')).toHaveLength(3);
    await new ConfigEditor<Cart>(clients.zk, editor.path, { history: 1 }).set({ workers: 6 });
    expect((await editor.history()).map(({ version }) => version)).toEqual([6, 5]);
    await new ConfigEditor<Cart>(clients.zk, editor.path, { history: 0 }).set({ workers: 7 });
    expect((await editor.history()).map(inShort)).toEqual([[7, null, null, false, true, 0]]);
    expect(await beside(editor, 'history')).toEqual([]);
  });

  it('shows what others have written without it, and where something is missing', async () => {
    const editor = await editorOf();
    await editor.set({ workers: 0 }, { comment: 'ours' });
    for (const workers of [1, 2, 3]) await clients.zk.setData(editor.path, `{"workers":${workers}}`);
    expect((await editor.history()).map(inShort)).toEqual([
      [3, null, null, false, true, 2],
      [0, null, 'ours', true, false, 0],
    ]);
    await editor.set({ workers: 4 }, { comment: 'again' });
    expect((await editor.history()).map(inShort)).toEqual([
      [4, null, 'again', true, true, 0],
      [3, null, null, false, true, 2],
      [0, null, 'ours', true, false, 0],
    ]);
    expect(await failureOf(editor.at(0))).toMatchObject({ code: 'VERSION_NOT_KEPT' });
    expect((await editor.at(3)).value).toEqual({ workers: 3 });
    await editor.rollback(3);
    expect(JSON.parse(await textOf(editor.path))).toEqual({ workers: 3 });
  });

  it('goes on after a deletion, and tells the versions apart by their zxid', async () => {
    const editor = await editorOf();
    await editor.set({ workers: 1 });
    const [old] = await editor.history();
    await editor.set({ workers: 2 });
    await clients.zk.delete(editor.path);
    expect((await editor.history()).map(({ version, current, kept }) => [version, current, kept])).toEqual([
      [1, false, false],
      [0, false, true],
    ]);
    await editor.set({ workers: 3 });
    expect((await editor.history()).map(({ version, current }) => [version, current])).toEqual([
      [0, true],
      [1, false],
      [0, false],
    ]);
    expect((await editor.at(0)).value).toEqual({ workers: 3 });
    expect((await editor.at(old?.zxid ?? Long.ZERO)).value).toEqual({ workers: 1 });
  });

  it('notices that somebody has deleted and created meanwhile, though the version is the same', async () => {
    const editor = await editorOf();
    await editor.set({ workers: 1 });
    let calls = 0;
    const result = await editor.update(async (before) => {
      if (++calls === 1) {
        await clients.zk.delete(editor.path);
        await editor.set({ workers: 100 });
      }
      return { workers: (before?.workers ?? 0) + 1 };
    });
    expect(result).toMatchObject({ after: { workers: 101 }, tries: 2 });
  });

  it('leaves alone what is not its own', async () => {
    const editor = await editorOf();
    await editor.set({ workers: 1 });
    await clients.zk.create(`${editor.path}-__history__/notes`, 'mine');
    await clients.zk.create(`${editor.path}-__history__/v-0000000099`, 'no record');
    await editor.set({ workers: 2 });
    expect((await editor.history()).map(({ version }) => version)).toEqual([1, 0]);
    expect(await textOf(`${editor.path}-__history__/notes`)).toBe('mine');
  });

  it('is in order across the wrap of the sequence', async () => {
    const editor = await editorOf({ history: 3 });
    await editor.set({ workers: 0 });
    const folder = `${editor.path}-__history__`;
    const [first = ''] = await clients.zk.getChildren(folder);
    // As a server would have named them whose counter wraps.
    const record = (await clients.zk.getData(`${folder}/${first}`)).data;
    await clients.zk.delete(`${folder}/${first}`);
    for (const name of ['v-2147483646', 'v-2147483647', 'v--2147483648'])
      await clients.zk.create(`${folder}/${name}`, record);
    await editor.set({ workers: 1 });
    const names = await clients.zk.getChildren(folder);
    expect(names).toEqual(expect.arrayContaining(['v-2147483647', 'v--2147483648']));
    expect(names).not.toContain('v-2147483646');
  });
});
