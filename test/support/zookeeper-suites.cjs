// @ts-check
// Other versions of ZooKeeper, out of Debian's suites.
'use strict';

const { join } = require('node:path');
const { run, unpackPackage } = require('./debian-packages.cjs');

/** The suites with a ZooKeeper of their own, from old to new. Which version that is changes: it is asked for. */
const suites = Object.freeze(['bullseye', 'bookworm', 'trixie', 'sid']);

const whatToDo = `The versions to test with come out of Debian's packages. That takes apt-get, dpkg and Debian's keys (the package
debian-archive-keyring), but not root. Elsewhere, unpack the releases of Apache ZooKeeper to test with, and set
ZOOKEEPER_HOMES to their folders, with a colon between two.`;

/**
 * ZooKeeper and the jars that it depends on; what these depend on is for things that no server does.
 * @param {string} config
 */
function packagesOf(config) {
  const only = ['recommends', 'suggests', 'conflicts', 'breaks', 'replaces', 'enhances'].map((kind) => `--no-${kind}`);
  const depends = run('apt-cache', ['depends', ...only, 'libzookeeper-java'], { config });
  const direct = [...depends.matchAll(/Depends: (lib\S+-java)$/gm)].map(([, name]) => String(name));
  // Jetty serves servlets, and Netty queues.
  const beyond = direct.includes('libjetty9-java') ? ['libservlet-api-java', 'libjctools-java'] : [];
  return ['libzookeeper-java', ...direct, ...beyond];
}

/**
 * Sees to it that the newest ZooKeeper of a suite is unpacked. Returns its folder, as ZOOKEEPER_HOME takes it.
 * @param {string} suite
 * @returns {string}
 */
function unpackSuite(suite) {
  try {
    return join(unpackPackage(suite, 'libzookeeper-java', packagesOf), 'usr', 'share', 'java');
  } catch (error) {
    throw new Error(`${/** @type {Error} */ (error).message}\n\n${whatToDo}`, { cause: error });
  }
}

module.exports = { suites, unpackSuite };
