import { LeaderLatch, LiveConfig, Mutex, ServiceRegistry } from 'zookit/recipes';

/** How long the sessions of this chapter may be without a server, milliseconds: longer than the outage. */
const SESSION_TIMEOUT = 40_000;

export async function outage(stage) {
  const zk = await stage.connectCut({ sessionTimeout: SESSION_TIMEOUT });
  const seen = [];
  zk.on('session', ({ type }) => seen.push(type));

  stage.say('a client holds a lock, leads, is registered, and follows a configuration and a watch');
  const lock = await new Mutex(zk, '/outage/lock').acquire();
  const term = await new LeaderLatch(zk, '/outage/leader', { id: 'anna' }).lead();
  const service = await new ServiceRegistry(zk, { basePath: '/outage/services' }).register({
    name: 'cart',
    id: 'a',
    address: '10.0.0.1',
    port: 80,
  });
  await stage.observer.upsert('/outage/config', '1');
  const config = await LiveConfig.open(zk, '/outage/config');
  const told = [];
  await zk.addWatch('/outage/config', { onEvent: ({ type }) => told.push(type) });
  const before = zk.session.id;
  const owned = [lock.path, term.path, '/outage/services/cart/a'];

  await goDown(stage);
  await stage.checkSoon('the client knows that it is suspended', () => zk.state, 'suspended');
  stage.check('it still holds, leads and is registered', [lock.held, term.held, service.held], [true, true, true]);
  stage.check('its configuration is still there, marked stale', [config.current, config.stale], [1, true]);
  const writing = zk.create('/outage/written', 'while there was no server');
  const reading = zk.getData('/outage/config');

  await comeBack(stage);
  await stage.soon('what was asked for meanwhile is done', Promise.all([writing, reading]));
  stage.check('it is the same session', zk.session.id.equals(before));
  stage.check('the events were suspended, connected', seen, ['suspended', 'connected']);
  stage.check('it holds, leads and is registered', [lock.held, term.held, service.held], [true, true, true]);
  const owners = await Promise.all(owned.map(async (path) => (await stage.observer.exists(path))?.ephemeralOwner));
  stage.check(
    'its znodes are the old ones',
    owners.every((owner) => owner?.equals(before) === true),
  );
  await stage.show('/outage');

  stage.say('the configuration changes');
  await stage.observer.setData('/outage/config', '2');
  await stage.checkSoon('the client follows it as before', () => [config.current, config.stale], [2, false]);
  await stage.checkSoon('the watch says that it may have missed something, and goes on', () => told, [
    'resync',
    'dataChanged',
  ]);
  await config.close();
}

async function goDown({ server, relay, say }) {
  say(server.own ? 'the server is killed (SIGKILL)' : 'the connection is cut');
  if (server.own) await server.kill();
  else relay.cut();
}

async function comeBack({ server, relay, say }) {
  say(server.own ? 'the server is started again, with the data it has' : 'the connection is possible again');
  if (server.own) await server.start();
  else relay.mend();
}
