import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { until } from '../support/until.js';
import { type EventLog, failureOf, type Rig, startRig } from './rig.js';
import { startServer, type ZooKeeperServer } from '../support/zookeeper.js';

const T = 3_000;

let server: ZooKeeperServer;
let backup: string;

beforeAll(async () => {
  server = await startServer();
  backup = mkdtempSync(join(tmpdir(), 'zookit-backup-'));
});

afterAll(async () => {
  await server.close();
  rmSync(backup, { recursive: true, force: true });
});

/** The client sees a zxid that an empty server does not reach during the test. */
async function getAhead({ zk }: Rig): Promise<void> {
  await Promise.all(Array.from({ length: 200 }, () => zk.setData('/', 'x')));
}

/** An empty server on the same port. */
async function wipe(): Promise<void> {
  await server.stop();
  cpSync(server.dataDir, backup, { recursive: true });
  await server.wipe();
  await server.start();
}

/** How long a server takes to start decides whether the session timeout has passed meanwhile. */
function toldBesideLost({ types }: EventLog): string[] {
  return types.filter((type) => type !== 'lost');
}

async function restore(): Promise<void> {
  await server.wipe();
  cpSync(backup, server.dataDir, { recursive: true });
  await server.start();
}

describe('C6: a server that comes back empty', () => {
  it('is named, and by default the client takes its session for expired and starts afresh', async () => {
    await using rig = await startRig({ server, sessionTimeout: T });
    const { zk, events } = rig;
    await getAhead(rig);
    const { id } = zk.session;
    const lease = zk.lease();
    const heldAt: Record<string, boolean> = {};
    zk.on('session', ({ type }) => (heldAt[type] = lease.held));
    let waiting: Promise<unknown> | undefined;
    zk.once('suspended', () => void (waiting = failureOf(zk.exists('/'))));
    await wipe();
    const served = performance.now();
    await events.first('connected');
    expect(toldBesideLost(events)).toEqual(['suspended', 'aheadOfServers', 'expired', 'connected']);
    expect(events.timeOf('aheadOfServers') - served).toBeLessThanOrEqual(2 * T);
    expect(heldAt).toMatchObject({ expired: false, connected: false });
    expect(await waiting).toMatchObject({ code: 'SESSION_EXPIRED' });
    const [ahead] = events.all.filter((event) => event.type === 'aheadOfServers');
    expect(ahead?.sessionId).toEqual(id);
    expect(ahead?.lastZxid.toNumber()).toBeGreaterThanOrEqual(200);
    expect(await zk.exists('/')).toBeNull();
  });

  it('is named once by a client that is told to wait, which goes on when a server has the data again', async () => {
    await using rig = await startRig({ server, sessionTimeout: 8_000, whenAhead: 'wait' });
    const { zk, events, proxy } = rig;
    await zk.create('/mine', null, { mode: 'ephemeral' });
    await getAhead(rig);
    const { id } = zk.session;
    await wipe();
    await events.first('aheadOfServers');
    const attempts = proxy.totalConnections;
    const waiting = zk.getChildren('/');
    await until(() => proxy.totalConnections >= attempts + 5, { what: 'more attempts' });
    expect(zk.state).toBe('suspended');
    await restore();
    expect(await waiting).toEqual(['mine']);
    expect(toldBesideLost(events)).toEqual(['suspended', 'aheadOfServers', 'connected']);
    expect(zk.session.id).toEqual(id);
  });
});
