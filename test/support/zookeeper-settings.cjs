// @ts-check
// What a server of the tests is told, in whatever way it runs.
'use strict';

const { createHash } = require('node:crypto');

/**
 * @typedef {object} ServerOptions
 * @property {number} [tickTime] ms; default 200, which makes sessions of 400 ms and more possible
 * @property {number} [minSessionTimeout] ms; default 2 ticks
 * @property {number} [maxSessionTimeout] ms; default 60,000
 * @property {Settings} [config] more lines of zoo.cfg
 * @property {Settings} [systemProperties] `-D` of the JVM
 * @property {number} [heap] MiB; default 128
 * @property {boolean} [skipACL] the server checks no ACL
 * @property {SecureOptions} [secure] the server speaks TLS on a second port
 * @property {number} [startTimeout] ms until the server must answer; default 30,000
 * @property {string} [home] the ZooKeeper to run: a folder, as ZOOKEEPER_HOME names it, or `image:NAME`; default the one
 *   that all tests run on
 */

/** @typedef {Record<string, string | number | boolean>} Settings */

/**
 * @typedef {object} SecureOptions
 * @property {string} keyStore a file with certificate and key of the server: .pem, .p12, .jks; an image takes only .pem
 * @property {string} trustStore a file with the authorities of the clients' certificates
 * @property {'need' | 'want' | 'none'} [clientAuth] whether clients must show a certificate; default 'need'
 * @property {number} [port] default: a free one
 */

/**
 * @typedef {object} Member what makes a server one of an ensemble
 * @property {number} id
 * @property {string[]} servers the lines `server.N=...` of the whole ensemble
 */

/**
 * @typedef {object} ServerPlan all that stays the same when a server is started again
 * @property {string} host
 * @property {number} port
 * @property {string} folder what the server may write to; it is removed with it
 * @property {number} log a file descriptor for what it prints
 * @property {ServerOptions} options
 * @property {Member | undefined} member
 */

/**
 * @typedef {object} Runner a way to run a server, of which there are two: zookeeper-jvm.cjs, zookeeper-container.cjs
 * @property {boolean} running
 * @property {Promise<unknown>} exited resolves when the server started last has ended
 * @property {string} dataDir
 * @property {string} nextMembersFile where a server keeps the members to be, while a reconfiguration is under way
 * @property {(home: string | undefined) => Promise<void>} start starts it on the data it has, and does not wait for it to serve
 * @property {() => Promise<void>} stop ends it in an orderly way, after ten seconds by force; a paused one too
 * @property {() => Promise<void>} kill SIGKILL
 * @property {() => void} pause returns when nothing of it runs any more
 * @property {() => void} resume
 * @property {() => void} wipe while it does not run: deletes its data
 * @property {() => Promise<void>} dispose ends it for good, and removes its folder
 */

/** Credentials that pass every ACL on every server started here: `addAuth(superAuth.scheme, superAuth.auth)`. */
const superAuth = Object.freeze({ scheme: 'digest', auth: 'super:secret' });

/**
 * The lines of zoo.cfg, without ports, folders and members.
 * @param {ServerOptions} options
 * @param {Member | undefined} member
 * @returns {Settings}
 */
function settingsOf({ tickTime = 200, minSessionTimeout, maxSessionTimeout, config }, member) {
  return {
    tickTime,
    minSessionTimeout: minSessionTimeout ?? 2 * tickTime,
    maxSessionTimeout: maxSessionTimeout ?? 60_000,
    maxClientCnxns: 0,
    extendedTypesEnabled: true,
    '4lw.commands.whitelist': '*',
    'admin.enableServer': false,
    reconfigEnabled: member !== undefined,
    ...(member && { initLimit: 100, syncLimit: 20, standaloneEnabled: false }),
    ...config,
  };
}

/**
 * What the JVM is told beside zoo.cfg.
 * @param {ServerOptions} options
 * @returns {string[]}
 */
function jvmFlagsOf({ heap = 128, skipACL = false, systemProperties }) {
  const properties = {
    // Data only have to survive the process, not the machine; and small logs are created faster than large ones.
    'zookeeper.forceSync': 'no',
    'zookeeper.preAllocSize': 4096,
    'zookeeper.skipACL': skipACL ? 'yes' : 'no',
    ...systemProperties,
  };
  return [
    ...[`-Xmx${heap}m`, '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Xshare:auto'],
    ...Object.entries(properties).map(([name, value]) => `-D${name}=${value}`),
  ];
}

/**
 * The id of the digest scheme, as ACLs and the server's settings name it: user:base64(sha1(user:password)).
 * @param {string} auth
 */
function digestId(auth) {
  return `${auth.slice(0, auth.indexOf(':'))}:${createHash('sha1').update(auth).digest('base64')}`;
}

module.exports = { digestId, jvmFlagsOf, settingsOf, superAuth };
