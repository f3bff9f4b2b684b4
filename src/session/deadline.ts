import { after, noticeSleep, now, type Timer } from '../clock.js';
import { InvalidArgumentError, LeaseLostError } from '../errors.js';

/** When a {@link SessionLease} counts as lost. */
export interface LeaseOptions {
  /**
   * How long before the session could end the lease is lost, milliseconds. Default: a tenth of the session timeout, at
   * least 100, at most half of it.
   */
  readonly margin?: number | undefined;
  /** `deadline` (the default): as late as is safe. `suspended`: as soon as there is no connection. */
  readonly loseOn?: 'deadline' | 'suspended' | undefined;
}

/** The shortest default margin, milliseconds. */
const LEAST_MARGIN = 100;

/** The default margin: how long before the end of a session a lease is lost, milliseconds. */
export function defaultMargin(sessionTimeout: number): number {
  // Of a very short session something must be left to hold.
  return Math.min(Math.max(LEAST_MARGIN, sessionTimeout / 10), sessionTimeout / 2);
}

/**
 * The claim that something held under a session is still held. It is lost before the session can have ended, by a
 * margin; once lost it stays lost, even when the session turns out to be alive.
 */
export class SessionLease {
  /** Why it is over. */
  #over: string | undefined;
  #controller: AbortController | undefined;

  /** Made by `zk.lease()`. */
  constructor(
    private readonly deadline: Deadline,
    private readonly options: LeaseOptions,
  ) {}

  /** Worked out at each look, from a clock that does not stop: right even before any timer could run. */
  get held(): boolean {
    if (this.#over === undefined) {
      noticeSleep();
      this.deadline.look(now());
    }
    return this.#over === undefined;
  }

  /** Aborts when the lease is lost or given back. Its reason is a `LeaseLostError`. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    this.#tell();
    return this.#controller.signal;
  }

  /** Gives the lease back: it is not held any more, and its signal aborts. */
  release(): void {
    this.lose('it was given back');
  }

  /** Takes the lease away: what it stands for is gone for a reason that the session does not know. */
  lose(why: string): void {
    if (this.#over !== undefined) return;
    this.deadline.forget(this);
    this.#over = why;
    this.#tell();
  }

  /** Whether it ends with the connection. */
  get endsOnSuspension(): boolean {
    return this.options.loseOn === 'suspended';
  }

  /** Milliseconds before the end of the session. */
  marginOf(sessionTimeout: number): number {
    return this.options.margin ?? defaultMargin(sessionTimeout);
  }

  #tell(): void {
    if (this.#over === undefined || this.#controller?.signal.aborted !== false) return;
    this.#controller.abort(new LeaseLostError(`the lease is over: ${this.#over}`));
  }
}

/**
 * Until when the session is certainly ours: the session timeout, counted from the *sending* of the newest request
 * that was answered. The server's clock for the session began later, so our belief ends first.
 */
export class Deadline {
  #confirmedAt = -Infinity;
  #timeout = 0;
  #over: string | undefined;
  #suspended = false;
  #lostTold = true;
  #timer: Timer | undefined;
  readonly #leases = new Set<SessionLease>();
  /** The largest margin of any lease, so that a look costs nothing while no lease is near its end. */
  #largestMargin = -Infinity;

  constructor(
    private readonly onLost: () => void,
    /** Whether the process may end meanwhile. */
    private readonly unref = false,
  ) {}

  /** Milliseconds until the session may have ended; 0 or less: it may have. */
  get remaining(): number {
    noticeSleep();
    return this.#over === undefined ? this.#confirmedAt + this.#timeout - now() : -Infinity;
  }

  /** The server granted a timeout in answer to what was sent at `sentAt`. */
  grant(timeout: number, sentAt: number): void {
    this.#timeout = timeout;
    this.#measureMargins();
    this.confirm(sentAt);
    // The timeout may be shorter than the one before.
    this.#reschedule();
  }

  /** The server answered what was sent at `sentAt`. Call {@link look} before, or a deadline that has passed goes unnoticed. */
  confirm(sentAt: number): void {
    if (sentAt <= this.#confirmedAt) return;
    this.#confirmedAt = sentAt;
    if (this.#lostTold && sentAt + this.#timeout > now()) this.#lostTold = false;
    this.#schedule();
  }

  /** Notices what has passed by `time`. */
  look(time: number): void {
    if (this.#over !== undefined || time < this.#firstLoss()) return;
    const end = this.#confirmedAt + this.#timeout;
    for (const lease of [...this.#leases]) {
      if (time >= end - lease.marginOf(this.#timeout)) lease.lose('no server has confirmed the session for too long');
    }
    this.#measureMargins();
    if (time >= end && !this.#lostTold) {
      this.#lostTold = true;
      this.onLost();
    }
  }

  /** A claim that ends with the session, or before. Throws `InvalidArgumentError` at options that are none. */
  lease(options: LeaseOptions): SessionLease {
    checkLeaseOptions(options);
    const lease = new SessionLease(this, options);
    if (this.#over !== undefined) lease.lose(this.#over);
    else if (this.#suspended && lease.endsOnSuspension) lease.lose('there is no connection');
    else this.#add(lease);
    return lease;
  }

  /** Whether anything is held under the session. */
  get hasLeases(): boolean {
    return this.#leases.size > 0;
  }

  /** A lease needs watching no longer. */
  forget(lease: SessionLease): void {
    this.#leases.delete(lease);
  }

  /** The connection is gone. */
  suspended(): void {
    this.#suspended = true;
    for (const lease of [...this.#leases]) if (lease.endsOnSuspension) lease.lose('the connection is gone');
  }

  /** There is a connection again. */
  resumed(): void {
    this.#suspended = false;
  }

  /** The session is over. */
  end(why: string): void {
    this.#over ??= why;
    this.#timer?.cancel();
    for (const lease of [...this.#leases]) lease.lose(why);
  }

  #add(lease: SessionLease): void {
    this.#leases.add(lease);
    const margin = lease.marginOf(this.#timeout);
    const isFirst = margin > this.#largestMargin;
    if (isFirst) this.#largestMargin = margin;
    this.look(now());
    // A timer for what is lost later would fire too late.
    if (isFirst) this.#reschedule();
  }

  /** When the first thing is lost if nothing is confirmed before. */
  #firstLoss(): number {
    const end = this.#confirmedAt + this.#timeout;
    return Math.min(this.#lostTold ? Infinity : end, end - this.#largestMargin);
  }

  #measureMargins(): void {
    this.#largestMargin = -Infinity;
    for (const lease of this.#leases)
      this.#largestMargin = Math.max(this.#largestMargin, lease.marginOf(this.#timeout));
  }

  #reschedule(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#schedule();
  }

  // The timer is not moved with every answer: when it fires too early, it looks and sleeps on.
  #schedule(): void {
    if (this.#timer !== undefined || this.#over !== undefined) return;
    const first = this.#firstLoss();
    if (first === Infinity) return;
    const wake = (): void => {
      this.#timer = undefined;
      noticeSleep();
      this.look(now());
      this.#schedule();
    };
    this.#timer = after(first - now(), wake, this.unref);
  }
}

function checkLeaseOptions({ margin = 0, loseOn = 'deadline' }: LeaseOptions): void {
  if (!Number.isFinite(margin) || margin < 0)
    throw new InvalidArgumentError(`the margin is ${String(margin)}; it must be a number of milliseconds, not below 0`);
  if (loseOn !== 'deadline' && loseOn !== 'suspended')
    throw new InvalidArgumentError(`loseOn is ${String(loseOn)}; it must be "deadline" or "suspended"`);
}
