import { describe, expect, it } from '@jest/globals';
import { acl, ClosedError, InvalidArgumentError, InvalidPathError, NoAuthError } from 'zookit';
import { Group, type GroupChange, type GroupMember, type GroupView, OwnedByOtherError } from 'zookit/recipes';
import { knows } from '../../support/features.js';
import { sharedServer } from '../../support/shared.js';
import { until } from '../../support/until.js';
import { watchedPaths } from '../../support/watches.js';
import { failureOf, useClients } from '../clients.js';

const clients = useClients();

async function folder(): Promise<string> {
  return `${await clients.folder()}/group`;
}

function idsOf({ members }: Pick<GroupView, 'members'>): string[] {
  return members.map(({ id }) => id);
}

describe('a group', () => {
  it('knows who has joined, with their data, until they leave', async () => {
    const path = await folder();
    await using group = new Group(clients.zk, path);
    expect(group.view).toEqual({ members: [], stale: true });
    expect(await group.ready()).toBe(group);
    expect(group.view).toEqual({ members: [], stale: false });
    const other = new Group(await clients.another(), path);
    const b = await group.join('b', { data: 'two' });
    const a = await other.join('a', { data: 'one' });
    const members = await group.until((all) => all.length === 2);
    expect(members).toEqual([
      { id: 'a', path: `${path}/a`, data: Buffer.from('one') },
      { id: 'b', path: `${path}/b`, data: Buffer.from('two') },
    ]);
    expect([a.id, a.path, a.held, a.signal.aborted]).toEqual(['a', `${path}/a`, true, false]);
    await a.setData('uno');
    await group.until(([first]) => first?.data.toString() === 'uno');
    await a.leave();
    expect([a.held, a.signal.aborted]).toEqual([false, true]);
    await group.until((all) => all.length === 1);
    await b.leave();
    await group.until((all) => all.length === 0);
  });

  it("writes what Curator's GroupMember writes", async () => {
    const path = await folder();
    await using member = await new Group(clients.zk, path).join('one', { data: 'payload' });
    const { data, stat } = await clients.zk.getData(`${path}/one`);
    expect([data.toString(), clients.zk.session.owns(stat), member.path]).toEqual(['payload', true, `${path}/one`]);
  });

  it("writes and reads what kazoo's Party does: the id is the data", async () => {
    const path = await folder();
    await using group = new Group(clients.zk, path, { layout: 'party' });
    await using member = await group.join('one');
    expect(member.path.slice(path.length)).toMatch(/^\/[0-9a-f]{32}__party__$/);
    expect((await clients.zk.getData(member.path)).text()).toBe('one');
    await clients.zk.create(`${path}/${'0'.repeat(32)}__party__`, 'of-kazoo', { mode: 'ephemeral' });
    await clients.zk.create(`${path}/foreign`, 'x');
    await using twin = await group.join('one');
    expect(idsOf({ members: await group.until((all) => all.length === 3) })).toEqual(['of-kazoo', 'one', 'one']);
    expect(twin.path).not.toBe(member.path);
  });

  it("writes and reads what kazoo's ShallowParty does: the id is in the name, and nothing else is read", async () => {
    const path = await folder();
    await using group = new Group(clients.zk, path, { layout: 'shallowParty' });
    await using member = await group.join('one-two');
    expect(member.path.slice(path.length)).toMatch(/^\/[0-9a-f]{32}-one-two$/);
    expect((await clients.zk.getData(member.path)).text()).toBe('one-two');
    const members = await group.until((all) => all.length === 1);
    expect(members).toEqual([{ id: 'one-two', path: member.path, data: Buffer.alloc(0) }]);
    expect(clients.zk.watches().filter((watch) => watch.path.startsWith(`${path}/`) && watch.kind !== 'data')).toEqual(
      [],
    );
  });

  it('tells of who joined, changed and left, one after the other', async () => {
    const path = await folder();
    const group = new Group(clients.zk, path);
    const changes: string[] = [];
    const telling = (async () => {
      for await (const change of group.changes()) changes.push(inShort(change));
    })();
    const other = new Group(await clients.another(), path);
    const joined: GroupMember[] = [];
    for (const id of ['a', 'b']) {
      joined.push(await other.join(id, { data: '1' }));
      await until(() => changes.at(-1) === `joined ${id}`, { what: `${id} to have joined` });
    }
    await joined[0]?.setData('2');
    await until(() => changes.at(-1) === 'updated a 1 2', { what: 'the update' });
    await joined[1]?.leave();
    await until(() => changes.at(-1) === 'left b', { what: 'b to have left' });
    await joined[0]?.leave();
    await until(() => changes.at(-1) === 'left a', { what: 'a to have left' });
    expect(changes).toEqual(['joined a', 'joined b', 'updated a 1 2', 'left b', 'left a']);
    await group.close();
    await telling;
  });

  it('is iterated view by view; the last one is never passed over', async () => {
    const path = await folder();
    const group = new Group(clients.zk, path);
    const sizes: number[] = [];
    const iterating = (async () => {
      for await (const { members } of group) sizes.push(members.length);
    })();
    const other = new Group(await clients.another(), path);
    const joined = await Promise.all(Array.from({ length: 20 }, (_, index) => other.join(`m${index}`)));
    await until(() => sizes.at(-1) === 20, { what: 'all of them' });
    await Promise.all(joined.map((member) => member.leave()));
    await until(() => sizes.at(-1) === 0, { what: 'none of them' });
    expect(sizes.length).toBeGreaterThan(2);
    await group.close();
    await iterating;
  });

  it('keeps its view when nothing has changed, and follows a path that is deleted and made again', async () => {
    const path = await folder();
    await using group = new Group(clients.zk, path);
    const [gone] = [await new Group(clients.zk, path).join('a')];
    const members = await group.until((all) => all.length === 1);
    expect(group.view.members).toBe(members);
    await gone.leave();
    await clients.zk.deleteTree(path);
    await group.until((all) => all.length === 0);
    await using back = await new Group(clients.zk, path).join('b');
    expect(idsOf({ members: await group.until((all) => all.length === 1) })).toEqual([back.id]);
  });

  it('leaves no watch when it is closed, and its waits end', async () => {
    const path = await folder();
    const group = new Group(clients.zk, path);
    await using member = await new Group(await clients.another(), path).join('a');
    await group.until((all) => all.length === 1);
    const waiting = failureOf(group.until((all) => all.length === 2));
    await group.close();
    expect(await waiting).toBeInstanceOf(ClosedError);
    expect(await failureOf(group.ready())).toBeInstanceOf(ClosedError);
    expect(member.held).toBe(true);
    expect(clients.zk.watches().filter((watch) => watch.path.startsWith(path))).toEqual([]);
    if (!knows('removeWatches')) return;
    await clients.zk.sync('/');
    const own = new Set([`${clients.chroot}${path}/a`]);
    // The other client looks after its own znode.
    expect((await watchedPaths(sharedServer(), clients.chroot + path)).filter((each) => !own.has(each))).toEqual([]);
  });

  it('ends a wait by its timeout and by its signal', async () => {
    await using group = new Group(clients.zk, await folder());
    expect(await failureOf(group.until(() => false, { timeout: 20 }))).toMatchObject({ code: 'OPERATION_TIMEOUT' });
    expect(await failureOf(group.until(() => false, { signal: AbortSignal.abort() }))).toMatchObject({
      code: 'ABORTED',
    });
  });

  it('tells what makes looking impossible', async () => {
    const path = await clients.folder();
    const owner = await clients.another({ auth: [{ scheme: 'digest', auth: 'a:b' }] });
    await owner.create(`${path}/closed`, null, { acl: acl.creatorAll });
    const group = new Group(clients.zk, `${path}/closed`);
    expect(await failureOf(group.ready())).toBeInstanceOf(NoAuthError);
    const iterating = (async () => {
      for await (const view of group) expect(view).toBeUndefined();
    })();
    expect(await failureOf(iterating)).toBeInstanceOf(NoAuthError);
    await group.close();
    await owner.delete(`${path}/closed`);
  });
});

