import type { ServerAddress } from './connect-string.js';

/** The first pause after all servers were tried, milliseconds. It doubles with every further round. */
const FIRST_PAUSE = 100;
/** The longest pause between rounds, milliseconds. */
const LONGEST_PAUSE = 5_000;
/** Clients that lost the same server come back spread over this time, milliseconds. */
const SPREAD_AFTER_LOSS = 50;

/** The next server to try, and how long to wait before. */
export interface NextServer {
  readonly server: ServerAddress;
  /** Milliseconds. */
  readonly pause: number;
}

/**
 * Which server comes next, and after what pause: the list is shuffled once and walked round. Between the servers of a
 * round there is no pause, so that a session can be saved; after each round there is one, with full jitter.
 */
export class HostProvider {
  readonly #servers: readonly ServerAddress[];
  #next = 0;
  /** Servers tried since a session was last confirmed. */
  #tried = 0;
  #lostOne = false;

  constructor(
    servers: readonly ServerAddress[],
    /** A number from 0 up to, not including, 1. */
    private readonly random: () => number = Math.random,
  ) {
    this.#servers = shuffle(servers, random);
  }

  /** The number of servers. */
  get size(): number {
    return this.#servers.length;
  }

  /** `longestPause` bounds the pause, milliseconds: a session that still lives is not to be slept away. */
  next(longestPause = LONGEST_PAUSE): NextServer {
    const server = this.#servers[this.#next % this.#servers.length];
    if (server === undefined) throw new Error('a host provider needs a server');
    const pause = this.#pause(longestPause);
    this.#next = (this.#next + 1) % this.#servers.length;
    this.#tried++;
    return { server, pause };
  }

  /** A server has confirmed the session: the next loss begins a new round. */
  confirmed(): void {
    this.#tried = 0;
    this.#lostOne = true;
  }

  /** Whether every server was tried since a session was last confirmed. */
  get roundIsOver(): boolean {
    return this.#tried > 0 && this.#tried % this.#servers.length === 0;
  }

  #pause(longestPause: number): number {
    if (this.#tried === 0) return this.#lostOne ? this.random() * SPREAD_AFTER_LOSS : 0;
    if (!this.roundIsOver) return 0;
    const rounds = this.#tried / this.#servers.length;
    return this.random() * Math.min(longestPause, FIRST_PAUSE * 2 ** Math.min(rounds - 1, 30));
  }
}

/** A copy in random order (Fisher-Yates). */
function shuffle<T>(items: readonly T[], random: () => number): T[] {
  const shuffled = [...items];
  for (let last = shuffled.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [shuffled[last], shuffled[other]] = [shuffled[other] as T, shuffled[last] as T];
  }
  return shuffled;
}
