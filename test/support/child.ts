import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { KeptProcess } from './kept-process.cjs';
import { gate, within } from './until.js';

const root = join(__dirname, '..', '..');

/** What a child said and how it ended. */
export interface ChildResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ChildOptions {
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
}

/** A Node process that a test started. It never outlives the test run. */
export class Child {
  /** Resolves when it has ended, however, and all its output was read. */
  readonly result: Promise<ChildResult>;
  private readonly output = { stdout: '', stderr: '' };
  private readonly lines: string[] = [];
  private readonly listeners = new Set<() => void>();

  private constructor(private readonly process: KeptProcess) {
    this.result = this.collect();
  }

  /** Use `runScript`. */
  static async start(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Child> {
    const kept = new KeptProcess({ output: 'pipe' });
    await kept.start({ command: process.execPath, args: [...args], cwd: root, env: { ...process.env, ...env } });
    return new Child(kept);
  }

  get pid(): number | undefined {
    return this.process.pid;
  }

  /** What it wrote to stdout so far. */
  get stdout(): string {
    return this.output.stdout;
  }

  get stderr(): string {
    return this.output.stderr;
  }

  /** The first line of stdout, of those that came and those to come, that matches. Rejects after `timeout` ms. */
  async line(pattern: RegExp, { timeout = 10_000 }: { timeout?: number } = {}): Promise<RegExpExecArray> {
    const found = gate<RegExpExecArray>();
    const look = (): void => {
      const match = this.lines.map((line) => pattern.exec(line)).find((result) => result !== null);
      if (match) found.open(match);
    };
    const fail = ({ stdout, stderr }: ChildResult): void =>
      found.fail(new Error(`the child ended without a line like ${String(pattern)}:\n${stdout}${stderr}`));
    this.listeners.add(look);
    look();
    void this.result.then(fail);
    try {
      return await within(found.promise, { what: `a line like ${String(pattern)}`, timeout });
    } finally {
      this.listeners.delete(look);
    }
  }

  /** Sends a signal: SIGSTOP and SIGCONT, too. */
  signal(signal: NodeJS.Signals): void {
    this.process.signal(signal);
  }

  /** SIGKILL; resolves when it has ended. */
  async kill(): Promise<ChildResult> {
    this.signal('SIGKILL');
    return this.result;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  private async collect(): Promise<ChildResult> {
    const { stdout, stderr } = this.process;
    if (stdout === null || stderr === null) throw new Error('the child has no pipes');
    const read = [this.read(stdout, 'stdout'), this.read(stderr, 'stderr')];
    createInterface({ input: stdout }).on('line', (line) => {
      this.lines.push(line);
      for (const listener of this.listeners) listener();
    });
    const exit = await this.process.exited;
    await this.process.dispose();
    await Promise.all(read);
    return { code: exit?.code ?? null, signal: exit?.signal ?? null, ...this.output };
  }

  private read(stream: Readable, name: 'stdout' | 'stderr'): Promise<void> {
    const ended = gate();
    stream.setEncoding('utf8');
    stream.on('data', (chunk: string) => (this.output[name] += chunk));
    stream.on('close', () => ended.open());
    return ended.promise;
  }
}

/**
 * Runs a script against the built package: `zookit` and `zookit/recipes` in it are what a user would import.
 * @param script the source of an ES module, or the path of a file below the project's folder
 */
export function runScript(
  script: { readonly source: string } | { readonly file: string },
  { args = [], env = {} }: ChildOptions = {},
): Promise<Child> {
  const program = 'file' in script ? [script.file] : ['--input-type=module', '--eval', script.source, '--'];
  return Child.start([...program, ...args], env);
}
