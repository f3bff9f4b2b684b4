// A child process that answers lines with lines.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** Milliseconds until a child that does not answer is killed. */
const PATIENCE = 60_000;

export class Child {
  #process;
  #lines;
  #name;

  constructor(name, command, args, options = {}) {
    this.#name = name;
    this.#process = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'], ...options });
    // Who writes to one that has ended learns it by the answer that does not come.
    this.#process.stdin.on('error', () => undefined);
    this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
  }

  get pid() {
    return this.#process.pid;
  }

  /** The next line that it prints. */
  async line() {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(`${this.#name} ended before it answered`);
    return value;
  }

  /** The next line that is an answer: native code writes lines of its own. */
  async #answer() {
    for (;;) {
      const line = await this.line();
      if (line.startsWith('{')) return line;
    }
  }

  /** Sends a command, and resolves with the answer. */
  async ask(command, details = {}) {
    this.#process.stdin.write(`${JSON.stringify({ command, ...details })}\n`);
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), PATIENCE);
    const { error, ...answer } = JSON.parse(await this.#answer().finally(() => clearTimeout(timer)));
    if (error !== undefined) throw new Error(`${this.#name}, ${command}: ${error}`);
    return answer;
  }

  /** Ends its standard input; it is killed if it has not ended two seconds later. */
  async end() {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exited = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.stdin.end();
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), 2_000);
    await exited;
    clearTimeout(timer);
  }
}
