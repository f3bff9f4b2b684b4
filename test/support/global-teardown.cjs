// @ts-check
'use strict';

/** Ends the shared server, with its ensemble if it is in one. */
module.exports = async function globalTeardown() {
  /** @type {import('./zookeeper-process.cjs').ZooKeeperServer[]} */
  const servers = Reflect.get(globalThis, 'sharedZooKeepers') ?? [];
  await Promise.all(servers.map((server) => server.close()));
};
