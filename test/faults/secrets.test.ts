import { expect, test } from '@jest/globals';
import { runScript } from '../support/child.js';
import { until } from '../support/until.js';
import { op, startRig } from './rig.js';

test('V2: credentials appear in no log line and no error, whatever is logged and inspected', async () => {
  await using rig = await startRig();
  const source = `
    import { inspect } from 'node:util';
    import { ZooKeeper } from 'zookit';
    const show = (value) => console.log(inspect(value, { depth: 20, showHidden: true }), String(value), value?.stack);
    const zk = await ZooKeeper.connect('${rig.connectString}', {
      sessionTimeout: 5000, auth: [{ scheme: 'digest', auth: 'alice:tOpSeCrEt' }],
    });
    await zk.addAuth('digest', Buffer.from('bob:hIdDeN'));
    zk.on('session', show);
    const { password } = zk.session.export();
    const reconnected = new Promise((resolve) => zk.once('connected', resolve));
    console.log('ready');
    await reconnected;
    show(await zk.create('/node').then(() => zk.create('/node')).catch((error) => error));
    try { ZooKeeper.open('h', { auth: [{ scheme: 'digest', auth: ['mIsTyPeD'] }] }); } catch (error) { show(error); }
    show(zk);
    show(zk.session);
    show(await zk.addAuth('nosuch', 'wRoNg').catch((error) => error));
    show(await zk.exists('/').catch((error) => error));
    await zk.close();
    process.stdout.write('\\npassword ' + password + '\\n');`;
  await using child = await runScript({ source }, { env: { DEBUG: '*' } });
  await child.line(/^ready$/);
  await until(() => rig.proxy.requests.filter(({ opCode }) => opCode === op.auth).length >= 2, { what: 'credentials' });
  rig.proxy.resetAll();
  const { code, stdout, stderr } = await child.result;
  expect(code).toBe(0);
  const [, password = 'no password'] = /^password (.+)$/m.exec(stdout) ?? [];
  const said = stdout.replace(/^password .+$/m, '') + stderr;
  expect(stderr).toContain('zookit:');
  for (const secret of ['tOpSeCrEt', 'hIdDeN', 'wRoNg', 'mIsTyPeD', password]) {
    for (const form of [secret, Buffer.from(secret).toString('base64'), Buffer.from(secret).toString('hex')])
      expect(said.split('\n').filter((line) => line.includes(form))).toEqual([]);
  }
});
