import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  acl,
  InvalidArgumentError,
  InvalidPathError,
  NoNodeError,
  NotEmptyError,
  type ZNode,
  type ZooKeeper,
} from 'zookit';
import { type ConflictRule, type NodeState, PersistentNode, type PersistentNodeOptions } from 'zookit/recipes';
import { needs } from '../../support/features.js';
import { sharedServer } from '../../support/shared.js';
import { until } from '../../support/until.js';
import { watchedPaths } from '../../support/watches.js';
import { startServer, type ZooKeeperServer } from '../../support/zookeeper.js';
import { failureOf, useClients } from '../clients.js';

const clients = useClients();

const modes: readonly (readonly [string, PersistentNodeOptions, RegExp])[] = [
  ['ephemeral', {}, /^n$/],
  ['ephemeral, protected', { protected: true }, /^_c_[0-9a-f-]{36}-n$/],
  ['ephemeral, sequential', { mode: 'ephemeralSequential' }, /^_c_[0-9a-f-]{36}-n\d{10}$/],
  ['persistent', { mode: 'persistent' }, /^n$/],
  ['persistent, sequential', { mode: 'persistentSequential' }, /^_c_[0-9a-f-]{36}-n\d{10}$/],
];

/** The keeping of a znode, in any mode. */
async function keeps(options: PersistentNodeOptions, name: RegExp): Promise<void> {
  const folder = `${await clients.folder()}/parents`;
  const node = new PersistentNode(clients.zk, `${folder}/n`, 'first', options).start();
  await node.published();
  const { path = '' } = node;
  expect(path.slice(folder.length + 1)).toMatch(name);
  expect((await clients.zk.getData(path)).text()).toBe('first');
  expect([node.held, node.signal.aborted]).toEqual([true, false]);
  await node.setData('second');
  expect((await clients.zk.getData(path)).text()).toBe('second');

  const { signal } = node;
  await clients.zk.deleteTree(path);
  await until(async () => (await clients.zk.getData(path)).text() === 'second', { what: 'it to come back' });
  await until(() => node.held, { what: 'it to know' });
  expect([signal.aborted, node.path, node.data]).toEqual([true, path, 'second']);

  await node.close({ keep: false });
  await node.close();
  expect([node.held, await clients.zk.getChildren(folder)]).toEqual([false, []]);
  expect(await failureOf(node.published())).toMatchObject({ code: 'CLOSED' });
  expect(await watchedPaths(sharedServer(), clients.chroot + folder)).toEqual([]);
}

describe('a persistent node', () => {
  it.each(modes)('%s: stands, comes back, holds what it is to hold, and goes when it is closed', async (_, ...args) => {
    await keeps(...args);
  });

  needs('containers')('container: the same', () => keeps({ mode: 'container' }, /^n$/));

  needs('ttl').each([
    ['ttl', /^n$/],
    ['ttlSequential', /^_c_[0-9a-f-]{36}-n\d{10}$/],
  ] as const)('%s: the same', (mode, name) => keeps({ mode, ttl: 60_000 }, name));

  it('is what its mode says: an ephemeral one belongs to the session', async () => {
    const folder = await clients.folder();
    for (const mode of ['ephemeral', 'ephemeralSequential', 'persistent', 'persistentSequential'] as const) {
      await using node = new PersistentNode(clients.zk, `${folder}/n`, null, { mode }).start();
      await node.published();
      const stat = await clients.zk.exists(node.path ?? '');
      expect([mode, stat && clients.zk.session.owns(stat)]).toEqual([mode, mode.startsWith('ephemeral')]);
    }
  });

  it('tells whoever iterates it when it is in place, and when not', async () => {
    const path = `${await clients.folder()}/n`;
    const node = new PersistentNode(clients.zk, path);
    const states: NodeState[] = [];
    const telling = (async () => {
      for await (const state of node) states.push(state);
    })();
    await until(() => states.length === 1, { what: 'the first state' });
    node.start();
    await until(() => states.length === 2, { what: 'it to stand' });
    await (await clients.another()).delete(path);
    await until(() => states.filter(({ standing }) => standing).length === 2, { what: 'it to stand again' });
    expect(states.slice(0, 2)).toEqual([{ standing: false }, { standing: true, path }]);
    await node.close();
    await telling;
  });

  it('tells whoever iterates it why it cannot be', async () => {
    const folder = await clients.folder();
    await clients.zk.create(`${folder}/closed`, null, { acl: acl.readOnly });
    const node = new PersistentNode(clients.zk, `${folder}/closed/n`).start();
    const iterating = (async () => {
      for await (const state of node) expect(state).toEqual({ standing: false });
    })();
    expect(await failureOf(iterating)).toMatchObject({ code: 'NO_AUTH' });
    expect(await failureOf(node.published())).toMatchObject({ code: 'NO_AUTH' });
    await node.close();
  });

  it('has the ACL that is asked for', async () => {
    const path = `${await clients.folder()}/n`;
    await using node = new PersistentNode(clients.zk, path, 'x', { acl: [...acl.readOnly, ...acl.open] }).start();
    await node.published();
    expect((await clients.zk.getAcl(path)).acl).toEqual([...acl.readOnly, ...acl.open]);
  });

  it('makes missing parents, or fails where it may not', async () => {
    const folder = await clients.folder();
    await using made = new PersistentNode(clients.zk, `${folder}/a/b/n`, null, { parents: 'persistent' }).start();
    await made.published();
    await using missing = new PersistentNode(clients.zk, `${folder}/c/n`, null, { parents: false }).start();
    expect(await failureOf(missing.published())).toBeInstanceOf(NoNodeError);
  });

  it('that is to be left as it is, is', async () => {
    const path = `${await clients.folder()}/n`;
    const node = new PersistentNode(clients.zk, path, 'x', { mode: 'persistent' }).start();
    await node.published();
    await node.close({ keep: true });
    expect((await clients.zk.getData(path)).text()).toBe('x');
  });

  it('that has children of others is not deleted with them', async () => {
    const path = `${await clients.folder()}/n`;
    const node = new PersistentNode(clients.zk, path, 'x', { mode: 'persistent' }).start();
    await node.published();
    await clients.zk.create(`${path}/theirs`);
    expect(await failureOf(node.close())).toBeInstanceOf(NotEmptyError);
  });

  it('that never was deletes nothing when it is closed', async () => {
    const path = `${await clients.folder()}/n`;
    await clients.zk.create(path, 'theirs');
    const options = { mode: 'persistent', onConflict: 'fail' } as const;
    const node = new PersistentNode(clients.zk, path, 'ours', options).start();
    expect(await failureOf(node.published())).toMatchObject({ code: 'OWNED_BY_OTHER', path });
    await node.close();
    await new PersistentNode(clients.zk, path, 'ours', options).close();
    expect((await clients.zk.getData(path)).text()).toBe('theirs');
  });
});

