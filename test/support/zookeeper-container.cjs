// @ts-check
'use strict';

const { execFile, spawnSync } = require('node:child_process');
const { randomBytes } = require('node:crypto');
const { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } = require('node:fs');
const { dirname, isAbsolute, join } = require('node:path');
const { setTimeout: pause } = require('node:timers/promises');
const { KeptProcess } = require('./kept-process.cjs');
const { imageOf } = require('./zookeeper-image.cjs');
const { jvmFlagsOf, settingsOf, superAuth } = require('./zookeeper-settings.cjs');

/** @typedef {import('./zookeeper-settings.cjs').ServerPlan} ServerPlan */
/** @typedef {import('./zookeeper-settings.cjs').Runner} Runner */

/**
 * The lines of zoo.cfg for which the image has variables; all others go into ZOO_CFG_EXTRA.
 * @type {Readonly<Record<string, string>>}
 */
const variables = {
  tickTime: 'ZOO_TICK_TIME',
  initLimit: 'ZOO_INIT_LIMIT',
  syncLimit: 'ZOO_SYNC_LIMIT',
  maxClientCnxns: 'ZOO_MAX_CLIENT_CNXNS',
  '4lw.commands.whitelist': 'ZOO_4LW_COMMANDS_WHITELIST',
  'admin.enableServer': 'ZOO_ADMINSERVER_ENABLED',
  reconfigEnabled: 'ZOO_RECONFIG_ENABLED',
  standaloneEnabled: 'ZOO_STANDALONE_ENABLED',
};

/**
 * A server as a container of the project's image, on the network of this machine, with its data in a folder of it. Each
 * start makes a container of its own.
 * @implements {Runner}
 */
class ContainerRunner {
  /** @type {ServerPlan} */
  #plan;
  #name = `zookit-server-${process.pid}-${randomBytes(4).toString('hex')}`;
  /**
   * The docker command that is attached to the container.
   * @type {KeptProcess}
   */
  #process;
  #paused = false;

  /** @param {ServerPlan} plan */
  constructor(plan) {
    this.#plan = plan;
    const { log: output, folder } = plan;
    this.#process = new KeptProcess({ output, folder, lastly: ['docker', 'rm', '--force', '--volumes', this.#name] });
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
    return join(this.dataDir, 'conf', 'zoo.cfg.dynamic.next');
  }

  /** @param {string | undefined} home */
  async start(home) {
    mkdirSync(this.dataDir, { recursive: true });
    const environment = Object.entries(this.#environment()).flatMap(([name, value]) => ['--env', `${name}=${value}`]);
    const mounts = [`${this.dataDir}:/data`, ...this.#foldersToRead().map((folder) => `${folder}:${folder}:ro`)];
    const user = `${process.getuid?.()}:${process.getgid?.()}`;
    await this.#process.start({
      command: 'docker',
      args: [
        ...[
          'run',
          '--rm',
          '--name',
          this.#name,
          '--network',
          'host',
          '--user',
          user,
          '--read-only',
          '--no-healthcheck',
        ],
        ...mounts.flatMap((mount) => ['--volume', mount]),
        ...environment,
        imageOf(home),
      ],
    });
  }

  async stop() {
    this.resume();
    await this.#end('stop', '--time', '10');
  }

  async kill() {
    await this.#end('kill');
    this.#paused = false;
  }

