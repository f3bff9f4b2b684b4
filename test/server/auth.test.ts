import { describe, expect, it } from '@jest/globals';
import { acl, AuthFailedError, NoAuthError, ZooKeeper } from 'zookit';
import { needs, since } from '../support/features.js';
import { startProxy } from '../support/proxy.js';
import { sharedServer } from '../support/shared.js';
import { startServer, superAuth } from '../support/zookeeper.js';
import { nextEvent, until } from '../support/until.js';
import { useClients } from './clients.js';

const clients = useClients();

describe('whoAmI', () => {
  needs('whoAmI')('gives the identities that the server has accepted', async () => {
    const zk = await clients.another();
    expect(await zk.whoAmI()).toEqual([{ scheme: 'ip', id: '127.0.0.1' }]);
    await zk.addAuth('digest', 'alice:pw');
    await zk.addAuth('digest', Buffer.from('bob:pw'));
    const identities = await zk.whoAmI();
    expect(identities.map(({ scheme, id }) => `${scheme}:${id}`).sort()).toEqual([
      'digest:alice',
      'digest:bob',
      'ip:127.0.0.1',
    ]);
  });
});

describe('addAuth', () => {
  it('opens what only that identity may see', async () => {
    const folder = await clients.folder();
    const alice = await clients.another({ auth: [{ scheme: 'digest', auth: 'alice:pw' }] });
    await alice.create(`${folder}/private`, 'secret', { acl: acl.creatorAll });
    const zk = await clients.another();
    await expect(zk.getData(`${folder}/private`)).rejects.toThrow(NoAuthError);
    await zk.addAuth('digest', 'alice:wrong');
    await expect(zk.getData(`${folder}/private`)).rejects.toThrow(NoAuthError);
    await zk.addAuth('digest', 'alice:pw');
    expect((await zk.getData(`${folder}/private`)).text()).toBe('secret');
  });

  it('counts for operations called after it, without waiting for it', async () => {
    const folder = await clients.folder();
    const zk = await clients.another();
    const [, created] = await Promise.all([
      zk.addAuth('digest', 'alice:pw'),
      zk.create(`${folder}/mine`, null, { acl: acl.creatorAll }),
    ]);
    expect(created.path).toBe(`${folder}/mine`);
  });

  it('makes a super user that passes every ACL', async () => {
    const folder = await clients.folder();
    await clients.zk.create(`${folder}/closed`, 'x', { acl: [acl.digest('nobody', 'knows')] });
    const zk = await clients.another();
    await zk.addAuth(superAuth.scheme, superAuth.auth);
    expect((await zk.getData(`${folder}/closed`)).text()).toBe('x');
  });

  it('R3: is there again after a reconnect, before any operation', async () => {
    const folder = await clients.folder();
    await using proxy = await startProxy(sharedServer());
    await using zk = await ZooKeeper.connect(proxy.connectString + clients.chroot);
    await zk.addAuth('digest', 'alice:pw');
    await zk.addAuth('digest', 'bob:pw');
    await zk.create(`${folder}/n`, 'of alice', { acl: [acl.digest('alice', 'pw'), acl.digest('bob', 'pw', 'read')] });
    const suspended = nextEvent(zk, 'suspended');
    proxy.resetAll();
    await suspended;
    // Asked for while there is no connection: these wait, and must not overtake the credentials.
    const waiting = [zk.getData(`${folder}/n`), zk.create(`${folder}/mine`, null, { acl: acl.creatorAll })] as const;
    expect((await waiting[0]).text()).toBe('of alice');
    await waiting[1];
    expect((await zk.getAcl(`${folder}/mine`)).acl.map(({ id }) => id.split(':')[0]).sort()).toEqual(['alice', 'bob']);
  });

  it('resolves after the next reconnect when it is called without a connection', async () => {
    const folder = await clients.folder();
    await using proxy = await startProxy(sharedServer());
    await using zk = await ZooKeeper.connect(proxy.connectString + clients.chroot);
    const suspended = nextEvent(zk, 'suspended');
    proxy.resetAll();
    await suspended;
    await zk.addAuth('digest', 'alice:pw');
    expect(zk.state).toBe('connected');
    await zk.create(`${folder}/mine`, null, { acl: acl.creatorAll });
    expect((await zk.getAcl(`${folder}/mine`)).acl).toEqual([acl.digest('alice', 'pw')]);
  });

  it('with a scheme that the server does not know: AuthFailedError, and the client is of no further use', async () => {
    const zk = await clients.another();
    const failed = nextEvent(zk, 'authFailed');
    const refused = zk.addAuth('nosuch', 'x');
    await expect(refused).rejects.toThrow(AuthFailedError);
    await expect(refused).rejects.toMatchObject({ code: 'AUTH_FAILED', operation: 'addAuth' });
    await failed;
    expect(zk.state).toBe('authFailed');
    const late = zk.getData('/');
    await expect(late).rejects.toThrow(AuthFailedError);
    await expect(late).rejects.toMatchObject({ path: '/', operation: 'getData', mayHaveBeenApplied: false });
    await expect(zk.addAuth('digest', 'alice:pw')).rejects.toThrow(AuthFailedError);
    await expect(zk.ready()).rejects.toThrow(AuthFailedError);
    await zk.close();
  });

  it('R4: refused credentials among the options end the connecting at once', async () => {
    const { connectString } = sharedServer();
    const connecting = ZooKeeper.connect(connectString, { auth: [{ scheme: 'nosuch', auth: 'secret-word' }] });
    await expect(connecting).rejects.toThrow(AuthFailedError);
    await expect(connecting).rejects.not.toThrow('secret-word');
  });

  needs('addWatch')('ends watches with the reason', async () => {
    const zk = await clients.another();
    const watcher = await zk.addWatch('/');
    await expect(zk.addAuth('nosuch', 'x')).rejects.toThrow(AuthFailedError);
    const events = [];
    for await (const event of watcher) events.push(event);
    expect(events).toEqual([{ type: 'ended', reason: 'authFailed' }]);
  });
});

describe('a server that demands credentials', () => {
  const name = 'serves those who prove who they are; others are of no further use after their first request';
  since('3.7.0')(name, async () => {
    await using server = await startServer({
      systemProperties: { 'zookeeper.enforce.auth.enabled': true, 'zookeeper.enforce.auth.schemes': 'digest' },
    });
    await using alice = await ZooKeeper.connect(server.connectString, {
      auth: [{ scheme: 'digest', auth: 'alice:pw' }],
    });
    expect(await alice.has('/')).toBe(true);
    await using nobody = await ZooKeeper.connect(server.connectString);
    const told: string[] = [];
    nobody.on('session', ({ type }) => told.push(type));
    await expect(nobody.has('/')).rejects.toThrow(AuthFailedError);
    await until(() => told.includes('authFailed'), { what: 'the event authFailed' });
    expect(nobody.state).toBe('authFailed');
    await expect(nobody.has('/')).rejects.toThrow(AuthFailedError);
  });
});
