import { after, type Timer } from '../clock.js';
import { LinkError } from '../errors.js';
import { logOf } from '../log.js';
import { checkServers, type ServerAddress } from './connect-string.js';
import type { HostProvider } from './host-provider.js';

const log = logOf('hosts');

/** The first pause after all servers were tried, milliseconds. It doubles with every further round. */
const FIRST_PAUSE = 100;
/** The longest pause between rounds, milliseconds. */
const LONGEST_PAUSE = 5_000;
/** Clients that lost the same server come back spread over this time, milliseconds. */
const SPREAD_AFTER_LOSS = 50;

/**
 * Which server comes next, and after what pause. Between the servers of a round there is no pause, so that a session
 * can be saved; after each round there is one, with full jitter. Each round asks the provider anew.
 */
export class Rounds {
  #servers: readonly ServerAddress[] = [];
  #next = 0;
  /** Rounds begun since a session was last confirmed. */
  #begun = 0;
  #lostOne = false;

  constructor(
    private readonly provider: HostProvider,
    /** Whether the process may end while a provider is waited for. */
    private readonly unref = false,
    /** A number from 0 up to, not including, 1. */
    private readonly random: () => number = Math.random,
  ) {}

  /** What the provider is called. */
  get providerName(): string {
    return this.provider.name ?? 'host provider';
  }

  /** The servers that the provider gave last. */
  get servers(): readonly ServerAddress[] {
    return this.#servers;
  }

  /** Whether the next attempt begins a round. */
  get isOver(): boolean {
    return this.#next >= this.#servers.length;
  }

  /** Whether a round has ended without a confirmed session. */
  get hasFailed(): boolean {
    return this.isOver && this.#begun > 0;
  }

  /** Milliseconds before the next attempt. `longest` bounds them: a session that still lives is not to be slept away. */
  pause(longest = LONGEST_PAUSE): number {
    if (!this.isOver) return 0;
    if (this.#begun === 0) return this.#lostOne ? this.random() * SPREAD_AFTER_LOSS : 0;
    return this.random() * Math.min(longest, LONGEST_PAUSE, FIRST_PAUSE * 2 ** Math.min(this.#begun - 1, 30));
  }

  /**
   * The question that begins a round, to be started: it asks the provider, for at most `timeout` milliseconds, and calls
   * `begun`, with the reason if the provider has failed. Then the servers of the round before are tried again, if any.
   */
  begin(timeout: number, begun: (failure?: Error) => void): HostQuery {
    return new HostQuery(this.provider, timeout, this.unref, (answer) => {
      this.#begun++;
      this.#next = 0;
      if (answer instanceof Error) {
        log('%s: %s', this.providerName, answer.message);
        begun(answer);
      } else {
        this.#servers = answer;
        begun();
      }
    });
  }

  /** The next server of the round. */
  take(): ServerAddress {
    const server = this.#servers[this.#next];
    if (server === undefined) throw new Error('the round is over');
    this.#next++;
    return server;
  }

  /** A server has taken the session, and answered: the next loss begins a new round, without a pause. */
  confirmed(server: ServerAddress): void {
    this.#lostOne = true;
    this.restart();
    try {
      this.provider.connected?.(server);
    } catch (error) {
      log('%s: it threw when told of a connection: %s', this.providerName, messageOf(error));
    }
  }

  /** The next attempt begins a new round, as after a confirmed session. */
  restart(): void {
    this.#next = this.#servers.length;
    this.#begun = 0;
  }
}

/** One question to a provider, with one answer within a limit of time. */
export class HostQuery {
  readonly #controller = new AbortController();
  #timer: Timer | undefined;
  #over = false;

  constructor(
    private readonly provider: HostProvider,
    private readonly timeout: number,
    private readonly unref: boolean,
    private readonly onAnswer: (answer: readonly ServerAddress[] | Error) => void,
  ) {}

  /** Asks. A list that is there is answered at once. */
  start(): void {
    try {
      const given: unknown = this.provider.servers(this.#controller.signal);
      if (isThenable(given)) this.#await(given);
      else this.#answer(given);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Nobody waits for the answer any more. */
  stop(): void {
    if (this.#over) return;
    this.#over = true;
    this.#timer?.cancel();
    this.#controller.abort(new LinkError('nobody waits for the servers any more'));
  }

  #await(given: PromiseLike<unknown>): void {
    const giveUp = (): void => this.#fail(`it gave no servers within ${Math.round(this.timeout)} ms`);
    this.#timer = after(this.timeout, giveUp, this.unref);
    given.then(
      (list) => this.#answer(list),
      (error: unknown) => this.#fail(error),
    );
  }

  #answer(list: unknown): void {
    const servers = checkServers(list);
    if (typeof servers === 'string') this.#fail(`it gave no list of servers: ${servers}`);
    else this.#settle(servers);
  }

  #fail(error: unknown): void {
    this.#settle(new LinkError(messageOf(error), { cause: error instanceof Error ? error : undefined }));
  }

  #settle(answer: readonly ServerAddress[] | Error): void {
    if (this.#over) return;
    this.stop();
    this.onAnswer(answer);
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