  pause() {
    if (!this.running) return;
    for (let isOver = false; !isOver;) {
      try {
        docker('pause', this.#name);
        isOver = true;
      } catch (error) {
        // On a busy machine the engine may give up before all threads stand still; then it has changed nothing.
        if (!String(error).includes('unable to freeze')) throw error;
      }
    }
    this.#paused = true;
  }

  resume() {
    if (this.#paused && this.running) docker('unpause', this.#name);
    this.#paused = false;
  }

  wipe() {
    rmSync(this.dataDir, { recursive: true, force: true });
  }

  async dispose() {
    if (this.running) await this.kill();
    await this.#process.dispose();
  }

  /**
   * Ends the container by a command. It may be that it does not exist yet, or ends by itself.
   * @param {string[]} command
   */
  async #end(...command) {
    while (this.running) {
      await new Promise((resolve) => execFile('docker', [...command, this.#name], resolve));
      await Promise.race([this.exited, pause(1_000, undefined, { ref: false })]);
    }
  }

  #environment() {
    const { host, port, member, options } = this.#plan;
    const settings = Object.entries({ ...settingsOf(options, member), ...this.#secureExtra() });
    const extra = settings.filter(([name]) => variables[name] === undefined);
    return {
      // These two ports count only in an ensemble.
      ZOO_SERVERS: member?.servers.join(' ') ?? `server.1=${host}:2888:3888;${host}:${port}`,
      ZOO_MY_ID: member?.id ?? 1,
      ZOO_DATA_LOG_DIR: '/data',
      ZOO_LOG_DIR: '/dev/shm',
      ZOO_METRICS_PORT: 'none',
      ZOO_SUPER_PASSWORD: superAuth.auth.replace('super:', ''),
      ...Object.fromEntries(settings.map(([name, value]) => [variables[name], value]).filter(([name]) => name)),
      ZOO_CFG_EXTRA: extra.map(([name, value]) => `${name}=${value}\n`).join(''),
      JVMFLAGS: jvmFlagsOf(options).join(' '),
      ...this.#secureVariables(),
    };
  }

  /** @returns {import('./zookeeper-settings.cjs').Settings} */
  #secureExtra() {
    return this.#plan.options.secure === undefined ? {} : { secureClientPortAddress: this.#plan.host };
  }

  #secureVariables() {
    const { folder, options } = this.#plan;
    const { secure } = options;
    if (secure === undefined) return {};
    if (!secure.keyStore.endsWith('.pem')) throw new Error(`the image takes PEM files only, not ${secure.keyStore}`);
    return {
      ZOO_TLS_CLIENT_PORT: secure.port,
      ZOO_TLS_CERT: partOf(secure.keyStore, 'CERTIFICATE', join(folder, 'tls', 'cert.pem')),
      ZOO_TLS_KEY: partOf(secure.keyStore, 'PRIVATE KEY', join(folder, 'tls', 'key.pem')),
      ZOO_TLS_CA: secure.trustStore,
      ZOO_TLS_CLIENT_AUTH: secure.clientAuth ?? 'need',
    };
  }

  /** The folders of files that are named to the server; in the container they have the same names. */
  #foldersToRead() {
    const { config, systemProperties, secure } = this.#plan.options;
    const named = [config, systemProperties, secure].flatMap((values) => Object.values(values ?? {})).map(String);
    const files = named.filter((value) => isAbsolute(value) && existsSync(value));
    const tls = secure === undefined ? [] : [join(this.#plan.folder, 'tls')];
    return [...new Set([...files.map((file) => dirname(file)), ...tls])];
  }
}

/**
 * Writes the blocks of a kind, of those in a PEM file, into a file of their own. Returns its path.
 * @param {string} file
 * @param {string} kind
 * @param {string} to
 */
function partOf(file, kind, to) {
  const blocks = readFileSync(file, 'utf8').match(
    new RegExp(`-----BEGIN ${kind}-----[^]*?-----END ${kind}-----\n`, 'g'),
  );
  if (blocks === null) throw new Error(`${file} has no ${kind}`);
  mkdirSync(dirname(to), { recursive: true });
  writeFileSync(to, blocks.join(''));
  return to;
}

/** @param {string[]} args */
function docker(...args) {
  const { status, stderr, error } = spawnSync('docker', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`docker ${args.join(' ')}: ${error?.message ?? stderr.trim()}`);
}

module.exports = { ContainerRunner };
