import { Histogram } from './histogram.js';
import type { OperationMetrics } from './snapshot.js';

/** What became of the operations of one name. Those that succeed are counted by their latency alone. */
export class OperationCounters {
  readonly latency = new Histogram();
  readonly #failures = new Map<string, number>();
  /** Failures that a server has answered with, which have a latency. */
  #refused = 0;

  /** Counts a failure by the code of its error. */
  failed(code: string, isAnswer: boolean): void {
    this.#failures.set(code, (this.#failures.get(code) ?? 0) + 1);
    if (isAnswer) this.#refused++;
  }

  /** Counts in what another one has counted. */
  add(other: OperationCounters): void {
    this.latency.add(other.latency);
    for (const [code, count] of other.#failures) this.#failures.set(code, (this.#failures.get(code) ?? 0) + count);
    this.#refused += other.#refused;
  }

  snapshot(): OperationMetrics {
    const latency = this.latency.snapshot();
    const succeeded = latency.count - this.#refused;
    const outcomes = { ...(succeeded > 0 ? { ok: succeeded } : {}), ...Object.fromEntries(this.#failures) };
    return { count: Object.values(outcomes).reduce((sum, each) => sum + each, 0), outcomes, latency };
  }
}
