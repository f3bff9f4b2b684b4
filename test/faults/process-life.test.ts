import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { runScript } from '../support/child.js';
import { until } from '../support/until.js';
import { startServer, type ZooKeeperServer } from '../support/zookeeper.js';

describe('P1: a client without any listener', () => {
  let server: ZooKeeperServer;

  beforeAll(async () => {
    server = await startServer();
  });

  afterAll(() => server.close());

  it('lives through ten kills of its server, says nothing on its own, and ends with exit code 0', async () => {
    const source = `
      import { ZooKeeper } from 'zookit';
      const zk = await ZooKeeper.connect('${server.connectString}', { sessionTimeout: 2000 });
      await zk.create('/mine', null, { mode: 'ephemeral' });
      await zk.addWatch('/');
      await zk.exists('/', { watch: () => undefined });
      zk.lease();
      process.on('SIGTERM', () => void zk.close());
      console.log('ready');`;
    const env = { NODE_OPTIONS: '--unhandled-rejections=strict --throw-deprecation', DEBUG: '' };
    await using child = await runScript({ source }, { env });
    await child.line(/^ready$/);
    for (let kill = 1; kill <= 10; kill++) {
      await server.kill();
      await server.start();
      await until(async () => (await server.fourLetter('cons')).includes('sid=0x'), { what: 'the client' });
    }
    child.signal('SIGTERM');
    expect(await child.result).toEqual({ code: 0, signal: null, stdout: 'ready\n', stderr: '' });
  }, 120_000);
});
