import { after, afterPendingInput, noticeSleep, now, type Timer } from '../clock.js';

/** What a heartbeat needs of its session. */
export interface HeartbeatUser {
  /** Send a ping: nothing was written for a third of the session timeout. */
  ping(): void;
  /** Nothing was heard for two thirds of the session timeout: the server is to be given up. */
  silence(milliseconds: number): void;
  /** A timer came late: this process was held up. */
  late(milliseconds: number): void;
}

/** When to ping, and when a silent server is given up. */
export class Heartbeat {
  #timer: Timer | undefined;
  #pingAfter = 0;
  #giveUpAfter = 0;
  #lastWritten = 0;
  #lastHeard = 0;
  /** When the first bytes were written of those that came after what was heard last. */
  #waitingSince: number | undefined;
  #dueAt = 0;

  constructor(
    private readonly user: HeartbeatUser,
    /** Whether the process may end meanwhile. */
    private readonly unref = false,
  ) {}

  /** Begins for a connection that has just been heard; the session timeout is in milliseconds. */
  start(sessionTimeout: number): void {
    this.stop();
    this.#pingAfter = sessionTimeout / 3;
    this.#giveUpAfter = (sessionTimeout * 2) / 3;
    this.#lastWritten = this.#lastHeard = now();
    this.#waitingSince = undefined;
    this.#schedule();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** Something was written at `time`. */
  wrote(time: number): void {
    this.#lastWritten = time;
    this.#waitingSince ??= time;
  }

  /** Bytes have arrived at `time`, be it in the middle of a long reply. */
  heard(time: number): void {
    this.#lastHeard = time;
    this.#waitingSince = undefined;
  }

  // Whether the last ping was answered does not matter: its answer may stand behind a long reply, and the server ends a
  // session from which it hears nothing.
  #schedule(): void {
    const time = now();
    const next = Math.min(this.#lastWritten + this.#pingAfter, this.#givenUpAt());
    this.#dueAt = Math.max(next, time);
    this.#timer = after(next - time, () => this.#check(), this.unref);
  }

  /**
   * A server is silent only when it was asked something. While pings go out in time that changes nothing; but after a
   * stop of this process the server had nothing to answer, and gets the time that a ping gives it.
   */
  #givenUpAt(): number {
    return Math.max(this.#lastHeard + this.#giveUpAfter, (this.#waitingSince ?? Infinity) + this.#pingAfter);
  }

  #check(): void {
    noticeSleep();
    const time = now();
    this.user.late(time - this.#dueAt);
    if (time >= this.#givenUpAt()) {
      // This process may have slept: what the server said meanwhile waits in the socket and is to be read first.
      this.#timer = afterPendingInput(() => this.#judge());
      return;
    }
    if (time - this.#lastWritten >= this.#pingAfter) this.user.ping();
    this.#schedule();
  }

  #judge(): void {
    const time = now();
    if (time >= this.#givenUpAt()) this.user.silence(time - this.#lastHeard);
    else this.#schedule();
  }
}
