// @ts-check
'use strict';

const { createHash } = require('node:crypto');
const {
  mkdirSync,
  mkdtempSync,
  openSync,
  closeSync,
  readFileSync,
  existsSync,
  rmSync,
  writeFileSync,
} = require('node:fs');
const { connect } = require('node:net');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const { setTimeout: pause } = require('node:timers/promises');
const { KeptProcess } = require('./kept-process.cjs');
const { requireZooKeeper } = require('./zookeeper-install.cjs');

/**
 * @typedef {object} ServerOptions
 * @property {number} [tickTime] ms; default 200, which makes sessions of 400 ms and more possible
 * @property {number} [minSessionTimeout] ms; default 2 ticks
 * @property {number} [maxSessionTimeout] ms; default 60,000
 * @property {Record<string, string | number | boolean>} [config] more lines of zoo.cfg
 * @property {Record<string, string | number | boolean>} [systemProperties] `-D` of the JVM
 * @property {number} [heap] MiB; default 128
 * @property {boolean} [skipACL] the server checks no ACL
 * @property {SecureOptions} [secure] the server speaks TLS on a second port
 * @property {number} [startTimeout] ms until the server must answer; default 30,000
 * @property {string} [home] the ZooKeeper to run, as ZOOKEEPER_HOME names it; default the one that all tests run on
 */

/**
 * @typedef {object} SecureOptions
 * @property {string} keyStore a file with certificate and key of the server: .pem, .p12, .jks
 * @property {string} trustStore a file with the authorities of the clients' certificates
 * @property {'need' | 'want' | 'none'} [clientAuth] whether clients must show a certificate; default 'need'
 * @property {number} [port] default: a free one
 */

/**
 * @typedef {object} Member what makes a server one of an ensemble
 * @property {number} id
 * @property {string[]} servers the lines `server.N=...` of the whole ensemble
 */

/** Credentials that pass every ACL on every server started here: `addAuth(superAuth.scheme, superAuth.auth)`. */
const superAuth = Object.freeze({ scheme: 'digest', auth: 'super:secret' });

/** The server was not started because one of its ports is taken. */
class PortTakenError extends Error {}

/** One ZooKeeper server: a JVM, a port of 127.0.0.1 that it keeps, a folder with its data. */
class ZooKeeperServer {
  /** @type {ServerOptions} */
  #options;
  /** @type {Member | undefined} */
  #member;
  /** @type {KeptProcess} */
  #process;
  /** @type {string} */
  #folder;
  /** @type {number} */
  #log;
  /** @type {string | undefined} */
  #home;

  /**
   * Use `startServer` or `startEnsemble`.
   * @param {number} port
   * @param {ServerOptions} options
   * @param {Member} [member]
   */
  constructor(port, options, member) {
    this.host = '127.0.0.1';
    this.port = port;
    /** The number of this server in its ensemble; undefined when it stands alone. */
    this.id = member?.id;
    this.#options = options;
    this.#member = member;
    this.#home = options.home;
    this.#folder = mkdtempSync(join(tmpdir(), 'zookit-server-'));
    this.#log = openSync(this.logFile, 'a');
    this.#process = new KeptProcess({ output: this.#log, folder: this.#folder });
  }

  get connectString() {
    return `${this.host}:${this.port}`;
  }

  /** The port on which it speaks TLS, if it does. */
  get securePort() {
    const port = this.#options.secure?.port;
    if (port === undefined) throw new Error('the server was started without the option secure');
    return port;
  }

