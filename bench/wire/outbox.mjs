// The replies of one connection: gathered in blocks that hold copies of one ready reply already, so that a reply costs
// the writing of four bytes; written once for each chunk of requests.
import { XID_OFFSET } from './stand-in-replies.mjs';

const BLOCK = 128 * 1024;

/** Replies above this are written from where they are. */
const COPIED = 32 * 1024;

/** A block is used again once it is written. */
const spare = new Map();

function prefilled(reply) {
  const free = spare.get(reply)?.pop();
  if (free !== undefined) return free;
  const block = Buffer.allocUnsafeSlow(BLOCK);
  const fits = Math.floor(BLOCK / reply.length);
  for (let index = 0; index < fits; index++) reply.copy(block, index * reply.length);
  return block;
}

function giveBack(reply, block) {
  const free = spare.get(reply);
  if (free === undefined) spare.set(reply, [block]);
  else free.push(block);
}

export class Outbox {
  #socket;
  #reply;
  #block;
  #used = 0;

  constructor(socket) {
    this.#socket = socket;
  }

  /** A ready reply, with the xid that is asked for. */
  add(reply, xid) {
    if (reply.length > COPIED) {
      this.#addLarge(reply, xid);
      return;
    }
    if (reply !== this.#reply || this.#used + reply.length > BLOCK) {
      this.flush();
      this.#reply = reply;
      this.#block = prefilled(reply);
    }
    const at = this.#used + XID_OFFSET;
    const block = this.#block;
    block[at] = xid >>> 24;
    block[at + 1] = xid >>> 16;
    block[at + 2] = xid >>> 8;
    block[at + 3] = xid;
    this.#used += reply.length;
  }

  /** A frame that was made for this one request. */
  addOwn(frame) {
    this.flush();
    this.#socket.write(frame);
  }

  #addLarge(reply, xid) {
    this.flush();
    const head = Buffer.from(reply.subarray(0, XID_OFFSET + 4));
    head.writeInt32BE(xid, XID_OFFSET);
    this.#socket.write(head);
    this.#socket.write(reply.subarray(XID_OFFSET + 4));
  }

  flush() {
    if (this.#used === 0) return;
    const [reply, block] = [this.#reply, this.#block];
    this.#socket.write(block.subarray(0, this.#used), () => giveBack(reply, block));
    this.#reply = undefined;
    this.#used = 0;
  }
}
