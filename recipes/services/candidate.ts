import { now } from '../common/waiting.js';
import type { CallCounter } from './service-call.js';
import type { ServiceInstance } from './service-instance.js';
import type { ServiceCandidate } from './service-strategy.js';

/** How much of its due a newcomer gets at first. */
const COLDEST = 0.1;

/** Who has candidates, and is told what becomes of their calls. */
export interface CandidateOwner<Payload> {
  succeeded(candidate: Candidate<Payload>): void;
  failed(candidate: Candidate<Payload>, error: unknown): void;
  /** A call has ended without a word. */
  unknown(candidate: Candidate<Payload>): void;
}

/** What a provider knows of an instance beside what is registered: its calls, its failures, how long it is there. */
export class Candidate<Payload = unknown> implements ServiceCandidate<Payload>, CallCounter {
  outstanding = 0;
  /** Failures in a row, and when the first of them was. */
  failures = 0;
  failingSince = 0;
  /** Until when it is set aside, or on trial; 0 where it is neither. */
  asideUntil = 0;
  /** Whether the time aside is over, and a call is trying it. */
  onTrial = false;
  /** Of the smooth weighted round: how much is due to it. */
  due = 0;
  /** Of the round: how much of a turn a newcomer has gathered. */
  credit = 0;
  #warmAt: number;

  constructor(
    /** The name of its znode, which no other one has. */
    readonly key: string,
    public instance: ServiceInstance<Payload>,
    /** Whether it is enabled, and the filter takes it. */
    public isUsable: boolean,
    /** For how long it is warming up, milliseconds. */
    private readonly slowStart: number,
    private readonly owner: CandidateOwner<Payload>,
  ) {
    this.#warmAt = slowStart === 0 ? 0 : now() + slowStart;
  }

  /** How much of its due it is to get: from a tenth to 1. */
  get warmth(): number {
    if (this.#warmAt === 0) return 1;
    const missing = (this.#warmAt - now()) / this.slowStart;
    if (missing > 0) return Math.max(COLDEST, 1 - missing);
    this.#warmAt = 0;
    return 1;
  }

  get weight(): number {
    return (this.instance.weight ?? 1) * this.warmth;
  }

  ended(succeeded: boolean | undefined, error: unknown): void {
    this.outstanding--;
    if (succeeded === undefined) this.owner.unknown(this);
    else if (succeeded) this.owner.succeeded(this);
    else this.owner.failed(this, error);
  }
}

/** Whether a znode of the same name stands for the same process as before: only then what was seen of it counts on. */
export function isSameProcess(one: ServiceInstance, other: ServiceInstance): boolean {
  return (
    one.registrationTimeUTC === other.registrationTimeUTC &&
    one.address === other.address &&
    one.port === other.port &&
    one.sslPort === other.sslPort
  );
}
