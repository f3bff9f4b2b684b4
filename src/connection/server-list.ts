import { isSameServer, type ServerAddress } from './connect-string.js';
import type { HostProvider } from './host-provider.js';
import { rebalance } from './rebalance.js';
import { shuffle } from './shuffle.js';

/** A list of servers that is known: shuffled once, walked round, and changed at run time. */
export class ServerList implements HostProvider {
  readonly name = 'list of servers';
  #order: readonly ServerAddress[];
  /** Where the next round begins. */
  #first = 0;
  /** Servers that are tried when no other one can be reached. */
  #lastResort: readonly ServerAddress[] = [];

  constructor(
    servers: readonly ServerAddress[],
    /** A number from 0 up to, not including, 1. */
    private readonly random: () => number = Math.random,
  ) {
    this.#order = shuffle(servers, random);
  }

  /** The servers, the one that comes next first; those of the last resort are none of them. */
  get listed(): readonly ServerAddress[] {
    return [...this.#order.slice(this.#first), ...this.#order.slice(0, this.#first)];
  }

  servers(): readonly ServerAddress[] {
    return [...this.listed, ...this.#lastResort.filter((server) => !this.#lists(server))];
  }

  connected(server: ServerAddress): void {
    const index = this.#order.findIndex((each) => isSameServer(each, server));
    this.#first = (index + 1) % this.#order.length;
  }

  /**
   * Puts others in their place; those of `lastResort` are tried after them. `current` is the server that the client is
   * at and could stay at, by all its names. Returns whether it is to leave that one. A client that is at none goes
   * anywhere, with equal chances.
   */
  update(
    servers: readonly ServerAddress[],
    current: readonly ServerAddress[],
    lastResort: readonly ServerAddress[] = [],
  ): boolean {
    const { moves, order } =
      current.length === 0
        ? { moves: false, order: shuffle(servers, this.random) }
        : rebalance(this.#order, servers, current, this.random);
    this.#order = order;
    this.#first = 0;
    this.#lastResort = lastResort;
    const stays = moves ? undefined : current.find((server) => this.#lists(server));
    if (stays !== undefined) this.connected(stays);
    return moves;
  }

  #lists(server: ServerAddress): boolean {
    return this.#order.some((each) => isSameServer(each, server));
  }
}