describe('where there is a znode already', () => {
  it('a persistent one is taken over with what it is to hold', async () => {
    const path = `${await clients.folder()}/n`;
    await clients.zk.create(path, 'earlier');
    await using node = new PersistentNode(clients.zk, path, 'now', { mode: 'persistent' }).start();
    await node.published();
    const { stat, data } = await clients.zk.getData(path);
    expect([data.toString(), stat.version]).toEqual(['now', 1]);
  });

  it('an ephemeral one of another session is replaced, by a persistent one, too', async () => {
    const folder = await clients.folder();
    const other = await clients.another();
    for (const mode of ['ephemeral', 'persistent'] as const) {
      const path = `${folder}/${mode}`;
      await other.create(path, 'theirs', { mode: 'ephemeral' });
      await using node = new PersistentNode(clients.zk, path, 'ours', { mode }).start();
      await node.published();
      const { stat, data } = await clients.zk.getData(path);
      expect([data.toString(), stat.ephemeralOwner.equals(other.session.id)]).toEqual(['ours', false]);
    }
  });

  it.each(['ephemeral', 'persistent'] as const)('%s: waits until it is gone, if told so', async (mode) => {
    const path = `${await clients.folder()}/n`;
    const other = await clients.another();
    await other.create(path, 'theirs', { mode: 'ephemeral' });
    await using node = new PersistentNode(clients.zk, path, 'ours', { mode, onConflict: 'wait' }).start();
    expect(await failureOf(node.published({ timeout: 100 }))).toMatchObject({ code: 'OPERATION_TIMEOUT' });
    expect((await clients.zk.getData(path)).text()).toBe('theirs');
    await other.setData(path, 'still theirs');
    await other.delete(path);
    await node.published();
    expect((await clients.zk.getData(path)).text()).toBe('ours');
  });

  it('a function says what to do, by what it is, again and again as that changes', async () => {
    const path = `${await clients.folder()}/n`;
    const other = await clients.another();
    await other.create(path, 'wait', { mode: 'ephemeral' });
    const onConflict = (node: ZNode): ConflictRule => node.text() as ConflictRule;
    await using node = new PersistentNode(clients.zk, path, 'ours', { onConflict }).start();
    expect(await failureOf(node.published({ timeout: 100 }))).toMatchObject({ code: 'OPERATION_TIMEOUT' });
    await other.setData(path, 'replace');
    await node.published();
    expect((await clients.zk.getData(path)).text()).toBe('ours');
    // Who has come after us stays, whatever the function says.
    await other.transaction().delete(path).create(path, 'replace', { mode: 'ephemeral' }).commit();
    await until(() => !node.held, { what: 'it to know' });
    expect(await failureOf(node.published())).toMatchObject({ code: 'OWNED_BY_OTHER' });
    for (const [told, code] of [
      ['fail', 'OWNED_BY_OTHER'],
      ['fight', 'INVALID_ARGUMENT'],
    ] as const) {
      await other.setData(path, told);
      await using late = new PersistentNode(clients.zk, path, 'ours', { onConflict }).start();
      expect(await failureOf(late.published())).toMatchObject({ code });
    }
  });

  it.each<[string, (other: ZooKeeper, path: string) => Promise<unknown>]>([
    ['goes', (other, path) => other.delete(path)],
    ['changes', (other, path) => other.setData(path, 'replace')],
    [
      'is made anew',
      (other, path) => other.transaction().delete(path).create(path, 'replace', { mode: 'ephemeral' }).commit(),
    ],
  ])('one that %s between the look and the read is looked at again', async (_, meddle) => {
    const path = `${await clients.folder()}/n`;
    const other = await clients.another();
    await other.create(path, 'fail');
    let isMeddling = true;
    const zk = new Proxy(clients.zk, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name, target);
        if (typeof member !== 'function') return member;
        if (name !== 'getData') return member.bind(target) as unknown;
        return async (...args: unknown[]) => {
          if (isMeddling) await meddle(other, path);
          isMeddling = false;
          return (await Reflect.apply(member, target, args)) as unknown;
        };
      },
    });
    const shown: string[] = [];
    const onConflict = (node: ZNode): ConflictRule => {
      shown.push(node.text());
      return node.text() as ConflictRule;
    };
    await using node = new PersistentNode(zk, path, 'ours', { mode: 'persistent', onConflict }).start();
    await node.published();
    const { data, stat } = await clients.zk.getData(path);
    expect([data.toString(), stat.ephemeralOwner.isZero(), shown.includes('fail')]).toEqual(['ours', true, false]);
  });

  it('that has taken the place of ours, that is the end of it', async () => {
    const path = `${await clients.folder()}/n`;
    await using node = new PersistentNode(clients.zk, path, 'ours').start();
    await node.published();
    const other = await clients.another();
    await other.transaction().delete(path).create(path, 'theirs', { mode: 'ephemeral' }).commit();
    await until(() => !node.held, { what: 'it to know' });
    expect(await failureOf(node.setData('again'))).toMatchObject({ code: 'OWNED_BY_OTHER' });
    await node.close();
    expect((await other.getData(path)).text()).toBe('theirs');
  });
});

