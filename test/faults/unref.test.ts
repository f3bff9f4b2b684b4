/** P4: the option `unref`. The programs run in processes of their own, and are to end by themselves. */
import { expect, test } from '@jest/globals';
import { runScript } from '../support/child.js';
import { startWireServer } from '../support/wire-server.js';
import { op, startRig } from './rig.js';

const program = (connectString: string, options: string, body: string): string => `
  import { ZooKeeper } from 'zookit';
  const zk = await ZooKeeper.connect('${connectString}', { sessionTimeout: 30_000, ${options} });
  ${body}`;

test('a process that has nothing else to do ends while the client is connected, with watches and a lease', async () => {
  await using rig = await startRig();
  const body = `
    zk.lease();
    await zk.exists('/', { watch: () => undefined });
    await zk.addWatch('/');
    console.log(zk.state);`;
  await using child = await runScript({ source: program(rig.connectString, 'unref: true', body) });
  expect(await child.result).toEqual({ code: 0, signal: null, stdout: 'connected\n', stderr: '' });
});

test('without the option it stays', async () => {
  await using rig = await startRig();
  const body = `process.on('SIGTERM', () => zk.close()); console.log(zk.state);`;
  await using child = await runScript({ source: program(rig.connectString, '', body) });
  await child.line(/^connected$/);
  child.signal('SIGTERM');
  expect(await child.result).toMatchObject({ code: 0, signal: null });
});

test('it stays for an operation that is under way, and for one that waits for a connection', async () => {
  await using rig = await startRig();
  const body = `
    zk.once('suspended', () => {
      console.log('suspended');
      zk.create('/waited').then(({ path }) => console.log(path));
    });
    void zk.exists('/').then(() => console.log('asked'));`;
  const stop = rig.proxy.onRequest(({ opCode }) => {
    if (opCode !== op.exists) return;
    stop();
    rig.proxy.refuse();
    rig.proxy.resetAll();
  });
  await using child = await runScript({ source: program(rig.connectString, 'unref: true', body) });
  await child.line(/^suspended$/);
  await rig.proxy.accept();
  expect(await child.result).toMatchObject({ code: 0, stdout: 'suspended\nasked\n/waited\n' });
});

test('it stays for connect() and for close()', async () => {
  await using rig = await startRig();
  const body = `
    await zk.create('/mine', null, { mode: 'ephemeral' });
    await zk.close();
    console.log('closed');`;
  await using child = await runScript({ source: program(rig.connectString, 'unref: true', body) });
  expect(await child.result).toMatchObject({ code: 0, stdout: 'closed\n' });
  expect(await rig.observer.has('/mine')).toBe(false);
});

test('it does not stay for a client that looks for a server and that nobody waits for', async () => {
  await using wire = await startWireServer();
  const source = `
    import { ZooKeeper } from 'zookit';
    const zk = ZooKeeper.open('${wire.connectString}', { unref: true });
    console.log(zk.state);`;
  await using child = await runScript({ source });
  expect(await child.result).toEqual({ code: 0, signal: null, stdout: 'connecting\n', stderr: '' });
});
