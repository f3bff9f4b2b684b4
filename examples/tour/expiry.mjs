import { once } from 'node:events';
import { Mutex, ServiceRegistry } from 'zookit/recipes';

const LOCK = '/expiry/lock';
const SERVICE = '/expiry/services/cart/a';

export async function expiry(stage) {
  const zk = await stage.connectCut({ sessionTimeout: 4_000 });
  const seen = [];
  zk.on('session', ({ type }) => seen.push(type));

  stage.say('anna holds a lock and is registered; ben waits for the lock');
  const annas = await new Mutex(zk, LOCK, { data: 'anna' }).acquire();
  const registry = new ServiceRegistry(zk, { basePath: '/expiry/services' });
  await registry.register({ name: 'cart', id: 'a', address: '10.0.0.1', port: 80 });
  const taking = new Mutex(await stage.connect(), LOCK, { data: 'ben' }).acquire();
  await stage.checkSoon('ben stands in line', async () => (await stage.observer.getChildren(LOCK)).length, 2);
  await stage.show('/expiry');

  stage.say(`anna's connection is cut, for longer than her session timeout of ${zk.session.timeout} ms`);
  const before = zk.session.id;
  const aborted = once(annas.signal, 'abort');
  const registration = await stage.observer.exists(SERVICE);
  stage.relay.cut();
  await stage.soon('anna is told that she may have lost the lock', aborted);
  stage.check('in time: on the server it is still hers', await stage.observer.has(annas.path));
  stage.check('she holds it no more', annas.held, false);
  await stage.show('/expiry');
  const bens = await stage.soon('the server ends her session, and ben has the lock', taking);
  stage.check("ben's fencing token is higher", bens.fencingToken.greaterThan(annas.fencingToken));
  await stage.show('/expiry');

  stage.say("anna's connection is possible again");
  stage.relay.mend();
  await stage.checkSoon('she has a new session', () => zk.state === 'connected' && !zk.session.id.equals(before));
  stage.check('the events were suspended, lost, expired, connected', seen, [
    'suspended',
    'lost',
    'expired',
    'connected',
  ]);
  await stage.checkSoon(
    'her registration is back, in the new session',
    async () => (await stage.observer.exists(SERVICE))?.ephemeralOwner.equals(zk.session.id) ?? false,
  );
  const again = await stage.observer.exists(SERVICE);
  stage.check('in a znode of its own', again?.czxid.equals(registration.czxid), false);
  stage.check("the lock did not come back: it is ben's", [annas.held, bens.held], [false, true]);
  await stage.show('/expiry');
  await bens.release();
}
