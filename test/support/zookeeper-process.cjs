// @ts-check
// Starts real ZooKeeper servers. Plain JavaScript, because the examples use it as well as the tests.
'use strict';

const { freePort } = require('./ports.cjs');
const { PortTakenError, superAuth, ZooKeeperServer } = require('./zookeeper-server.cjs');

/** @typedef {import('./zookeeper-settings.cjs').ServerOptions} ServerOptions */

/** @typedef {ServerOptions & { homes?: readonly string[] }} EnsembleOptions `homes`: the ZooKeeper of each member */

/**
 * Starts a standalone server on a free port. Resolves when it serves.
 * @param {ServerOptions} [options]
 * @returns {Promise<ZooKeeperServer>}
 */
async function startServer(options = {}) {
  return retryOnTakenPort(async () => {
    const port = await freePort();
    const secure = options.secure && { ...options.secure, port: options.secure.port ?? (await freePort()) };
    const server = new ZooKeeperServer(port, { ...options, ...(secure && { secure }) });
    await closeIfFailed([server], () => server.start());
    return server;
  });
}

/**
 * Starts `count` servers that form an ensemble. Resolves when all of them serve.
 * @param {number} count
 * @param {EnsembleOptions} [options] of each of them
 * @returns {Promise<ZooKeeperServer[]>}
 */
async function startMembers(count, { homes = [], ...options } = {}) {
  return retryOnTakenPort(async () => {
    const ports = new Set();
    while (ports.size < 3 * count) ports.add(await freePort());
    const [...all] = ports;
    const clientPorts = all.slice(0, count);
    const lines = clientPorts.map((port, index) => {
      const [quorum, election] = all.slice(count + 2 * index);
      return `server.${index + 1}=127.0.0.1:${quorum}:${election}:participant;127.0.0.1:${port}`;
    });
    const servers = clientPorts.map((port, index) => {
      const { [index]: home = options.home } = homes;
      return new ZooKeeperServer(port, { ...options, ...(home && { home }) }, { id: index + 1, servers: lines });
    });
    await closeIfFailed(servers, async () => {
      await Promise.all(servers.map((server) => server.launch()));
      await Promise.all(servers.map((server) => server.ready()));
    });
    return servers;
  });
}

/**
 * @template T
 * @param {() => Promise<T>} start
 * @returns {Promise<T>}
 */
async function retryOnTakenPort(start) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start();
    } catch (error) {
      if (!(error instanceof PortTakenError) || attempt === 5) throw error;
    }
  }
}

/**
 * @param {ZooKeeperServer[]} servers
 * @param {() => Promise<void>} start
 */
async function closeIfFailed(servers, start) {
  try {
    await start();
  } catch (error) {
    await Promise.all(servers.map((server) => server.close()));
    throw error;
  }
}

module.exports = { startServer, startMembers, superAuth, ZooKeeperServer };
