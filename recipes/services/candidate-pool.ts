import { now } from '../common/waiting.js';
import { Candidate, type CandidateOwner, isSameProcess } from './candidate.js';
import type { SetAsideRule, ZoneRule } from './provider-options.js';
import type { ServiceInstance } from './service-instance.js';

/** Who may be called, and who is set aside. */
export interface PoolRules<Payload> {
  readonly zone: ZoneRule | undefined;
  /** Undefined: nobody is ever set aside. */
  readonly setAside: SetAsideRule | undefined;
  readonly slowStart: number;
  /** Told of all who can be called whenever those have changed. */
  changed(all: readonly Candidate<Payload>[]): void;
  /** Told of one that was set aside. */
  wasSetAside(instance: ServiceInstance<Payload>, error: unknown): void;
}

/**
 * The instances to pick from. What a pick needs is made when something changes: instances, failures, or the end of a time
 * aside; a pick itself makes nothing.
 */
export class CandidatePool<Payload> implements CandidateOwner<Payload>, Iterable<Candidate<Payload>> {
  readonly #candidates = new Map<string, Candidate<Payload>>();
  #usable: readonly Candidate<Payload>[] | undefined = [];
  /** Those of them that are not set aside. */
  #ready: readonly Candidate<Payload>[] | undefined = [];
  /** Those to pick from: of the zone, where there are enough. */
  #preferred: readonly Candidate<Payload>[] = [];
  /** When the next time aside is over. */
  #nextReturn = Infinity;

  constructor(private readonly rules: PoolRules<Payload>) {}

  /** Takes an instance, new or changed. `isNew`: it was not there at the first look. */
  put(key: string, instance: ServiceInstance<Payload>, isUsable: boolean, isNew: boolean): void {
    let candidate = this.#candidates.get(key);
    if (candidate === undefined || !isSameProcess(candidate.instance, instance)) {
      candidate = new Candidate(key, instance, isUsable, isNew ? this.rules.slowStart : 0, this);
      this.#candidates.set(key, candidate);
    }
    candidate.instance = instance;
    candidate.isUsable = isUsable;
    this.#usable = undefined;
    this.#ready = undefined;
  }

  /** Returns whether there was such an instance. */
  remove(key: string): boolean {
    if (!this.#candidates.delete(key)) return false;
    this.#usable = undefined;
    this.#ready = undefined;
    return true;
  }

  get size(): number {
    return this.#candidates.size;
  }

  /** All that are known, usable or not. */
  [Symbol.iterator](): Iterator<Candidate<Payload>> {
    return this.#candidates.values();
  }

  /** What is known of an instance, or of a later version of it: of the same process. */
  of(instance: ServiceInstance<Payload>): Candidate<Payload> | undefined {
    // Its znode has its id for a name, as a rule.
    const known = this.#candidates.get(instance.id);
    if (known !== undefined && isSameProcess(known.instance, instance)) return known;
    for (const candidate of this.#candidates.values())
      if (candidate.instance.id === instance.id && isSameProcess(candidate.instance, instance)) return candidate;
    return undefined;
  }

  /** Those to pick from. The same array as long as nothing has changed. */
  get candidates(): readonly Candidate<Payload>[] {
    if (this.#ready === undefined || (this.#nextReturn !== Infinity && this.#nextReturn <= now())) this.#divide();
    return this.#preferred;
  }

  /** Those that are set aside, and those on trial. */
  get setAside(): readonly Candidate<Payload>[] {
    return [...this.#candidates.values()].filter(({ isUsable, asideUntil }) => isUsable && asideUntil !== 0);
  }

  /** Those to pick from but for some, if there is any other, of another zone or set aside though it may be. */
  without(excluded: ReadonlySet<string>): readonly Candidate<Payload>[] {
    const preferred = this.candidates;
    for (const some of [preferred, this.#ready ?? [], this.#usable ?? []]) {
      const others = some.filter(({ instance }) => !excluded.has(instance.id));
      if (others.length > 0) return others;
    }
    return preferred;
  }

  /** It was chosen: one whose time aside is over is on trial now, with this one call. */
  chose(candidate: Candidate<Payload>): void {
    const { setAside } = this.rules;
    if (candidate.asideUntil === 0 || setAside === undefined || candidate.asideUntil > now()) return;
    candidate.onTrial = true;
    // Should nobody tell how it went, another one tries.
    candidate.asideUntil = now() + setAside.time;
    this.#ready = undefined;
  }

  succeeded(candidate: Candidate<Payload>): void {
    candidate.failures = 0;
    candidate.onTrial = false;
    if (candidate.asideUntil === 0) return;
    candidate.asideUntil = 0;
    this.#ready = undefined;
  }

  failed(candidate: Candidate<Payload>, error: unknown): void {
    const { setAside } = this.rules;
    if (setAside === undefined || this.#candidates.get(candidate.key) !== candidate) return;
    const at = now();
    if (candidate.failures === 0 || at - candidate.failingSince > setAside.time) {
      candidate.failures = 0;
      candidate.failingSince = at;
    }
    candidate.failures++;
    const isAside = candidate.asideUntil > at;
    const isEnough = candidate.failures >= setAside.failures || candidate.asideUntil !== 0;
    // Calls that had begun before it was set aside tell nothing new.
    if (!isEnough || (isAside && !candidate.onTrial)) return;
    candidate.onTrial = false;
    candidate.asideUntil = at + setAside.time;
    this.#ready = undefined;
    this.rules.wasSetAside(candidate.instance, error);
  }

  unknown(candidate: Candidate<Payload>): void {
    if (!candidate.onTrial) return;
    // The trial has shown nothing: the next call tries it.
    candidate.onTrial = false;
    candidate.asideUntil = now();
    this.#ready = undefined;
  }

  #divide(): void {
    if (this.#usable === undefined) {
      this.#usable = [...this.#candidates.values()].filter(({ isUsable }) => isUsable);
      this.rules.changed(this.#usable);
    }
    const at = now();
    this.#nextReturn = Infinity;
    const ready = this.#usable.filter(({ asideUntil }) => {
      if (asideUntil > at) this.#nextReturn = Math.min(this.#nextReturn, asideUntil);
      return asideUntil <= at;
    });
    // A call that may fail is better than none.
    this.#ready = ready.length === 0 ? this.#usable : ready;
    this.#preferred = this.#near(this.#ready);
  }

  #near(candidates: readonly Candidate<Payload>[]): readonly Candidate<Payload>[] {
    const { zone } = this.rules;
    if (zone === undefined) return candidates;
    const near = candidates.filter(({ instance }) => instance.zone === zone.name);
    return near.length >= zone.atLeast ? near : candidates;
  }
}
