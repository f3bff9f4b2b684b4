import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { runScript } from '../../support/child.js';
import { sharedServer, useChroot } from '../../support/shared.js';
import { nextEvent, until } from '../../support/until.js';
import { startEnsemble, startServer } from '../../support/zookeeper.js';
import { handshake, request } from './raw-client.js';

describe('a server', () => {
  test('serves, keeps port and data over stop, kill and start, and leaves nothing', async () => {
    const server = await startServer();
    try {
      expect(await server.mode()).toBe('standalone');
      const { port } = server;
      const first = await handshake(server);
      const opCodeExists = 3;
      first.write(request(1, opCodeExists, '/zookeeper'));
      expect((await first.frame()).readInt32BE(16)).toBe(0);
      await server.kill();
      expect(server.running).toBe(false);
      await server.start();
      await server.stop();
      await server.start();
      expect(server.port).toBe(port);
      const again = await handshake(server, first.session);
      expect(again.session.id).toBe(first.session.id);
      again.close();
      first.close();
    } finally {
      await server.close();
    }
    expect(existsSync(dirname(server.dataDir))).toBe(false);
  });

  test('forgets everything by wipe', async () => {
    await using server = await startServer();
    const { session } = await handshake(server);
    await server.wipe();
    await server.start();
    const socket = await handshake(server, session);
    expect(socket.session).toMatchObject({ id: 0n, timeout: 0 });
    socket.close();
  });

  test('does not answer while paused', async () => {
    await using server = await startServer();
    server.pause();
    await expect(server.fourLetter('ruok')).rejects.toThrow('no answer to ruok');
    server.resume();
    expect(await server.fourLetter('ruok')).toBe('imok');
  });

  test('takes settings, and shows its log if it does not start', async () => {
    await using server = await startServer({ tickTime: 100, config: { maxClientCnxns: 7 } });
    expect(await server.fourLetter('conf')).toMatch(/tickTime=100\n[^]*maxClientCnxns=7\n/);
    await expect(startServer({ systemProperties: { 'zookeeper.serverCnxnFactory': 'no.such.Class' } })).rejects.toThrow(
      /ended while it was starting[^]*no\.such\.Class/,
    );
  });
});

test.each(['serves', 'is paused'])(
  'a server that %s ends with the process that started it, even if that is killed',
  async (how) => {
    const support = join(__dirname, '..', '..', 'support', 'zookeeper-process.cjs');
    await using child = await runScript({
      source: `
      import { createRequire } from 'node:module';
      const { startServer } = createRequire(import.meta.url)(${JSON.stringify(support)});
      const server = await startServer();
      if (${how === 'is paused'}) server.pause();
      console.log('port', server.port, 'data', server.dataDir);`,
    });
    const [, port, data = ''] = await child.line(/^port (\d+) data (.+)$/, { timeout: 60_000 });
    await child.kill();
    // The folder goes last of all.
    await until(() => !existsSync(dirname(data)), { what: 'the folder to be removed', timeout: 60_000 });
    await expect(nextEvent(connect({ host: '127.0.0.1', port: Number(port) }), 'error')).resolves.toMatchObject([
      { code: 'ECONNREFUSED' },
    ]);
  },
  120_000,
);

test('an ensemble elects a leader, and another one when that is killed', async () => {
  await using ensemble = await startEnsemble(3);
  const leader = await ensemble.leader();
  expect(await ensemble.followers()).toHaveLength(2);
  await leader.kill();
  const next = await ensemble.leader();
  expect(next.port).not.toBe(leader.port);
  await ensemble.start();
  await until(async () => (await ensemble.followers()).length === 2, { what: 'two followers' });
});

test('the shared server serves; chroots are unique', async () => {
  const socket = await handshake(sharedServer());
  expect(socket.session.timeout).toBe(10_000);
  const closed = nextEvent(socket.raw, 'close');
  socket.close();
  await closed;
  expect(useChroot()).not.toBe(useChroot());
});
