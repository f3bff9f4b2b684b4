import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type ParentsOption, type WatchEvent, ZooKeeper } from 'zookit';
import { knows, needs } from '../support/features.js';
import { startServer, type ZooKeeperServer } from '../support/zookeeper.js';
import { bytes, reply, startWireServer, type WireServer } from '../support/wire-server.js';
import { gate } from '../support/until.js';
import { useClients } from './clients.js';

// A server that looks for znodes to tidy away five times a second, not once a minute.
let server: ZooKeeperServer;
beforeAll(async () => {
  server = await startServer({ systemProperties: { 'znode.container.checkIntervalMs': 200 } });
});
const clients = useClients(() => server);
afterAll(() => server.close());

/** Resolves when there is no such znode. A look at what is there is on the wire before anything that is asked later. */
async function untilGone(path: string): Promise<void> {
  const changed = gate<WatchEvent>();
  const stat = await clients.zk.exists(path, { watch: (event) => changed.open(event) });
  if (stat !== null) expect(await changed.promise).toMatchObject({ type: 'deleted', path });
}

describe('a znode with a ttl', () => {
  needs('ttl').each(['ttl', 'ttlSequential'] as const)('%s: is deleted when its time is over', async (mode) => {
    const folder = await clients.folder();
    const { path } = await clients.zk.create(`${folder}/t-`, 'x', { mode, ttl: 1 });
    await untilGone(path);
    expect(await clients.zk.has(path)).toBe(false);
  });

  needs('ttlInTransaction')('stays while it has children', async () => {
    const folder = await clients.folder();
    // All at once: the ttl of one millisecond is over before another request could come.
    await clients.zk
      .transaction()
      .create(`${folder}/t`, null, { mode: 'ttl', ttl: 1 })
      .create(`${folder}/t/child`)
      .create(`${folder}/u`, null, { mode: 'ttl', ttl: 1 })
      .commit();
    // The server looks at all of them in one go: when the other one is gone, this one was spared.
    await untilGone(`${folder}/u`);
    expect(await clients.zk.has(`${folder}/t`)).toBe(true);
    const gone = untilGone(`${folder}/t`);
    await clients.zk.delete(`${folder}/t/child`);
    await gone;
    expect(await clients.zk.has(`${folder}/t`)).toBe(false);
  });
});

describe('a container', () => {
  needs('containers')('is deleted after its last child, and not before its first', async () => {
    const folder = await clients.folder();
    await clients.zk.create(`${folder}/unused`, null, { mode: 'container' });
    await clients.zk.create(`${folder}/used`, null, { mode: 'container' });
    await clients.zk.create(`${folder}/used/child`);
    const gone = untilGone(`${folder}/used`);
    await clients.zk.delete(`${folder}/used/child`);
    await gone;
    expect(await clients.zk.getChildren(folder)).toEqual(['unused']);
  });

  it('as a parent that was missing goes with its last child, one level after the other', async () => {
    const folder = await clients.folder();
    await clients.zk.create(`${folder}/a/b/n`, null, { parents: 'container' });
    const gone = knows('containers') ? untilGone(`${folder}/a`) : undefined;
    await clients.zk.delete(`${folder}/a/b/n`);
    await gone;
    // A server that knows no containers has got plain parents: these stay.
    expect(await clients.zk.getChildren(folder)).toEqual(knows('containers') ? [] : ['a']);
  });

  it('made by ensurePath goes as well; a plain parent stays', async () => {
    const folder = await clients.folder();
    await clients.zk.ensurePath(`${folder}/c/n`, 'container');
    await clients.zk.ensurePath(`${folder}/p/n`, 'persistent');
    const gone = knows('containers') ? untilGone(`${folder}/c`) : undefined;
    await clients.zk.create(`${folder}/c/n/x`);
    await clients.zk.delete(`${folder}/p/n`);
    await clients.zk.delete(`${folder}/c/n/x`);
    await gone;
    expect((await clients.zk.getChildren(folder)).sort()).toEqual(knows('containers') ? ['p'] : ['c', 'p']);
  });
});

describe('a server that knows no containers', () => {
  const [create, exists, noNode] = [1, 3, -101];

  /** Answers creates as a server before 3.5 would: `known` are the paths that exist. Notes what it was asked for. */
  async function serve(wire: WireServer, known: Set<string>, asked: string[], done: Promise<unknown>): Promise<void> {
    let over = false;
    void done.then(() => (over = true));
    while (!over) {
      const request = await Promise.race([wire.frame(), done.then(() => undefined)]);
      if (request === undefined || (request.opCode !== create && request.opCode !== exists)) return;
      const path = request.body.subarray(4, 4 + request.body.readInt32BE(0)).toString();
      asked.push(`${request.opCode === create ? 'create' : 'exists'} ${path}`);
      const { connection } = request;
      if (known.has(path.slice(0, path.lastIndexOf('/')))) {
        known.add(path);
        connection.send(reply(request, { body: bytes(path) }));
      } else {
        connection.send(reply(request, { err: noNode }));
      }
    }
  }

  it('R8: gets plain parents, and is not asked for a container, which would cost the connection', async () => {
    await using wire = await startWireServer();
    await using zk = await ZooKeeper.connect(wire.connectString);
    const asked: string[] = [];
    const created = zk.create('/a/b/n', null, { parents: 'container' satisfies ParentsOption });
    const served = serve(wire, new Set(['']), asked, created);
    expect((await created).path).toBe('/a/b/n');
    await served;
    expect(wire.totalConnections).toBe(1);
    const probe = 'exists /zookeeper/config';
    const tries = ['create /a/b/n', probe, 'create /a/b', 'create /a', 'create /a/b', 'create /a/b/n'];
    expect(asked).toEqual(tries);
    await zk.close({ timeout: 1 });
  });
});