describe('joining', () => {
  it('under an id that another session has fails, and leaves that alone', async () => {
    const path = await folder();
    await using first = await new Group(await clients.another(), path).join('a', { data: 'first' });
    const error = await failureOf(new Group(clients.zk, path).join('a', { data: 'second' }));
    expect(error).toBeInstanceOf(OwnedByOtherError);
    expect(error).toMatchObject({ code: 'OWNED_BY_OTHER', path: `${path}/a` });
    expect([first.held, (await clients.zk.getData(`${path}/a`)).text()]).toEqual([true, 'first']);
  });

  it('waits for it, or takes its place, if told so', async () => {
    const path = await folder();
    const other = await clients.another();
    const first = await new Group(other, path).join('a');
    const second = new Group(clients.zk, path).join('a', { onConflict: 'wait' });
    const stopped = new Group(clients.zk, path).join('a', { onConflict: 'wait', timeout: 50 });
    expect(await failureOf(stopped)).toMatchObject({ code: 'OPERATION_TIMEOUT' });
    expect(first.held).toBe(true);
    await first.leave();
    expect((await second).held).toBe(true);
    const third = await new Group(other, path).join('a', { onConflict: 'replace' });
    const replaced = await second;
    await until(() => !replaced.held, { what: 'the second one to know' });
    // It waits again, and is a member again when the place is free.
    expect(await failureOf(replaced.setData('x', { timeout: 50 }))).toMatchObject({ code: 'OPERATION_TIMEOUT' });
    expect([third.held, (await clients.zk.getData(third.path)).text()]).toEqual([true, '']);
    await third.leave();
    await until(() => replaced.held, { what: 'the second one to be a member' });
    expect((await clients.zk.getData(replaced.path)).text()).toBe('x');
    await replaced.leave();
  });

  it('ends the member whose place was taken', async () => {
    const path = await folder();
    const first = await new Group(await clients.another(), path).join('a');
    await using second = await new Group(clients.zk, path).join('a', { onConflict: 'replace' });
    await until(() => !first.held, { what: 'the first one to know' });
    expect(await failureOf(first.setData('x'))).toBeInstanceOf(OwnedByOtherError);
    await first.leave();
    expect([second.held, await clients.zk.has(second.path)]).toEqual([true, true]);
  });

  it('that is ended leaves no member', async () => {
    const path = await folder();
    expect(await failureOf(new Group(clients.zk, path).join('a', { signal: AbortSignal.abort() }))).toMatchObject({
      code: 'ABORTED',
    });
    expect(await clients.zk.has(`${path}/a`)).toBe(false);
  });

  it.each([
    [() => new Group(clients.zk, '/g').join(''), 'must be a text that is not empty'],
    [() => new Group(clients.zk, '/g').join('a/b'), 'must have no slash'],
    [() => new Group(clients.zk, '/g').join('..'), 'the part ".."'],
    [() => new Group(clients.zk, '/g', { layout: 'shallowParty' }).join('a/b'), 'must have no slash'],
    [() => new Group(clients.zk, '/g', { layout: 'party' }).join('a', { data: 'x' }), 'members have no data'],
    [() => new Group(clients.zk, '/g').join('a', { dta: 'x' } as object), 'there is no option "dta"'],
    [async () => new Group(clients.zk, '/g', { layout: 'etcd' as 'party' }), 'there is no layout "etcd"'],
  ])('refuses what is none: %#', async (join, problem) => {
    const error = await failureOf((async () => join())());
    expect(error instanceof InvalidArgumentError || error instanceof InvalidPathError).toBe(true);
    expect(String(error)).toContain(problem);
  });

  it("has no data to change in kazoo's layouts", async () => {
    const path = await folder();
    await using member = await new Group(clients.zk, path, { layout: 'party' }).join('a');
    expect(await failureOf(member.setData('x'))).toBeInstanceOf(InvalidArgumentError);
  });
});

function inShort(change: GroupChange): string {
  const { type, member } = change;
  const data = type === 'updated' ? ` ${change.previous.data.toString()} ${member.data.toString()}` : '';
  return `${type} ${member.id}${data}`;
}
