import { isDeepStrictEqual } from 'node:util';
import type { ZooKeeper } from 'zookit';
import { canTryAgain, pause } from '../common/waiting.js';
import { OwnedByOtherError } from '../members/persistent-node.js';
import type { RegisteredService } from '../services/registered-service.js';
import { type AgentJournal, messageOf } from './agent-journal.js';
import type { WantedInstance } from './wanted-instance.js';

/** Registers an instance. Rejects with AbortedError when the signal fires, and then it is not registered. */
export type Register = (instance: WantedInstance, signal: AbortSignal) => Promise<RegisteredService>;

/**
 * One instance of a container: a wish that changes, and a registration that is brought in line with it, one step after
 * the other, however long ZooKeeper is away. What counts is the last wish; a step towards an older one is broken off.
 */
export class KeptInstance {
  #wish: WantedInstance | undefined;
  #kept: { readonly service: RegisteredService; readonly wish: WantedInstance } | undefined;
  /** A wish that cannot be fulfilled, for a reason that does not pass by itself. */
  #refused: { readonly wish: WantedInstance | undefined; readonly isTaken: boolean } | undefined;
  #work: Promise<void> | undefined;
  #attempt = new AbortController();
  /** `web/4f1c...`, for the log. */
  private readonly label: string;
  #isLeft = false;

  constructor(
    private readonly zk: ZooKeeper,
    readonly service: string,
    id: string,
    private readonly register: Register,
    private readonly journal: AgentJournal,
  ) {
    this.label = `${service}/${id}`;
  }

  /** What is to be registered; undefined: nothing. */
  get wish(): WantedInstance | undefined {
    return this.#wish;
  }

  /** Whether it is certainly registered now, as it was wished last. */
  get held(): boolean {
    return this.#kept !== undefined && this.#kept.wish === this.#wish && this.#kept.service.held;
  }

  /** Wishes for something else. Returns at once. */
  want(wish: WantedInstance | undefined): void {
    if (this.#isLeft || isDeepStrictEqual(wish, this.#wish)) return;
    this.#wish = wish;
    if (wish === undefined) this.journal.setProblems(this.label, []);
    this.#attempt.abort();
    this.#work ??= this.#bring();
  }

  /** Tries once more what was refused before; not where it was taken by somebody else: both would go on for ever. */
  tryAgain(): void {
    if (this.#refused?.isTaken !== false || this.#isLeft) return;
    this.#refused = undefined;
    this.#work ??= this.#bring();
  }

  /** Resolves when what was wished last is done, or refused. */
  async settled(): Promise<void> {
    while (this.#work !== undefined) await this.#work;
  }

  /** Leaves the registration to the session: it is not looked after any more, and not taken away. */
  leave(): void {
    this.#isLeft = true;
    this.#attempt.abort();
  }

  get #isAsWished(): boolean {
    if (this.#isLeft) return true;
    if (this.#wish === undefined) return this.#kept === undefined;
    return this.#kept?.wish === this.#wish || this.#refused?.wish === this.#wish;
  }

  async #bring(): Promise<void> {
    // A turn later, so that what is wished for in one turn is one step.
    await Promise.resolve();
    for (let failures = 0; !this.#isAsWished;) {
      this.#attempt = new AbortController();
      const { signal } = this.#attempt;
      const wish = this.#wish;
      try {
        await this.#step(wish, signal);
        failures = 0;
      } catch (error) {
        if (signal.aborted) continue;
        if (canTryAgain(this.zk, error)) await pause(this.zk, failures++, signal);
        else this.#refuse(wish, error);
      }
    }
    this.#work = undefined;
  }

  async #step(wish: WantedInstance | undefined, signal: AbortSignal): Promise<void> {
    const kept = this.#kept;
    if (kept === undefined) {
      if (wish === undefined) return;
      const service = await this.register(wish, signal);
      this.#kept = { service, wish };
      this.journal.count('registered');
      this.journal.info(`registered ${this.label} at ${addressOf(wish)}${wish.enabled ? '' : ', not enabled'}`);
      this.journal.setProblems(this.label, []);
      void this.#follow(service);
    } else if (wish === undefined) {
      this.#kept = undefined;
      await kept.service.unregister();
      this.journal.count('unregistered');
      this.journal.info(`unregistered ${this.label}`);
    } else {
      const { address, port, sslPort, enabled } = wish;
      await kept.service.update({ address, port, sslPort, enabled }, { signal });
      this.#kept = { service: kept.service, wish };
      this.journal.info(`changed ${this.label}: ${addressOf(wish)}, ${enabled ? 'enabled' : 'stopping, not enabled'}`);
    }
  }

  #refuse(wish: WantedInstance | undefined, error: unknown): void {
    this.#refused = { wish, isTaken: error instanceof OwnedByOtherError };
    this.#kept = undefined;
    if (wish === undefined) this.journal.warn(`${this.label} could not be unregistered: ${messageOf(error)}`);
    else this.journal.setProblems(this.label, [`it could not be registered: ${messageOf(error)}`]);
  }

  /** Tells when the registration is not in place, and when it is again. */
  async #follow(service: RegisteredService): Promise<void> {
    let isInPlace = true;
    try {
      for await (const { registered } of service) {
        if (registered === isInPlace || this.#isLeft) continue;
        isInPlace = registered;
        if (registered) this.journal.info(`registered ${this.label} again`);
        else this.journal.warn(`${this.label} is not registered at the moment`);
      }
    } catch (error) {
      if (this.#isLeft || this.#kept?.service !== service) return;
      this.#refuse(this.#wish, error);
    }
  }
}

function addressOf({ address, port, sslPort }: WantedInstance): string {
  return `${address}:${String(port ?? sslPort)}`;
}
