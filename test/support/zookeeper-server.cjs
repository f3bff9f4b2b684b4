// @ts-check
'use strict';

const { closeSync, mkdtempSync, openSync, readFileSync } = require('node:fs');
const { connect } = require('node:net');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const { setTimeout: pause } = require('node:timers/promises');
const { ContainerRunner } = require('./zookeeper-container.cjs');
const { usualHome } = require('./zookeeper-homes.cjs');
const { isImage } = require('./zookeeper-image.cjs');
const { JvmRunner } = require('./zookeeper-jvm.cjs');
const { superAuth } = require('./zookeeper-settings.cjs');

/** @typedef {import('./zookeeper-settings.cjs').ServerOptions} ServerOptions */
/** @typedef {import('./zookeeper-settings.cjs').Member} Member */
/** @typedef {import('./zookeeper-settings.cjs').Runner} Runner */

/** The server was not started because one of its ports is taken. */
class PortTakenError extends Error {}

/**
 * One ZooKeeper server: a port of 127.0.0.1 that it keeps, a folder with its data, and a process or container that runs.
 * Which of these, and which ZooKeeper, its home says.
 */
class ZooKeeperServer {
  /** @type {ServerOptions} */
  #options;
  /** @type {Runner} */
  #runner;
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
    this.#home = options.home ?? usualHome();
    const folder = mkdtempSync(join(tmpdir(), 'zookit-server-'));
    this.logFile = join(folder, 'server.log');
    this.#log = openSync(this.logFile, 'a');
    const plan = { host: this.host, port, folder, log: this.#log, options, member };
    this.#runner = isImage(this.#home) ? new ContainerRunner(plan) : new JvmRunner(plan);
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
    return this.#runner.dataDir;
  }

  /** The file with the members to be, which is there while a reconfiguration is under way. */
  get nextMembersFile() {
    return this.#runner.nextMembersFile;
  }

  get running() {
    return this.#runner.running;
  }

  /** Starts it, again after `stop` or `kill`, on the same port with the data it has. Resolves when it serves. */
  async start() {
    await this.launch();
    await this.ready();
  }

  /** Starts it; does not wait until it serves, for which an ensemble needs more than one. */
  async launch() {
    await this.#runner.start(this.#home);
  }

  /** Resolves when it answers and serves; rejects, with the end of its log, when it ends or takes too long. */
  async ready() {
    const { startTimeout = 30_000 } = this.#options;
    const deadline = performance.now() + startTimeout;
    while (!(await this.#serves())) {
      if (!this.running) throw this.#startError('ended while it was starting');
      if (performance.now() > deadline) throw this.#startError(`does not serve after ${startTimeout} ms`);
      await Promise.race([pause(20), this.#runner.exited]);
    }
  }

  /** Ends it in an orderly way; its data stay. */
  async stop() {
    await this.#runner.stop();
  }

  /**
   * Ends it in an orderly way, and starts another ZooKeeper on the same port with the same data. Resolves when it serves.
   * @param {string} home as in `ServerOptions`, and of the kind that it had
   */
  async upgrade(home) {
    if (isImage(home) !== isImage(this.#home)) throw new Error(`${home} does not run as ${this.#home} does`);
    await this.stop();
    this.#home = home;
    await this.start();
  }

  /** SIGKILL: the server has no chance to say goodbye. Its data stay. */
  async kill() {
    await this.#runner.kill();
  }

  /** Freezes it: its connections stay open and nothing answers. */
  pause() {
    this.#runner.pause();
  }

  /** Ends a `pause`. */
  resume() {
    this.#runner.resume();
  }

  /** Stops it and deletes its data; `start` then starts an empty server on the same port. */
  async wipe() {
    await this.stop();
    this.#runner.wipe();
  }

  /** Ends it for good and deletes all that it left. */
  async close() {
    await this.#runner.dispose();
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

  async #serves() {
    const { secure } = this.#options;
    // The port for TLS is the last one that is opened.
    return (await this.mode()) !== undefined && (secure?.port === undefined || (await isOpen(this.host, secure.port)));
  }

  /** @returns {Promise<string>} the release that runs: `3.8.0` */
  async version() {
    const answer = await this.fourLetter('srvr');
    const version = /^Zookeeper version: (\d+\.\d+\.\d+)/m.exec(answer)?.[1];
    if (version === undefined) throw new Error(`ZooKeeper on port ${this.port} does not tell its version: ${answer}`);
    return version;
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
 * @param {string} host
 * @param {number} port
 * @returns {Promise<boolean>}
 */
function isOpen(host, port) {
  return new Promise((resolve) => {
    const socket = connect({ host, port }, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

module.exports = { PortTakenError, superAuth, ZooKeeperServer };
