// @ts-check
'use strict';

const { readFileSync } = require('node:fs');
const { createServer } = require('node:net');

/**
 * Ports below those that the system gives to outgoing connections. Above, a server that is down for a moment could lose
 * its port to any client, and a client that dials it could even be connected to itself.
 */
function range() {
  const from = 10_000;
  try {
    const first = Number(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split(/\s/)[0]);
    return first > from + 2_000 ? { from, to: Math.min(first, 32_768) } : { from: 61_000, to: 65_535 };
  } catch {
    return { from, to: 32_768 };
  }
}

/**
 * Whether a server could listen there now.
 * @param {number} port
 * @returns {Promise<boolean>}
 */
function isFree(port) {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}

/**
 * A port that was free a moment ago. Another process may take it first, so a server that cannot bind asks again.
 * @returns {Promise<number>}
 */
async function freePort() {
  const { from, to } = range();
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = from + Math.floor(Math.random() * (to - from));
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port found between ${from} and ${to}`);
}

module.exports = { freePort };
