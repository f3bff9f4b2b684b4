// A server that answers at once: no tree, no state, ready replies. It is there so that the client is the limit. Run in a
// process of its own; prints its port, and ends with its standard input.
import { createServer } from 'node:net';
import { frame, int, long, OpCode } from './jute.mjs';
import { Outbox } from './outbox.mjs';
import { connected, NOTIFICATION_HEADER, replyTo } from './stand-in-replies.mjs';

/** The bytes of a request that are looked at: its header, and its path, which is shorter than the rest of them. */
const LOOKED_AT = 128;

const WATCHED = 'w'.charCodeAt(0);

const readInt = (bytes, at) => (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];

class Conversation {
  #outbox;
  #attached = false;
  /** The beginning of a request that came in parts. */
  #rest = undefined;
  /** What is still to come of a long request, which is answered after that. */
  #toSkip = 0;
  #afterSkip = undefined;

  constructor(socket) {
    this.#outbox = new Outbox(socket);
    socket.setNoDelay(true);
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => {
      socket.cork();
      this.#read(chunk);
      this.#outbox.flush();
      socket.uncork();
    });
  }

  #read(chunk) {
    const bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    this.#rest = undefined;
    let at = 0;
    if (this.#toSkip > 0) {
      at = Math.min(this.#toSkip, bytes.length);
      this.#toSkip -= at;
      if (this.#toSkip > 0) return;
      this.#answer(this.#afterSkip, 0);
    }
    while (at < bytes.length) {
      const left = bytes.length - at;
      const length = left < 4 ? LOOKED_AT : readInt(bytes, at) + 4;
      if (left < length && left < LOOKED_AT) {
        this.#rest = Buffer.from(bytes.subarray(at));
        return;
      }
      if (left < length) {
        this.#afterSkip = Buffer.from(bytes.subarray(at, at + LOOKED_AT));
        this.#toSkip = length - left;
        return;
      }
      this.#answer(bytes, at);
      at += length;
    }
  }

  #answer(bytes, at) {
    if (!this.#attached) {
      this.#attached = true;
      this.#outbox.addOwn(connected);
      return;
    }
    const xid = readInt(bytes, at + 4);
    const opCode = readInt(bytes, at + 8);
    if (opCode === OpCode.multi || opCode === OpCode.ping || opCode === OpCode.closeSession) {
      this.#outbox.add(replyTo(opCode, 0), xid);
      return;
    }
    const pathEnd = at + 16 + readInt(bytes, at + 12);
    const lastByte = bytes[pathEnd - 1];
    if (opCode === OpCode.create || opCode === OpCode.create2) {
      this.#outbox.addOwn(frame(int(xid), long(1), int(0), bytes.subarray(at + 12, pathEnd)));
      return;
    }
    // Who writes such a znode has a watch on it.
    if (opCode === OpCode.setData && lastByte === WATCHED)
      this.#outbox.addOwn(frame(NOTIFICATION_HEADER, bytes.subarray(at + 12, pathEnd)));
    this.#outbox.add(replyTo(opCode, lastByte), xid);
  }
}

const server = createServer((socket) => new Conversation(socket));
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
process.stdin.on('end', () => process.exit(0)).resume();
