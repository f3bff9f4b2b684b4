import type { Socket } from 'node:net';
import { reset } from './reset.js';

/** How slow a link is. */
export interface Slowness {
  /** How much later each byte arrives, ms, in each direction. Default 0. */
  readonly latency?: number;
  /** How many bytes pass in a second, in each direction. Default: as many as come. */
  readonly bytesPerSecond?: number;
}

/** How a stream ends. */
export type End = 'fin' | 'reset';

/** Bytes that a lane takes before the sender must wait, as with the buffers of a real link. */
const ROOM = 1024 * 1024;
/** How much a throttled lane may send at once, as a part of a second. */
const BURST = 0.05;

/**
 * One direction of a connection: it may be held, slow or both, and what it takes arrives in order. While it is held it
 * hands on neither bytes nor the end of the stream: as when a network is cut, where TCP sends again what is not
 * acknowledged.
 */
export class Lane {
  private queue: { bytes: Buffer; readonly due: number }[] = [];
  private size = 0;
  private held = false;
  private slowness: Slowness = {};
  private ended: { readonly how: End; readonly due: number } | undefined;
  private passedEnd = false;
  private timer: NodeJS.Timeout | undefined;
  /** Bytes that may pass, where the lane is throttled, and when they were counted. */
  private allowance = 0;
  private countedAt = 0;

  constructor(
    private readonly from: Socket,
    private readonly to: Socket,
  ) {
    to.on('drain', () => this.pump());
    to.on('close', () => clearTimeout(this.timer));
  }

  write(chunk: Buffer): void {
    this.queue.push({ bytes: chunk, due: this.due });
    this.size += chunk.length;
    this.pump();
    if (this.size > ROOM) this.from.pause();
  }

  end(how: End): void {
    if (this.ended !== undefined) return;
    this.ended = { how, due: this.due };
    this.pump();
  }

  hold(): void {
    this.held = true;
  }

  /** Hands on what it held. Returns false if there was something and `deliver` is false: then the stream is broken. */
  release(deliver: boolean): boolean {
    const broken = !deliver && (this.size > 0 || this.ended !== undefined);
    this.held = false;
    if (!broken) this.pump();
    return !broken;
  }

  slow(slowness: Slowness): void {
    this.slowness = slowness;
    this.countedAt = performance.now();
    this.allowance = 0;
    this.pump();
  }

  /** Lets everything through that is on its way, unless the lane is held, then `last`; calls `done` behind that. */
  finish(last: Buffer, done: () => void): void {
    clearTimeout(this.timer);
    this.passedEnd = true;
    const rest = this.held ? [] : [...this.queue.map(({ bytes }) => bytes), last];
    this.queue = [];
    this.to.write(Buffer.concat(rest), done);
  }

  private get due(): number {
    return performance.now() + (this.slowness.latency ?? 0);
  }

  /** Hands on what may pass now, and comes back for the rest. */
  private pump(): void {
    clearTimeout(this.timer);
    if (this.held || this.passedEnd) return;
    for (let first = this.queue[0]; first !== undefined; first = this.queue[0]) {
      if (this.to.writableNeedDrain) return;
      const wait = Math.max(first.due - performance.now(), this.untilAllowed());
      if (wait > 0) return this.later(wait);
      this.pass(first);
    }
    if (this.size <= ROOM) this.from.resume();
    if (this.ended === undefined) return;
    const wait = this.ended.due - performance.now();
    if (wait > 0) return this.later(wait);
    this.passedEnd = true;
    if (this.ended.how === 'fin') this.to.end();
    else reset(this.to);
  }

  private pass(first: { bytes: Buffer }): void {
    const piece = first.bytes.subarray(0, this.slowness.bytesPerSecond === undefined ? undefined : this.allowance);
    this.allowance -= piece.length;
    this.size -= piece.length;
    first.bytes = first.bytes.subarray(piece.length);
    if (first.bytes.length === 0) this.queue.shift();
    this.to.write(piece);
  }

  /** ms until a throttled lane may send at least one byte; counts how many it may. */
  private untilAllowed(): number {
    const { bytesPerSecond } = this.slowness;
    if (bytesPerSecond === undefined) return 0;
    const time = performance.now();
    const earned = Math.floor(((time - this.countedAt) * bytesPerSecond) / 1_000);
    if (earned > 0) this.countedAt = time;
    this.allowance = Math.min(this.allowance + earned, Math.max(1, bytesPerSecond * BURST));
    this.allowance = Math.floor(this.allowance);
    return this.allowance > 0 ? 0 : 1_000 * Math.min(BURST, Math.max(0.002, 1 / bytesPerSecond));
  }

  private later(wait: number): void {
    this.timer = setTimeout(() => this.pump(), Math.ceil(wait));
  }
}
