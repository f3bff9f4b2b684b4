import { expect, it } from '@jest/globals';
import { SchemaViolationError, ZooKeeper } from 'zookit';
import { Mutex } from 'zookit/recipes';
import { sharedServer } from '../support/shared.js';
import { failureOf, useClients } from './clients.js';

const clients = useClients();

it('nothing that breaks a rule is sent: creates, writes, deletes, watches, transactions, recipes', async () => {
  const whole = clients.chroot;
  await using zk = await ZooKeeper.connect(sharedServer().connectString + whole, {
    schema: [
      {
        path: `${whole}/fixed`,
        deletable: false,
        watchable: false,
        checkData: (data) => (data.length > 3 ? 'too long' : undefined),
      },
      { path: `${whole}/locks/*/*`, ephemeral: 'never' },
      { path: `${whole}/free/**` },
      { path: `${whole}/free` },
      { path: `${whole}/locks/**` },
      { path: `${whole}/locks` },
      { path: '/**', name: 'nothing else', creatable: false },
    ],
  });
  await zk.create('/fixed', 'abc');
  await zk.create('/free/a/b', null, { parents: true });
  const { lastZxid } = zk;
  const refused: [call: () => Promise<unknown>, rule: string, operation: string][] = [
    [() => zk.create('/other'), 'nothing else', 'create'],
    [() => zk.create('/other/a', null, { parents: true }), 'nothing else', 'create'],
    [() => zk.upsert('/fixed', 'long'), `${whole}/fixed`, 'setData'],
    [() => zk.setData('/fixed', 'long'), `${whole}/fixed`, 'setData'],
    [() => zk.setData('/fixed', 'long', -1, { retry: true }), `${whole}/fixed`, 'setData'],
    [() => zk.delete('/fixed'), `${whole}/fixed`, 'delete'],
    [() => zk.delete('/fixed', -1, { missing: 'ignore' }), `${whole}/fixed`, 'delete'],
    [() => zk.delete('/fixed', -1, { guaranteed: true }), `${whole}/fixed`, 'delete'],
    [() => zk.getData('/fixed', { watch: () => undefined }), `${whole}/fixed`, 'getData'],
    [() => zk.exists('/fixed', { watch: () => undefined }), `${whole}/fixed`, 'exists'],
    [() => zk.addWatch('/fixed'), `${whole}/fixed`, 'addWatch'],
    [async () => zk.transaction().create('/free/c').create('/other').commit(), 'nothing else', 'create'],
    [async () => zk.transaction().create('/free/c').setData('/fixed', 'long').commit(), `${whole}/fixed`, 'setData'],
    [async () => zk.transaction().create('/free/c').delete('/fixed').commit(), `${whole}/fixed`, 'delete'],
    [() => zk.chroot('/locks/a').create('/b', null, { mode: 'ephemeral' }), `${whole}/locks/*/*`, 'create'],
    [() => new Mutex(zk, '/locks/a').acquire(), `${whole}/locks/*/*`, 'create'],
  ];
  for (const [call, rule, operation] of refused) {
    const failure = await failureOf(call());
    expect(failure).toBeInstanceOf(SchemaViolationError);
    expect(failure).toMatchObject({ code: 'SCHEMA_VIOLATION', rule, operation });
  }
  expect((await clients.zk.getData('/fixed')).text()).toBe('abc');
  expect(await clients.zk.getChildren('/free')).toEqual(['a']);
  expect(await clients.zk.getChildren('/')).not.toContain('other');
  expect(zk.watches()).toEqual([]);
  await zk.sync('/');
  expect(zk.lastZxid.greaterThanOrEqual(lastZxid)).toBe(true);
  await zk.setData('/fixed', 'new');
  await zk.deleteTree('/free');
});
