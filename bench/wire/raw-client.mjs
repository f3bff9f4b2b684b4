// What a Node process can do at most: ready frames are written, replies are counted, nobody looks into them.
import { connect } from 'node:net';
import { boolean, buffer, frame, int, long } from './jute.mjs';

/** Bytes of frames that are kept ready in a row. */
const READY = 1024 * 1024;

const readInt = (bytes, at) => (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];

/** ConnectRequest of a new session of 60 s: nobody pings for it while others have their turn. */
const connectRequest = frame(int(0), long(0), int(60_000), long(0), buffer(Buffer.alloc(16)), boolean(false));

export class RawClient {
  /** Frames that came back so far. */
  replies = 0;
  #socket;
  /** Copies of the unit that is repeated, how long it is, and how many frames come back for it. */
  #ready;
  #unitLength = 1;
  #repliesOfUnit = 1;
  #together;
  /** Bytes up to the end of the reply that is under way, and the part of its length that has come. */
  #toSkip = 0;
  #head = Buffer.alloc(4);
  #headBytes = 0;
  #running = false;
  #ended = { resolve: () => undefined, reject: () => undefined };
  /** What is asked one after the other, in a cycle, and which of it is under way. */
  #steps = [];
  #step = 0;
  /** Frames that are still to come, and those that came but do not make up a unit. */
  #outstanding = 0;
  #loose = 0;

  constructor(socket, together) {
    this.#socket = socket;
    this.#together = together;
  }

  /** `together`: whether ready frames are written in one piece, or each by a call of its own, corked. */
  static async connect(port, together = true) {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await new Promise((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    const client = new RawClient(socket, together);
    socket.on('data', (chunk) => client.#count(chunk));
    socket.on('error', (error) => client.#ended.reject(error));
    socket.on('close', () => client.#ended.reject(new Error('the server has closed the connection')));
    const attached = client.run(connectRequest, 1, 1);
    client.stop();
    await attached;
    return client;
  }

  /** Keeps `window` units of one or more frames under way, each answered by as many as `repliesOfUnit`, until `stop`. */
  run(unit, repliesOfUnit, window) {
    const copies = Math.min(window, Math.max(1, Math.floor(READY / unit.length)));
    this.#ready = Buffer.concat(Array.from({ length: copies }, () => unit));
    this.#unitLength = unit.length;
    this.#repliesOfUnit = repliesOfUnit;
    this.#loose = 0;
    this.#steps = [];
    const ended = this.#begin();
    this.#write(window);
    return ended;
  }

  /** Asks for one step after the other, each when all replies to the one before have come, until `stop`. */
  cycle(steps) {
    this.#steps = steps;
    this.#step = 0;
    const ended = this.#begin();
    this.#take();
    return ended;
  }

  #begin() {
    this.#running = true;
    return new Promise((resolve, reject) => (this.#ended = { resolve, reject }));
  }

  #take() {
    const { unit, replies } = this.#steps[this.#step];
    this.#step = (this.#step + 1) % this.#steps.length;
    this.#outstanding = replies;
    this.#socket.write(unit);
  }

  /** Writes no more; what `run` returned resolves with the last reply. */
  stop() {
    this.#running = false;
  }

  end() {
    this.#socket.destroy();
  }

  #write(units) {
    this.#outstanding += units * this.#repliesOfUnit;
    if (!this.#together) {
      this.#socket.cork();
      for (let unit = 0; unit < units; unit++) this.#socket.write(this.#ready.subarray(0, this.#unitLength));
      this.#socket.uncork();
      return;
    }
    for (let bytes = units * this.#unitLength; bytes > 0;) {
      const part = bytes >= this.#ready.length ? this.#ready : this.#ready.subarray(0, bytes);
      this.#socket.write(part);
      bytes -= part.length;
    }
  }

  #count(chunk) {
    let found = 0;
    let at = 0;
    const end = chunk.length;
    if (this.#toSkip > 0) {
      at = Math.min(this.#toSkip, end);
      this.#toSkip -= at;
      if (this.#toSkip === 0) found++;
    }
    while (at < end) {
      let length;
      if (this.#headBytes === 0 && end - at >= 4) {
        length = readInt(chunk, at);
        at += 4;
      } else {
        const taken = chunk.copy(this.#head, this.#headBytes, at, Math.min(end, at + 4 - this.#headBytes));
        this.#headBytes += taken;
        at += taken;
        if (this.#headBytes < 4) break;
        this.#headBytes = 0;
        length = readInt(this.#head, 0);
      }
      at += length;
      if (at <= end) found++;
      else this.#toSkip = at - end;
    }
    if (found > 0) this.#answered(found);
  }

  #answered(found) {
    this.replies += found;
    this.#outstanding -= found;
    if (this.#steps.length > 0) {
      if (this.#outstanding > 0) return;
      if (this.#running || this.#step > 0) this.#take();
      else this.#ended.resolve();
    } else if (this.#running) {
      const units = Math.floor((this.#loose + found) / this.#repliesOfUnit);
      this.#loose += found - units * this.#repliesOfUnit;
      if (units > 0) this.#write(units);
    } else if (this.#outstanding === 0) this.#ended.resolve();
  }
}
