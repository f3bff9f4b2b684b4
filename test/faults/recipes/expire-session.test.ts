import { expect, test } from '@jest/globals';
import { LeaderLatch, LiveConfig, Mutex, ServiceRegistry } from 'zookit/recipes';
import { expireSession } from '../../support/expire-session.js';
import { sharedServer } from '../../support/shared.js';
import { until } from '../../support/until.js';
import { type Rig, SHORT, startRig } from '../rig.js';

/** What each recipe has told, in order. */
type Told = Record<'lock' | 'latch' | 'registration' | 'config' | 'provider', string[]>;

/** One of each recipe on one client, over the end of its session. Resolves when all have found their feet again. */
async function over(end: (rig: Rig) => Promise<void>): Promise<Told> {
  await using rig = await startRig({ sessionTimeout: SHORT });
  const { zk, observer } = rig;
  const told: Told = { lock: [], latch: [], registration: [], config: [], provider: [] };
  const note = (of: keyof Told, what: string): void => void told[of].push(what);

  const mutex = new Mutex(zk, '/lock');
  const lock = await mutex.acquire();
  lock.signal.addEventListener('abort', () => note('lock', 'lost'));

  await using latch = new LeaderLatch(zk, '/leaders').start();
  const terms = (async () => {
    for await (const term of latch.terms()) {
      note('latch', 'leads');
      term.signal.addEventListener('abort', () => note('latch', 'is deposed'));
    }
  })();

  await using registration = await new ServiceRegistry(zk).register({ name: 'own', address: 'here', port: 1 });
  registration.signal.addEventListener('abort', () => note('registration', 'lost'));

  await observer.upsert('/config', '{"value":1}');
  await using config = await LiveConfig.open(zk, '/config');
  const values = (async () => {
    for await (const value of config) note('config', JSON.stringify(value));
  })();

  await new ServiceRegistry(observer).register({ name: 'other', address: 'there', port: 2 });
  await using provider = await new ServiceRegistry(zk).provider('other').ready();
  const lists = (async () => {
    for await (const { instances, stale } of provider) note('provider', `${instances.length}, stale: ${stale}`);
  })();
  await until(() => told.latch.length === 1 && told.provider.length === 1, { what: 'all to have begun' });

  rig.events.clear();
  const { id } = zk.session;
  await end(rig);
  await rig.events.first('connected');
  expect(rig.events.types.filter((type) => type === 'expired')).toEqual(['expired']);
  expect(zk.session.id).not.toEqual(id);

  await using again = await mutex.acquire({ timeout: 10_000 });
  note('lock', again.held ? 'held by the new session' : 'not held');
  await until(() => told.latch.length === 3, { what: 'another term' });
  await until(() => registration.held, { what: 'the registration to be made again' });
  note('registration', `of the new session: ${await ownedBy(rig, '/services/own')}`);
  await observer.setData('/config', '{"value":2}');
  await until(() => told.config.at(-1) === '{"value":2}', { what: 'the new value' });
  await until(() => told.provider.at(-1) === '1, stale: false', { what: 'the current list' });

  await Promise.all([latch.close(), config.close(), provider.close()]);
  await Promise.all([terms, values, lists]);
  return told;
}

/** Whether the only child of a znode belongs to the current session. */
async function ownedBy({ zk }: Rig, parent: string): Promise<boolean> {
  const [child = ''] = await zk.getChildren(parent);
  return (await zk.exists(`${parent}/${child}`))?.ephemeralOwner.equals(zk.session.id) ?? false;
}

test('V3: what a test helper does by expireSession() is to all recipes what a cut beyond the session timeout is', async () => {
  const real = await over(async (rig) => {
    await rig.outlive();
    await rig.relink();
  });
  const helped = await over(({ zk }) => expireSession(sharedServer(), zk.session.export()));
  expect(helped).toEqual(real);
  expect(helped).toEqual({
    lock: ['lost', 'held by the new session'],
    latch: ['leads', 'is deposed', 'leads', 'is deposed'],
    registration: ['lost', 'of the new session: true'],
    config: expect.arrayContaining(['{"value":1}', '{"value":2}']),
    provider: ['1, stale: false', '1, stale: true', '1, stale: false'],
  });
});
