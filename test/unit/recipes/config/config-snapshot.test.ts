import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { StoredLayer } from '../../../../recipes/config/config-reader.js';
import { ConfigSnapshot } from '../../../../recipes/config/config-snapshot.js';
import type { ConfigSnapshotError } from '../../../../recipes/config/errors.js';

let folder: string;
let file: string;
let told: ConfigSnapshotError[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'zookit-'));
  file = join(folder, 'config.json');
  told = [];
});

afterEach(async () => {
  jest.restoreAllMocks();
  await rm(folder, { recursive: true });
});

const layers = [
  { name: 'global', path: '/g' },
  { name: 'service', path: '/s' },
];

function snapshotOf(options: object = {}, subject: object = {}): ConfigSnapshot {
  return new ConfigSnapshot(
    { file, onError: (error) => told.push(error), ...options },
    { root: '/shop', shape: 'value', layers, ...subject },
    () => true,
  );
}

function stored(text: string): StoredLayer[] {
  return [
    { name: 'global', path: '/g', znodes: [] },
    { name: 'service', path: '/s', znodes: [{ path: '/s', data: Buffer.from(text), isNull: false }] },
  ];
}

async function keep(text: string, options: object = {}): Promise<void> {
  const snapshot = snapshotOf(options);
  snapshot.keep(stored(text));
  await snapshot.close();
}

describe('a snapshot', () => {
  it('is read as it was kept, for its owner alone, and leaves no other file', async () => {
    expect(await snapshotOf().read()).toBeUndefined();
    await keep('\0ä');
    expect(await snapshotOf().read()).toEqual(stored('\0ä'));
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual(['config.json']);
    expect(told).toEqual([]);
  });

  it('tells null from no bytes', async () => {
    const snapshot = snapshotOf();
    const znodes = [
      { path: '/s', data: Buffer.alloc(0), isNull: true },
      { path: '/s/a', data: Buffer.alloc(0), isNull: false },
    ];
    snapshot.keep([
      { name: 'global', path: '/g', znodes: [] },
      { name: 'service', path: '/s', znodes },
    ]);
    await snapshot.close();
    expect((await snapshotOf().read())?.[1]?.znodes).toEqual(znodes);
  });

  it('of many at once is the last one', async () => {
    const snapshot = snapshotOf();
    for (let index = 0; index <= 100; index++) snapshot.keep(stored(String(index)));
    await snapshot.close();
    expect(await snapshotOf().read()).toEqual(stored('100'));
    snapshot.keep(stored('too late'));
    expect(await snapshotOf().read()).toEqual(stored('100'));
  });

  it('replaces one that others may read', async () => {
    await writeFile(file, 'old', { mode: 0o644 });
    await keep('1');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it('makes the folders that are missing', async () => {
    file = join(folder, 'a/b/config.json');
    await keep('1');
    expect(await snapshotOf().read()).toEqual(stored('1'));
    expect((await stat(join(folder, 'a'))).mode & 0o777).toBe(0o700);
  });

  it('that is torn at any byte, or foreign, is told and not taken', async () => {
    await keep('{"workers":4}');
    const whole = await readFile(file, 'utf8');
    // The last byte is the end of the line, which says nothing.
    const torn = Array.from({ length: whole.length - 1 }, (_, length) => whole.slice(0, length));
    const changed = whole.replace('"/s"', '"/t"');
    for (const text of [...torn, changed, '{}', 'null', '[]', '{"content":{}}', '{"content":null}', '\0']) {
      await writeFile(file, text);
      expect(await snapshotOf().read()).toBeUndefined();
    }
    expect(told).toHaveLength(whole.length + 6);
    expect(new Set(told.map(({ message }) => message))).toEqual(
      new Set([`LiveConfig /s: the snapshot ${file} is not taken: it is torn, or none of zookit`]),
    );
    expect(told[0]).toMatchObject({ code: 'CONFIG_SNAPSHOT', file });
  });

  it.each([
    ['root', { root: '/' }],
    ['shape', { shape: 'tree' }],
    ['layers', { layers: layers.slice(1) }],
    ['order of layers', { layers: layers.toReversed() }],
    ['path', { layers: [layers[0], { name: 'service', path: '/t' }] }],
  ])('of another configuration, by its %s, is told and not taken', async (_, subject) => {
    await keep('1');
    expect(await snapshotOf({}, subject).read()).toBeUndefined();
    expect(told.map(({ message }) => message)).toEqual([expect.stringContaining('it is of another configuration')]);
  });

  it('that is too old is told and not taken', async () => {
    await keep('1');
    jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 61_000);
    expect(await snapshotOf({ maxAge: 62_000 }).read()).toEqual(stored('1'));
    expect(await snapshotOf({ maxAge: 60_000 }).read()).toBeUndefined();
    expect(told.map(({ message }) => message)).toEqual([expect.stringContaining('it is 61 s old, and may be 60')]);
  });

  it('is young again when it is confirmed', async () => {
    const snapshot = snapshotOf();
    snapshot.confirm();
    snapshot.keep(stored('1'));
    jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 61_000);
    snapshot.confirm();
    await snapshot.close();
    expect(await snapshotOf({ maxAge: 60_000 }).read()).toEqual(stored('1'));
  });

  it('is kept young by itself where age counts', async () => {
    const snapshot = snapshotOf({ maxAge: 200 });
    snapshot.keep(stored('1'));
    const savedAt = async (): Promise<number> =>
      (JSON.parse(await readFile(file, 'utf8')) as { content: { savedAt: number } }).content.savedAt;
    let first: number | undefined;
    while (first === undefined) first = await savedAt().catch(() => undefined);
    while ((await savedAt()) === first);
    await snapshot.close();
  });

  it('that cannot be written or read is told, and disturbs nobody', async () => {
    file = folder;
    await keep('1');
    expect(await snapshotOf().read()).toBeUndefined();
    expect(told.map(({ message }) => message)).toEqual([
      expect.stringContaining('cannot be written'),
      expect.stringContaining('cannot be read'),
    ]);
    expect(await readdir(join(folder, '..'))).not.toContainEqual(expect.stringMatching(/\.tmp$/));
    const warn = jest.spyOn(process, 'emitWarning').mockReturnValue(undefined);
    await keep('1', { onError: undefined });
    await keep('1', {
      onError: () => {
        throw new Error('hook');
      },
    });
    expect(warn.mock.calls.map(([warning]) => String(warning))).toEqual([
      expect.stringContaining('cannot be written'),
      expect.stringContaining('snapshot.onError threw Error: hook'),
    ]);
  });
});
