import { LeaseLostError, type WaitOptions } from 'zookit';
import type { FencingToken } from '../common/fencing.js';
import { after, timeOfDay, wallClock } from '../common/waiting.js';
import { wholeSecond, type WrittenLease } from './lease-format.js';

/** What a {@link LeaseTerm} asks of its lease. */
export interface LeaseTermActions {
  renew(term: LeaseTerm, options: WaitOptions): Promise<void>;
  release(term: LeaseTerm): Promise<void>;
}

/** Until when, by the clock of the machine and by one that is never set. */
interface Span {
  readonly until: number;
  readonly steadyUntil: number;
}

/** How long a timer runs at most before it looks again, milliseconds. */
const LONGEST_SLEEP = 3_600_000;

/**
 * One term of a lease. It is held until its end, whether there is a connection or not; it ends before the time that is
 * written for others. It is not given back when the process ends: that is what it is for. `release()`, or `await using`,
 * gives it back.
 */
export class LeaseTerm implements AsyncDisposable {
  #span: Span;
  #token: FencingToken | undefined;
  #over: string | undefined;
  #controller: AbortController | undefined;
  #stop: (() => void) | undefined;
  #released: Promise<void> | undefined;

  /** Made by the lease. */
  constructor(
    /** The znode in which it is written. */
    readonly path: string,
    readonly holder: string,
    private readonly duration: number,
    private readonly actions: LeaseTermActions,
  ) {
    this.#span = spanOf(duration);
  }

  /** Until when it is held, milliseconds since 1970. */
  get end(): number {
    return this.#span.until;
  }

  /** Whether it is still held, worked out at this look. Once `false`, always `false`. */
  get held(): boolean {
    const { until, steadyUntil } = this.#span;
    // Whichever is first: a clock that is set back does not make it longer, nor does a machine that sleeps.
    if (wallClock() >= until || timeOfDay() >= steadyUntil) this.#lose('its time is over');
    return this.#over === undefined;
  }

  /** Aborts when its time is over, or when it is released. The process need not live on for it. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.held) this.#sleep();
      else this.#tell();
    }
    return this.#controller.signal;
  }

  /** A number higher than that of every term before. A renewed term keeps its own. */
  get fencingToken(): FencingToken {
    if (this.#token === undefined) throw new LeaseLostError('the term has not begun', { path: this.path });
    return this.#token;
  }

  /**
   * Lets the term last for its whole duration again, from now on.
   *
   * @throws LeaseLostError when it is not held any more: ask for a new term then; OperationTimeoutError, AbortedError: it
   * lasts until its old end at least.
   */
  renew(options: WaitOptions = {}): Promise<void> {
    return this.actions.renew(this, options);
  }

  /** Gives the lease back, if it is still that of this term. Calling it again waits for the same end. */
  release(): Promise<void> {
    this.#lose('it was given back');
    this.#released ??= this.actions.release(this);
    return this.#released;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }

  /** What is to be written for it. @internal */
  get written(): WrittenLease {
    return writtenOf(this.holder, this.#span);
  }

  /** It was written. @internal */
  begin(token: FencingToken): void {
    this.#token = token;
  }

  /** The same term with a later end: what is to be written, and what to call when it was. @internal */
  next(): { readonly written: WrittenLease; readonly begin: () => void } {
    const span = spanOf(this.duration);
    return { written: writtenOf(this.holder, span), begin: () => (this.#span = span) };
  }

  #lose(why: string): void {
    if (this.#over !== undefined) return;
    this.#over = why;
    this.#stop?.();
    this.#tell();
  }

  #tell(): void {
    this.#controller?.abort(new LeaseLostError(`the lease is over: ${this.#over}`, { path: this.path }));
  }

  #sleep(): void {
    const left = Math.min(this.#span.until - wallClock(), this.#span.steadyUntil - timeOfDay(), LONGEST_SLEEP);
    this.#stop = after(
      left,
      () => {
        if (this.held) this.#sleep();
      },
      true,
    );
  }
}

function spanOf(duration: number): Span {
  return { until: wallClock() + duration, steadyUntil: timeOfDay() + duration };
}

function writtenOf(holder: string, { until }: Span): WrittenLease {
  return { holder, end: wholeSecond(until) };
}
