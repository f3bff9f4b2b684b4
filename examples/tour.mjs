// The tour, `npm run demo`: what zookit does, step by step, on a real ZooKeeper, each step checked. It starts a server
// of its own, or uses the one of ZOOKEEPER=host:port. It ends with 0 only if every check of every chapter held.
import { createRequire } from 'node:module';
import { barriers } from './tour/barriers.mjs';
import { expiry } from './tour/expiry.mjs';
import { firstSteps } from './tour/first-steps.mjs';
import { leader } from './tour/leader.mjs';
import { liveConfig } from './tour/live-config.mjs';
import { lock } from './tour/lock.mjs';
import { outage } from './tour/outage.mjs';
import { services } from './tour/services.mjs';
import { CheckFailed, Stage } from './tour/stage.mjs';

const chapters = [
  ['Connect, create, read, watch', firstSteps],
  ['A lock, a waiter, and a holder that is killed', lock],
  ['One leader among three', leader],
  ['A barrier and a double barrier', barriers],
  ['A service: registered, found, changed, gone', services],
  ['A configuration that changes while it is used', liveConfig],
  ['The server goes down and comes back', outage],
  ['A session is cut off until it expires', expiry],
];

async function startServer() {
  const given = process.env['ZOOKEEPER'];
  if (given) return { connectString: given, own: false };
  const { startServer: start } = createRequire(import.meta.url)('../test/support/zookeeper-process.cjs');
  return Object.assign(await start(), { own: true });
}

/** Plays the chapters; returns how the process is to end. */
async function play(server) {
  console.log(
    `zookit: a tour on ${server.own ? 'a ZooKeeper of its own' : 'the ZooKeeper'} at ${server.connectString}`,
  );
  console.log('Lines with | show the znodes as another session finds them on the server; long ids are shortened.');
  const begin = performance.now();
  const stage = await Stage.open(server);
  try {
    for (const [title, chapter] of chapters) await stage.play(title, chapter);
    console.log(
      `\n${chapters.length} chapters, ${stage.checks} checks, ${Math.round((performance.now() - begin) / 1000)} seconds: all held.`,
    );
    return 0;
  } catch (error) {
    if (!(error instanceof CheckFailed)) throw error;
    console.log(`\n  FAILED  ${error.message}`);
    return 1;
  } finally {
    await stage.close();
  }
}

let server;
const stop = async () => {
  if (server?.own) await server.close();
};
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
]) {
  process.once(signal, () => {
    console.log(`\n${signal}: stopping`);
    void stop().finally(() => process.exit(code));
  });
}

try {
  server = await startServer();
  process.exitCode = await play(server);
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  await stop();
}
