import { describe, expect, it } from '@jest/globals';
import { ReplyTooLargeError, RequestTooLargeError, type ZooKeeper } from 'zookit';
import { knows } from '../support/features.js';
import { nextEvent } from '../support/until.js';
import { failureOf, useClients } from './clients.js';

const clients = useClients();

/** The default of `maxRequestBytes`, and of a server's jute.maxbuffer. */
const limit = 1_048_575;

// A setData request: xid, op code; length of the path, the path; length of the data, the data; version.
const roomFor = (path: string, most = limit): number => most - 8 - 4 - Buffer.byteLength(path) - 4 - 4;

describe('10,000 znodes in one parent', () => {
  it('are created, listed, counted, read and deleted', async () => {
    const folder = await clients.folder();
    const names = Array.from({ length: 10_000 }, (_, index) => `znode-${String(index).padStart(5, '0')}`);
    const created = await Promise.all(names.map((name) => clients.zk.create(`${folder}/${name}`, name)));
    expect(new Set(created.map(({ zxid }) => zxid.toString())).size).toBe(10_000);
    expect((await clients.zk.getChildren(folder)).sort()).toEqual(names);
    expect((await clients.zk.getChildren(folder, { stat: true })).stat.numChildren).toBe(10_000);
    if (knows('getAllChildrenNumber')) expect(await clients.zk.getAllChildrenNumber(folder)).toBe(10_000);
    const data = await clients.zk.getChildrenData(folder);
    expect(data.size).toBe(10_000);
    expect([...data].filter(([name, node]) => node.text() !== name)).toEqual([]);
    await clients.zk.deleteTree(folder);
    expect(await clients.zk.has(folder)).toBe(false);
  });
});

describe('a request', () => {
  it('of exactly the limit is carried out, of one byte more it is not sent', async () => {
    const path = await clients.folder();
    const serverPath = clients.chroot + path;
    const most = Buffer.alloc(roomFor(serverPath), 'x');
    expect((await clients.zk.setData(path, most)).dataLength).toBe(most.length);
    expect((await clients.zk.getData(path)).data.equals(most)).toBe(true);
    const error = await failureOf(clients.zk.setData(path, Buffer.alloc(most.length + 1)));
    expect(error).toBeInstanceOf(RequestTooLargeError);
    expect(error).toMatchObject({ code: 'REQUEST_TOO_LARGE', operation: 'setData', path, size: limit + 1, limit });
    expect((await clients.zk.exists(path))?.version).toBe(1);
  });

  it('may hold 1 MiB less what the protocol needs: a create, in text of more than one byte a character', async () => {
    const folder = await clients.folder();
    // The ACL: their number, permissions, scheme, id; then the flags.
    const acl = 4 + 4 + (4 + 'world'.length) + (4 + 'anyone'.length);
    const path = `${folder}/ünïcode`;
    const room = roomFor(clients.chroot + path) - acl;
    const text = 'é'.repeat(room >> 1) + 'e'.repeat(room & 1);
    await clients.zk.create(path, text);
    expect((await clients.zk.getData(path)).text()).toBe(text);
    await expect(clients.zk.create(`${path}2`, text)).rejects.toMatchObject({ size: limit + 1, limit });
  });

  it('G1: of 2 MB fails alone: 10 others at the same time succeed, and the connection stays', async () => {
    const folder = await clients.folder();
    const zk = await clients.another();
    const events: string[] = [];
    zk.on('session', ({ type }) => type === 'stalled' || events.push(type));
    const others = [0, 1, 2, 3, 4].map((index) => zk.create(`${folder}/before-${index}`));
    const error = failureOf(zk.setData(folder, Buffer.alloc(2_000_000)));
    others.push(...[0, 1, 2, 3, 4].map((index) => zk.create(`${folder}/after-${index}`)));
    expect(await error).toBeInstanceOf(RequestTooLargeError);
    expect((await error) as Error).toMatchObject({ limit, size: 2_000_000 + limit - roomFor(clients.chroot + folder) });
    expect(((await error) as Error).message).toMatch(/2000\d{3}.*1048575/);
    expect(await Promise.all(others)).toHaveLength(10);
    expect([events, zk.state]).toEqual([[], 'connected']);
  });

  it('of a transaction is measured as a whole', async () => {
    const folder = await clients.folder();
    const transaction = clients.zk.transaction();
    for (let index = 0; index < 3; index++) transaction.create(`${folder}/${index}`, Buffer.alloc(400_000));
    await expect(transaction.commit()).rejects.toThrow(RequestTooLargeError);
    expect(await clients.zk.getChildren(folder)).toEqual([]);
  });

  it('is measured against maxRequestBytes, where that is set', async () => {
    const folder = await clients.folder();
    const zk = await clients.another({ maxRequestBytes: 2_048 });
    const room = roomFor(clients.chroot + folder, 2_048);
    await zk.setData(folder, Buffer.alloc(room));
    await expect(zk.setData(folder, Buffer.alloc(room + 1))).rejects.toMatchObject({ size: 2_049, limit: 2_048 });
  });
});

describe('a reply larger than maxReplyBytes', () => {
  /** A client that accepts 4 KiB, and a znode whose data are `size` bytes. */
  async function small(size: number): Promise<{ zk: ZooKeeper; path: string }> {
    const path = await clients.folder();
    await clients.zk.setData(path, Buffer.alloc(size));
    return { zk: await clients.another({ maxReplyBytes: 4_096 }), path };
  }

  // A getData reply: xid, zxid, error; length of the data, the data; stat.
  const room = 4_096 - 16 - 4 - 68;

  it('fails with ReplyTooLargeError, and the connection comes back', async () => {
    const { zk, path } = await small(room + 1);
    const { id } = zk.session;
    const back = nextEvent(zk, 'connected');
    const error = await failureOf(zk.getData(path));
    expect(error).toBeInstanceOf(ReplyTooLargeError);
    expect(error).toMatchObject({ code: 'REPLY_TOO_LARGE', operation: 'getData', path, mayHaveBeenApplied: false });
    expect((error as Error).message).toMatch(/\b4097\b.*\b4096\b/);
    expect((await back)[0]).toMatchObject({ resumed: true });
    expect(zk.session.id.equals(id)).toBe(true);
    expect((await zk.exists(path))?.dataLength).toBe(room + 1);
  });

  it('of exactly that size is accepted', async () => {
    const { zk, path } = await small(room);
    expect((await zk.getData(path)).data).toHaveLength(room);
  });

  it('does no harm to other reads that were on their way: they are asked again', async () => {
    const { zk, path } = await small(10_000);
    const reads = [zk.exists(path), zk.getChildren(path), failureOf(zk.getData(path)), zk.exists(path), zk.sync(path)];
    const [before, children, error, after] = await Promise.all(reads);
    expect(before).toEqual(after);
    expect(children).toEqual([]);
    expect(error).toBeInstanceOf(ReplyTooLargeError);
  });

  it('keeps watches and ephemeral znodes', async () => {
    const { zk, path } = await small(10_000);
    const changed = new Promise((resolve) => void zk.exists(path, { watch: resolve }));
    await zk.create(`${path}/e`, null, { mode: 'ephemeral' });
    await expect(zk.getData(path)).rejects.toThrow(ReplyTooLargeError);
    await clients.zk.setData(path, 'small');
    expect(await changed).toMatchObject({ type: 'dataChanged', path });
    expect((await zk.exists(`${path}/e`))?.ephemeralOwner.equals(zk.session.id)).toBe(true);
    expect((await zk.getData(path)).text()).toBe('small');
  });
});
