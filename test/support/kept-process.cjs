// @ts-check
'use strict';

const { fork } = require('node:child_process');
const { existsSync, readdirSync, readFileSync } = require('node:fs');
const { join } = require('node:path');

/**
 * @typedef {{ command: string, args: string[], cwd?: string | undefined, env?: NodeJS.ProcessEnv | undefined }} Start
 * @typedef {{ start: Start }} Order what a keeper is told
 * @typedef {{ code: number | null, signal: NodeJS.Signals | null }} Exit
 */

/**
 * A process that cannot outlive this one: it runs under a keeper (keeper.cjs), which kills it when this process is gone.
 * It can be started again after it ended. While it runs, it keeps this process alive; while it does not, it does not.
 */
class KeptProcess {
  /** @type {import('node:child_process').ChildProcess} */
  #keeper;
  /** @type {Promise<Exit | undefined>} */
  #exited = Promise.resolve(undefined);
  #running = false;
  /** @type {number | undefined} */
  #pid;

  /**
   * @param {object} options
   * @param {number | 'pipe'} options.output a file descriptor for stdout and stderr, or 'pipe' to read them here
   * @param {string} [options.folder] removed when this process, or this object by `dispose`, is at its end
   * @param {readonly string[]} [options.lastly] a command that is run then, before the folder is removed
   */
  constructor({ output, folder = '', lastly = [] }) {
    this.#keeper = fork(join(__dirname, 'keeper.cjs'), [folder, ...lastly], {
      stdio: ['ignore', output, output, 'ipc'],
      // Out of the terminal's process group, or Ctrl-C would end the keeper before it could do its work.
      detached: true,
      execArgv: [],
    });
    this.#keeper.unref();
    this.#keeper.channel?.unref();
  }

  /** The process id while it runs. */
  get pid() {
    return this.#pid;
  }

  get running() {
    return this.#running;
  }

  /** Resolves, with how it ended, when the process started last has ended. */
  get exited() {
    return this.#exited;
  }

  get stdout() {
    return this.#keeper.stdout;
  }

  get stderr() {
    return this.#keeper.stderr;
  }

  /**
   * Resolves when the process has been started.
   * @param {Start} start
   */
  async start(start) {
    if (this.#running) throw new Error(`already running: process ${String(this.#pid)}`);
    const keeper = this.#keeper;
    this.#running = true;
    keeper.channel?.ref();
    /** @type {Promise<void>} */
    const started = new Promise((resolve, reject) => {
      this.#exited = new Promise((ended) => {
        const finish = (/** @type {Exit} */ exit) => {
          keeper.off('message', onMessage).off('exit', onKeeperExit).channel?.unref();
          this.#running = false;
          this.#pid = undefined;
          ended(exit);
        };
        const onMessage = (/** @type {any} */ message) => {
          if ('exited' in message) return finish(message.exited);
          this.#pid = message.started;
          if (message.started !== undefined) return resolve();
          reject(new Error(`cannot start ${start.command}: ${message.failed}`));
          finish({ code: null, signal: null });
        };
        const onKeeperExit = () => {
          reject(new Error(`the keeper of ${start.command} has ended`));
          finish({ code: null, signal: 'SIGKILL' });
        };
        keeper.on('message', onMessage).once('exit', onKeeperExit);
      });
    });
    keeper.send({ start });
    await started;
  }

  /**
   * Sends a signal, if it runs.
   * @param {NodeJS.Signals} signal
   */
  signal(signal) {
    if (this.#pid === undefined) return;
    try {
      process.kill(this.#pid, signal);
    } catch (error) {
      // It has ended, and the news is still on its way. (Jest hands out an Error of its own: `instanceof` says no.)
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ESRCH') throw error;
    }
  }

  /**
   * After SIGSTOP: returns when all its threads have stopped. The signal is on its way to each of them by itself, and one
   * that runs could still answer. Where there is no /proc, the signal has to be trusted.
   */
  untilStopped() {
    const tasks = `/proc/${this.#pid}/task`;
    while (existsSync(tasks) && readdirSync(tasks).some((id) => !isStopped(`${tasks}/${id}/stat`)));
  }

  /** Asks it to end (SIGTERM), and kills it if it has not within `grace` ms. */
  async stop(grace = 10_000) {
    this.signal('SIGCONT');
    this.signal('SIGTERM');
    const timer = setTimeout(() => this.signal('SIGKILL'), grace);
    await this.exited;
    clearTimeout(timer);
  }

  async kill() {
    this.signal('SIGKILL');
    await this.exited;
  }

  /** Kills it and ends the keeper, which removes what is left. Resolves when both are done. */
  async dispose() {
    await this.kill();
    if (this.#keeper.exitCode !== null || this.#keeper.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#keeper.once('exit', resolve));
    this.#keeper.ref();
    if (this.#keeper.connected) this.#keeper.disconnect();
    await ended;
  }
}

/**
 * Whether a thread stands still: its state is the letter after the name, which is in brackets.
 * @param {string} stat
 */
function isStopped(stat) {
  try {
    return /\) [TtZX]/.test(readFileSync(stat, 'utf8'));
  } catch {
    // A thread that has ended does nothing any more.
    return true;
  }
}

module.exports = { KeptProcess };
