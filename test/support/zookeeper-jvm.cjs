// @ts-check
'use strict';

const { existsSync, mkdirSync, rmSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { KeptProcess } = require('./kept-process.cjs');
const { requireZooKeeper } = require('./zookeeper-install.cjs');
const { digestId, jvmFlagsOf, settingsOf, superAuth } = require('./zookeeper-settings.cjs');

/** @typedef {import('./zookeeper-settings.cjs').ServerPlan} ServerPlan */
/** @typedef {import('./zookeeper-settings.cjs').Runner} Runner */

/**
 * A server as a process of this machine, on the jars of a folder.
 * @implements {Runner}
 */
class JvmRunner {
  /** @type {ServerPlan} */
  #plan;
  /** @type {KeptProcess} */
  #process;

  /** @param {ServerPlan} plan */
  constructor(plan) {
    this.#plan = plan;
    this.#process = new KeptProcess({ output: plan.log, folder: plan.folder });
  }

  get running() {
    return this.#process.running;
  }

  get exited() {
    return this.#process.exited;
  }

  get dataDir() {
    return join(this.#plan.folder, 'data');
  }

  get nextMembersFile() {
    return `${this.#configFile}.dynamic.next`;
  }

  get #configFile() {
    return join(this.#plan.folder, 'zoo.cfg');
  }

  /** @param {string | undefined} home */
  async start(home) {
    const { java, classPath, version } = requireZooKeeper(home);
    this.#configure(version);
    const properties = ['-Dorg.slf4j.simpleLogger.showDateTime=true', `-D${superDigest()}`];
    const flags = [...properties, ...jvmFlagsOf(this.#plan.options)];
    const main = 'org.apache.zookeeper.server.quorum.QuorumPeerMain';
    await this.#process.start({ command: java, args: [...flags, '-cp', classPath, main, this.#configFile] });
  }

  async stop() {
    await this.#process.stop();
  }

  async kill() {
    await this.#process.kill();
  }

  pause() {
    this.#process.signal('SIGSTOP');
    this.#process.untilStopped();
  }

  resume() {
    this.#process.signal('SIGCONT');
  }

  wipe() {
    for (const path of [this.dataDir, this.#configFile]) rmSync(path, { recursive: true, force: true });
  }

  async dispose() {
    await this.#process.dispose();
  }

  /**
   * Writes zoo.cfg, except over the one of an ensemble's member: the server moves the members out of it.
   * @param {string} version
   */
  #configure(version) {
    if (existsSync(this.#configFile)) return;
    const { host, port, member, options } = this.#plan;
    // Before 3.5 the members are fixed, and each names only its own port for clients.
    const fixed = /^3\.[0-4]\./.test(version);
    const clientPort = member === undefined || fixed ? { clientPort: port, clientPortAddress: host } : {};
    const own = { dataDir: this.dataDir, ...clientPort, ...this.#secureSettings() };
    const lines = Object.entries({ ...own, ...settingsOf(options, member) }).map(([name, value]) => `${name}=${value}`);
    const servers = (member?.servers ?? []).map((line) => (fixed ? line.replace(/:participant;.*$/, '') : line));
    mkdirSync(this.dataDir, { recursive: true });
    writeFileSync(this.#configFile, [...lines, ...servers, ''].join('\n'));
    if (member !== undefined) writeFileSync(join(this.dataDir, 'myid'), `${member.id}\n`);
  }

  #secureSettings() {
    const { host, options } = this.#plan;
    const { secure } = options;
    if (secure === undefined) return {};
    return {
      secureClientPort: secure.port,
      secureClientPortAddress: host,
      serverCnxnFactory: 'org.apache.zookeeper.server.NettyServerCnxnFactory',
      'authProvider.x509': 'org.apache.zookeeper.server.auth.X509AuthenticationProvider',
      'ssl.keyStore.location': secure.keyStore,
      'ssl.trustStore.location': secure.trustStore,
      'ssl.clientAuth': secure.clientAuth ?? 'need',
    };
  }
}

function superDigest() {
  return `zookeeper.DigestAuthenticationProvider.superDigest=${digestId(superAuth.auth)}`;
}

module.exports = { JvmRunner };
