// The servers that works run against. Each is started when its turn comes, and ended after that.
import { createRequire } from 'node:module';
import { prepareTree } from './prepare.mjs';
import { startStandIn } from './stand-in.mjs';

const require = createRequire(import.meta.url);
const { installZooKeeper } = require('../../test/support/zookeeper-install.cjs');
const { startMembers, startServer } = require('../../test/support/zookeeper-process.cjs');

/** MiB: enough that the server does not live in its garbage collector. */
const options = { heap: 1_024, tickTime: 2_000, minSessionTimeout: 1_000 };

async function startReal(count, clients) {
  installZooKeeper();
  const members = count === 1 ? [await startServer(options)] : await startMembers(count, { ...options, heap: 512 });
  const end = () => Promise.all(members.map((member) => member.close()));
  try {
    const modes = await Promise.all(members.map((member) => member.mode()));
    // A follower, as most clients of an ensemble have one.
    const serving = members[Math.max(0, modes.indexOf('follower'))];
    await prepareTree(serving.port, clients);
    return { port: serving.port, version: await serving.version(), end };
  } catch (error) {
    await end();
    throw error;
  }
}

/** Starts what clients connect to, with the znodes that the works need. */
export function startTarget(target, clients) {
  switch (target) {
    case 'stand-in':
      return startStandIn();
    case 'standalone':
      return startReal(1, clients);
    case 'ensemble':
      return startReal(3, clients);
    default:
      throw new Error(`no such target: ${target}`);
  }
}