describe('a znode with a ttl', () => {
  let server: ZooKeeperServer;
  // It looks for znodes to tidy away five times a second, not once a minute.
  beforeAll(async () => {
    server = await startServer({ systemProperties: { 'znode.container.checkIntervalMs': 200 } });
  });
  const own = useClients(() => server);
  afterAll(() => server.close());

  needs('ttl')('lives as long as it is touched, and is gone some time after it was closed', async () => {
    const path = `${await own.folder()}/n`;
    const zk = await own.another();
    const node = new PersistentNode(zk, path, 'x', { mode: 'ttl', ttl: 4_000, touchEvery: 200 }).start();
    await node.published();
    const { mzxid } = (await own.zk.exists(path)) ?? {};
    const touches = async (): Promise<number> => (await own.zk.exists(`${path}/touch`))?.version ?? 0;
    // Longer than its ttl.
    await until(async () => (await touches()) >= 25, { what: 'touches', timeout: 25_000 });
    const stat = await own.zk.exists(path);
    // Who watches it is not disturbed by that.
    expect([stat?.mzxid, stat?.numChildren]).toEqual([mzxid, 1]);
    await node.close();
    expect(await own.zk.has(path)).toBe(true);
    await until(async () => !(await own.zk.has(path)), { what: 'it to go', timeout: 20_000 });
  });

  needs('ttl')('outlives its session', async () => {
    const path = `${await own.folder()}/n`;
    const zk = await own.another();
    const node = new PersistentNode(zk, path, 'x', { mode: 'ttl', ttl: 60_000 }).start();
    await node.published();
    await zk.close();
    expect((await own.zk.getData(path)).text()).toBe('x');
    await node.close();
    await own.zk.deleteTree(path);
  });
});

describe('what is no way to keep a znode is refused', () => {
  const make =
    (options: object, path = '/n') =>
    () =>
      new PersistentNode(clients.zk, path, 'x', options);
  it.each([
    [{ mode: 'temporary' }, 'there is no mode "temporary"'],
    [{ mode: 'ttl' }, 'a ttl belongs to the modes ttl and ttlSequential'],
    [{ ttl: 5 }, 'a ttl belongs to the modes ttl and ttlSequential'],
    [{ mode: 'ttl', ttl: 0.5 }, 'the ttl is 0.5'],
    [{ mode: 'ttl', ttl: 500, touchEvery: 500 }, 'touchEvery is 500'],
    [{ mode: 'ttl', ttl: 500, touchEvery: 0 }, 'touchEvery is 0'],
    [{ mode: 'ephemeralSequential', protected: false }, 'protected is false'],
    [{ onConflict: 'fight' }, 'onConflict is fight'],
    [{ margin: -1 }, 'the margin is -1'],
  ])('%p', (options, problem) => {
    expect(make(options)).toThrow(InvalidArgumentError);
    expect(make(options)).toThrow(problem);
  });

  it('as is a path that is none', () => {
    expect(make({}, 'n')).toThrow(InvalidPathError);
    expect(make({}, '/n/')).toThrow(InvalidPathError);
  });
});