  get dataDir() {
    return join(this.#folder, 'data');
  }

  get logFile() {
    return join(this.#folder, 'server.log');
  }

  /** The JVM's process id; undefined while it does not run. */
  get pid() {
    return this.#process.pid;
  }

  get running() {
    return this.#process.running;
  }

  /** Starts it, again after `stop` or `kill`, on the same port with the data it has. Resolves when it serves. */
  async start() {
    await this.launch();
    await this.ready();
  }

  /** Starts the JVM; does not wait until it serves, for which an ensemble needs more than one. */
  async launch() {
    const { java, classPath, version } = requireZooKeeper(this.#home);
    const { heap = 128 } = this.#options;
    this.#configure(version);
    await this.#process.start({
      command: java,
      args: [
        ...[`-Xmx${heap}m`, '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Xshare:auto'],
        ...Object.entries(this.#systemProperties()).map(([name, value]) => `-D${name}=${value}`),
        ...['-cp', classPath, 'org.apache.zookeeper.server.quorum.QuorumPeerMain', this.#configFile],
      ],
    });
  }

  /** Resolves when it answers and serves; rejects, with the end of its log, when it ends or takes too long. */
  async ready() {
    const { startTimeout = 30_000 } = this.#options;
    const deadline = performance.now() + startTimeout;
    while (!(await this.#serves())) {
      if (!this.running) throw this.#startError('ended while it was starting');
      if (performance.now() > deadline) throw this.#startError(`does not serve after ${startTimeout} ms`);
      await Promise.race([pause(20), this.#process.exited]);
    }
  }

  /** Ends it in an orderly way; its data stay. */
  async stop() {
    await this.#process.stop();
  }

  /**
   * Ends it in an orderly way, and starts another ZooKeeper on the same port with the same data. Resolves when it serves.
   * @param {string} home as in `ServerOptions`
   */
  async upgrade(home) {
    await this.stop();
    this.#home = home;
    await this.start();
  }

  /** SIGKILL: the server has no chance to say goodbye. Its data stay. */
  async kill() {
    await this.#process.kill();
  }

  /** SIGSTOP: its connections stay open and nothing answers. */
  pause() {
    this.#process.signal('SIGSTOP');
    this.#process.untilStopped();
  }

  /** SIGCONT: ends a `pause`. */
  resume() {
    this.#process.signal('SIGCONT');
  }

  /** Stops it and deletes its data; `start` then starts an empty server on the same port. */
  async wipe() {
    await this.stop();
    for (const path of [this.dataDir, this.#configFile]) rmSync(path, { recursive: true, force: true });
  }

  /** Ends it for good and deletes all that it left. */
  async close() {
    await this.#process.dispose();
    closeSync(this.#log);
  }

  async [Symbol.asyncDispose]() {
    await this.close();
  }

  /**
   * Asks a four-letter word, such as `srvr`, `mntr`, `cons`, `wchs`, `dump`.
   * @param {string} word
   * @returns {Promise<string>} the answer; rejects if the server does not answer within 2 s
   */
  fourLetter(word) {
    return fourLetter(this.host, this.port, word);
  }

  /** @returns {Promise<string | undefined>} `standalone`, `leader`, `follower`, `observer`; undefined if it does not serve */
  async mode() {
    const answer = await this.fourLetter('srvr').catch(() => '');
    return /^Mode: (.+)$/m.exec(answer)?.[1];
  }

  get #configFile() {
    return join(this.#folder, 'zoo.cfg');
  }

  async #serves() {
    return (await this.mode()) !== undefined;
  }

  /** @returns {Promise<string>} the release that runs: `3.8.0` */
  async version() {
    const answer = await this.fourLetter('srvr');
    const version = /^Zookeeper version: (\d+\.\d+\.\d+)/m.exec(answer)?.[1];
    if (version === undefined) throw new Error(`ZooKeeper on port ${this.port} does not tell its version: ${answer}`);
    return version;
  }

  /**
   * Writes zoo.cfg, except over the one of an ensemble's member: the server moves the members out of it.
   * @param {string} version
   */
  #configure(version) {
    if (existsSync(this.#configFile)) return;
    // Before 3.5 the members are fixed, and each names only its own port for clients.
    const fixed = this.#member !== undefined && /^3\.[0-4]\./.test(version);
    const { tickTime = 200 } = this.#options;
    mkdirSync(this.dataDir, { recursive: true });
    const settings = {
      tickTime,
      minSessionTimeout: this.#options.minSessionTimeout ?? 2 * tickTime,
      maxSessionTimeout: this.#options.maxSessionTimeout ?? 60_000,
      maxClientCnxns: 0,
      dataDir: this.dataDir,
      extendedTypesEnabled: true,
      '4lw.commands.whitelist': '*',
      'admin.enableServer': false,
      ...(this.#member === undefined || fixed ? { clientPort: this.port, clientPortAddress: this.host } : {}),
      ...(this.#member === undefined ? {} : { initLimit: 100, syncLimit: 20 }),
      ...(this.#member === undefined || fixed ? {} : { reconfigEnabled: true, standaloneEnabled: false }),
      ...this.#secureSettings(),
      ...this.#options.config,
    };
    const lines = Object.entries(settings).map(([name, value]) => `${name}=${String(value)}`);
    const servers = (this.#member?.servers ?? []).map((line) => (fixed ? line.replace(/:participant;.*$/, '') : line));
    writeFileSync(this.#configFile, [...lines, ...servers, ''].join('\n'));
    if (this.#member !== undefined) writeFileSync(join(this.dataDir, 'myid'), `${this.#member.id}\n`);
  }

  #secureSettings() {
    const { secure } = this.#options;
    if (secure === undefined) return {};
    return {
      secureClientPort: secure.port,
      secureClientPortAddress: this.host,
      serverCnxnFactory: 'org.apache.zookeeper.server.NettyServerCnxnFactory',
      'authProvider.x509': 'org.apache.zookeeper.server.auth.X509AuthenticationProvider',
      'ssl.keyStore.location': secure.keyStore,
      'ssl.trustStore.location': secure.trustStore,
      'ssl.clientAuth': secure.clientAuth ?? 'need',
    };
  }

  #systemProperties() {
    return {
      'org.slf4j.simpleLogger.showDateTime': true,
      // Data only have to survive the process, not the machine; and small logs are created faster than large ones.
      'zookeeper.forceSync': 'no',
      'zookeeper.preAllocSize': 4096,
      'zookeeper.skipACL': this.#options.skipACL ? 'yes' : 'no',
      'zookeeper.DigestAuthenticationProvider.superDigest': digestId(superAuth.auth),
      ...this.#options.systemProperties,
    };
  }

  /** @param {string} what */
  #startError(what) {
    const log = readFileSync(this.logFile, 'utf8');
    const message = `ZooKeeper on port ${this.port} ${what}. The end of its log:\n${log.slice(-4_000)}`;
    return /Address already in use|BindException/.test(log) ? new PortTakenError(message) : new Error(message);
  }
}

/**
 * @param {string} host
 * @param {number} port
 * @param {string} word
 * @returns {Promise<string>}
 */
function fourLetter(host, port, word) {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect({ host, port }, () => socket.write(word));
    socket.setEncoding('utf8').setTimeout(2_000, () => socket.destroy(new Error(`no answer to ${word} within 2 s`)));
    socket.on('data', (chunk) => (answer += chunk));
    socket.on('error', reject);
    socket.on('close', () => resolve(answer));
  });
}

/**
 * The id of the digest scheme, as ACLs and the server's settings name it: user:base64(sha1(user:password)).
 * @param {string} auth
 */
function digestId(auth) {
  return `${auth.slice(0, auth.indexOf(':'))}:${createHash('sha1').update(auth).digest('base64')}`;
}

module.exports = { PortTakenError, superAuth, ZooKeeperServer };
