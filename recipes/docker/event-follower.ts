import type { ZooKeeper } from 'zookit';
import { pause } from '../common/waiting.js';
import type { DockerEngine } from './docker-engine.js';
import type { EngineEvent } from './engine-event.js';
import type { DockerEngineError } from './errors.js';

/** How far back an engine is asked for events at first, microseconds: who was told to stop just before is to be known. */
const LOOK_BACK = 60 * 1_000_000;
/** Events as close together as this may come twice: numbers hold the time of the newest only so exactly. */
const OVERLAP = 1;

/** Who follows the events. */
export interface EventListener {
  /** The events come from now on: what is looked at now and later misses nothing. */
  connected(): void;
  hear(event: EngineEvent): void;
  /** What could not be read. */
  malformed(error: DockerEngineError): void;
  /** The events come no more. Another attempt follows. */
  disconnected(error: unknown): void;
}

/**
 * Follows the events of an engine until it is ended, over restarts of the engine: each connection asks for what has happened
 * since the last event that was heard. An engine remembers little, and nothing over its own restart, so after each
 * connection everything has to be looked at again.
 */
export class EventFollower {
  /** The time of the newest event, microseconds by the clock of the engine. */
  #newest: number | undefined;

  constructor(
    private readonly engine: DockerEngine,
    private readonly listener: EventListener,
    private readonly closing: AbortSignal,
  ) {}

  /** Resolves when it is ended. `zk`: pauses end early when it connects. */
  async run(zk: ZooKeeper): Promise<void> {
    for (let failures = 0; !this.closing.aborted;) {
      try {
        await this.#follow(() => (failures = 0));
        this.listener.disconnected(new Error('the engine has ended the stream of events'));
      } catch (error) {
        if (this.closing.aborted) return;
        this.listener.disconnected(error);
      }
      await pause(zk, failures++, this.closing);
    }
  }

  async #follow(connected: () => void): Promise<void> {
    const options = { signal: this.closing };
    await this.engine.negotiate(options);
    const since = this.#newest === undefined ? await this.#start() : this.#newest - OVERLAP;
    const stream = await this.engine.events(since, options);
    stream.onMalformed = (error) => this.listener.malformed(error);
    connected();
    this.listener.connected();
    for await (const event of stream) {
      if (event.time !== undefined) this.#newest = Math.max(this.#newest ?? 0, event.time);
      this.listener.hear(event);
    }
  }

  async #start(): Promise<number> {
    const { time } = await this.engine.info({ signal: this.closing });
    return Math.max(0, (time ?? 0) * 1_000 - LOOK_BACK);
  }
}
