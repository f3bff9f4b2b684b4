import { expect, test } from '@jest/globals';
import { runScript } from '../support/child.js';
import { until } from '../support/until.js';
import { startRig } from './rig.js';

test('P7: callbacks that throw or reject are reported, each once, and disturb neither connection nor other callbacks', async () => {
  await using rig = await startRig();
  const source = `
    import { ZooKeeper } from 'zookit';
    const reported = [];
    process.on('uncaughtException', (error) => reported.push(error.message));
    process.on('unhandledRejection', (error) => reported.push(error.message));
    const zk = await ZooKeeper.connect('${rig.connectString}', { sessionTimeout: 5000 });
    const told = [];
    const bad = (name) => () => { throw new Error(name); };
    const rejecting = (name) => async () => { throw new Error(name); };
    const good = (name) => () => void told.push(name);

    await zk.create('/node');
    for (const watch of [bad('one-shot'), rejecting('one-shot rejects'), good('one-shot')]) await zk.getData('/node', { watch });
    for (const onEvent of [bad('persistent'), rejecting('persistent rejects'), good('persistent')])
      await zk.addWatch('/node', { onEvent });
    await zk.setData('/node', 'x');
    await zk.sync();

    const suspended = new Promise((resolve) => zk.once('suspended', resolve));
    zk.once('suspended', bad('suspended')).once('suspended', rejecting('suspended rejects')).once('suspended', good('suspended'));
    zk.once('connected', bad('connected')).once('connected', good('connected'));
    const connected = new Promise((resolve) => zk.once('connected', resolve));
    console.log('ready');
    await suspended;
    await connected;
    const state = zk.state;
    const data = (await zk.getData('/node')).text();
    await new Promise((resolve) => setImmediate(resolve));
    reported.sort();
    await zk.close();
    console.log(JSON.stringify({ reported, told, state, data }));`;
  await using child = await runScript({ source });
  await child.line(/^ready$/);
  rig.proxy.resetAll();
  const { code, stdout, stderr } = await child.result;
  expect([code, stderr]).toEqual([0, '']);
  const said = JSON.parse(stdout.split('\n')[1] ?? '') as { reported: string[]; told: string[] };
  // The resync and the end call the persistent ones again.
  const persistent = said.reported.filter((name) => name.startsWith('persistent'));
  expect(said.reported.filter((name) => !name.startsWith('persistent'))).toEqual(
    ['connected', 'one-shot', 'one-shot rejects', 'suspended', 'suspended rejects'].sort(),
  );
  expect(persistent.filter((name) => name === 'persistent').length).toBeGreaterThanOrEqual(2);
  expect(said.told.filter((name) => name !== 'persistent')).toEqual(['one-shot', 'suspended', 'connected']);
  expect(said).toMatchObject({ state: 'connected', data: 'x' });
});

test('V1: operations by the hundred that share one signal leave nothing on stderr', async () => {
  await using rig = await startRig();
  const source = `
    import { ZooKeeper } from 'zookit';
    const zk = await ZooKeeper.connect('${rig.connectString}', { sessionTimeout: 5000 });
    const { signal } = new AbortController();
    await Promise.all(Array.from({ length: 100 }, () => zk.exists('/', { signal })));
    await zk.close();`;
  const { code, stdout, stderr } = await (await runScript({ source })).result;
  expect([code, stdout, stderr]).toEqual([0, '', '']);
});

test('a listener that is taken off while events are told is called no more', async () => {
  await using rig = await startRig();
  const { zk } = rig;
  const calls: string[] = [];
  const listener = (): void => {
    calls.push('listener');
    zk.off('suspended', listener);
  };
  zk.on('suspended', listener).once('suspended', () => calls.push('once'));
  await rig.reconnect();
  await rig.reconnect();
  expect(calls).toEqual(['listener', 'once']);
});

test('a watch that is set again inside of its own callback never misses the last change', async () => {
  await using rig = await startRig();
  const { zk, observer } = rig;
  await zk.create('/node', '0');
  const values: string[] = [];
  const look = async (): Promise<void> => {
    values.push((await zk.getData('/node', { watch })).text());
  };
  const watch = (): void => void look();
  await look();
  for (let value = 1; value <= 20; value++) {
    await observer.setData('/node', String(value));
    if (value % 5 === 0) await rig.reconnect();
    await until(() => values.at(-1) === String(value), { what: `the value ${value}` });
  }
  expect(values).toEqual([...new Set(values)]);
  zk.unwatch('/node', watch);
});
