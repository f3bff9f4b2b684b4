import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { javaCommand, pythonCommand } from '../support/interop-install.cjs';
import { gate, type Gate, within } from '../support/until.js';

/** The recipes of both languages, and those of one of them. */
export type CuratorKind =
  | 'mutex'
  | 'readWriteLock'
  | 'semaphore'
  | 'leaderLatch'
  | 'leaderSelector'
  | 'barrier'
  | 'doubleBarrier'
  | 'atomicLong'
  | 'atomicInteger'
  | 'sharedCount'
  | 'sharedValue'
  | 'queue'
  | 'priorityQueue'
  | 'delayQueue'
  | 'idQueue'
  | 'simpleQueue'
  | 'groupMember'
  | 'persistentNode'
  | 'serviceDiscovery';
export type KazooKind =
  | 'mutex'
  | 'readWriteLock'
  | 'semaphore'
  | 'election'
  | 'barrier'
  | 'doubleBarrier'
  | 'counter'
  | 'queue'
  | 'lockingQueue'
  | 'party'
  | 'lease'
  | 'partitioner';

/** What goes with a command, as the peers read it: the sources of both say which names each one takes. */
export type Arguments = Readonly<Record<string, unknown>>;

interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

/** An answer must have come by then, ms: waits of the peers themselves are shorter. */
const PATIENCE = 90_000;

/** Curator or kazoo in a process of its own, with one session. It ends with this object, or with this process. */
export class Peer<Kind extends string> implements AsyncDisposable {
  private readonly asked = new Map<number, Gate<unknown>>();
  private readonly exited: Promise<void>;
  private errors = '';
  private ended = false;
  private count = 0;
  private handles = 0;

  private constructor(
    private readonly name: string,
    private readonly child: ChildProcess,
  ) {
    // Who writes to one that has ended learns it by the answer that does not come.
    child.stdin?.on('error', () => undefined);
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.errors += text));
    if (child.stdout !== null) createInterface({ input: child.stdout }).on('line', (line) => this.answered(line));
    const ended = gate();
    child.once('error', (error) => (this.errors += error.message));
    child.once('close', () => ended.open());
    this.exited = ended.promise.then(() => this.end());
  }

  static curator(servers: string, options?: PeerOptions): Peer<CuratorKind> {
    return Peer.start('Curator', javaCommand(), servers, options);
  }

  static kazoo(servers: string, options?: PeerOptions): Peer<KazooKind> {
    return Peer.start('kazoo', pythonCommand(), servers, options);
  }

  /** A recipe of the peer. Its commands are done one after the other; those of several recipes at the same time. */
  async open(kind: Kind, path: string, args: Arguments = {}): Promise<PeerRecipe> {
    const recipe = new PeerRecipe((command, given) => this.ask(handle, command, given));
    const handle = `${kind}-${++this.handles}`;
    await recipe.call('open', { kind, path, ...args });
    return recipe;
  }

  /** SIGKILL: its session goes on until the server ends it. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.exited;
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Ends it in an orderly way, with its session. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.child.stdin?.end();
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 10_000);
    await this.exited;
    clearTimeout(timer);
  }

  private static start<Kind extends string>(
    name: string,
    { command, args }: { command: string; args: string[] },
    servers: string,
    { sessionTimeout = 30_000 }: PeerOptions = {},
  ): Peer<Kind> {
    const child = spawn(command, [...args, servers, String(sessionTimeout)], { stdio: ['pipe', 'pipe', 'pipe'] });
    return new Peer<Kind>(name, child);
  }

  private async ask(handle: string, command: string, args: Arguments): Promise<unknown> {
    if (this.ended) throw this.endError();
    const id = ++this.count;
    const answer = gate<unknown>();
    this.asked.set(id, answer);
    this.child.stdin?.write(`${JSON.stringify({ id, handle, command, args })}\n`);
    return within(answer.promise, { what: `${this.name} to answer ${handle} ${command}`, timeout: PATIENCE });
  }

  private answered(line: string): void {
    const { id, result, error } = JSON.parse(line) as Answer;
    const answer = this.asked.get(id);
    this.asked.delete(id);
    if (error === undefined) answer?.open(result);
    else answer?.fail(new Error(`${this.name}: ${error}`));
  }

  private end(): void {
    this.ended = true;
    for (const answer of this.asked.values()) answer.fail(this.endError());
    this.asked.clear();
  }

  private endError(): Error {
    return new Error(`${this.name} has ended:\n${this.errors}`);
  }
}

export interface PeerOptions {
  /** ms; default 30,000. */
  readonly sessionTimeout?: number;
}

/** An object of Curator or kazoo. */
export class PeerRecipe implements AsyncDisposable {
  constructor(private readonly ask: (command: string, args: Arguments) => Promise<unknown>) {}

  /** Gives a command. Rejects with what the peer has thrown. */
  async call<Result = unknown>(command: string, args: Arguments = {}): Promise<Result> {
    return (await this.ask(command, args)) as Result;
  }

  /** Closes it, or gives back what it holds. */
  async close(): Promise<void> {
    await this.call('close');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
