import { Availability } from './availability.js';
import { Histogram } from './histogram.js';
import { OperationCounters } from './operation-counters.js';
import { Rate } from './rate.js';
import type { Metrics } from './snapshot.js';
import { noTraffic, type Traffic } from './traffic.js';

/** The lowest op code, -11, is that of `closeSession`: added to a code, this gives an index. */
const FIRST_INDEX = 11;

/** What is known of an operation here. */
export interface CountedOperation {
  readonly name: string;
  readonly opCode: number;
}

/** What a snapshot has beside the counters: how the client is now. */
export type LiveMetrics = Pick<Metrics, 'state' | 'session' | 'watches'> & {
  readonly load: Pick<Metrics['operations'], 'inFlight' | 'queued' | 'queuedBytes'>;
};

/** The counters of a client, over all its sessions. */
export class ClientMetrics {
  readonly traffic: Traffic = noTraffic();
  readonly pings = new Histogram();
  readonly connections = {
    attempts: 0,
    failedAttempts: 0,
    connected: 0,
    reconnected: 0,
    readOnly: 0,
    moved: 0,
    lost: 0,
  };
  readonly sessions = { opened: 0, expired: 0, lost: 0, stalled: 0 };
  readonly availability: Availability;
  lastPing: number | null = null;
  /** Answers of all operations together. */
  answers = 0;
  readonly #rate: Rate;
  /** By op code; several have one name, and then share their counters. */
  readonly #byOpCode: (OperationCounters | undefined)[] = [];
  readonly #byName = new Map<string, OperationCounters>();

  constructor(startedAt: number) {
    this.availability = new Availability(startedAt);
    this.#rate = new Rate(startedAt);
  }

  /** The counters of an operation. */
  of(operation: CountedOperation): OperationCounters {
    return this.#byOpCode[operation.opCode + FIRST_INDEX] ?? this.#begin(operation);
  }

  #begin({ name, opCode }: CountedOperation): OperationCounters {
    const counters = this.#byName.get(name) ?? new OperationCounters();
    this.#byName.set(name, counters);
    this.#byOpCode[opCode + FIRST_INDEX] = counters;
    return counters;
  }

  /** Replies have arrived, and are about to be counted. */
  heard(time: number): void {
    if (this.#rate.isDue(time)) this.#rate.sample(time, this.answers);
  }

  snapshot(time: number, { state, session, watches, load }: LiveMetrics): Metrics {
    const total = new OperationCounters();
    for (const counters of this.#byName.values()) total.add(counters);
    return {
      state,
      session,
      operations: {
        total: total.snapshot(),
        byName: Object.fromEntries([...this.#byName].map(([name, counters]) => [name, counters.snapshot()])),
        perSecond: this.#rate.perSecond(time, this.answers),
        ...load,
      },
      traffic: { ...this.traffic },
      watches,
      connections: { ...this.connections },
      sessions: { ...this.sessions },
      availability: this.availability.snapshot(time),
      ping: { last: this.lastPing, latency: this.pings.snapshot() },
    };
  }
}
