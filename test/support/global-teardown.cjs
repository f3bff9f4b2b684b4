// @ts-check
'use strict';

/** Ends the shared server. */
module.exports = async function globalTeardown() {
  /** @type {import('./zookeeper-process.cjs').ZooKeeperServer | undefined} */
  const server = Reflect.get(globalThis, 'sharedZooKeeper');
  await server?.close();
};
