import { connect, type Socket } from 'node:net';
import { FrameSplitter } from './frames.js';
import { Lane, type Slowness } from './proxy-lane.js';
import { reset } from './reset.js';

/** A request that passed the proxy. */
export interface ProxyRequest {
  /** Which of the proxy's connections it came on, counted from 1. */
  readonly connection: number;
  /** The op code; of the first frame of a connection, `connectOpCode`. */
  readonly opCode: number;
  /** 0 for the first frame of a connection. */
  readonly xid: number;
  /** Bytes of the frame, without the length prefix. */
  readonly length: number;
  /** What follows the header; of the first frame, all of it. */
  readonly body: Buffer;
}

/** Stands for the op code of the connect request, which has no header: ZooKeeper's own code for createSession. */
export const connectOpCode = -10;

/** What becomes of a frame: `halve` hands on its first half. What is not passed ends the connection. */
export type Verdict = 'pass' | 'lose' | 'halve';

/** A direction. */
export type LaneName = 'toServer' | 'toClient';

export interface ConnectionHooks {
  request(request: ProxyRequest): Verdict;
  /** `request` is undefined for notifications, and for replies to nothing that was seen. */
  reply(request: ProxyRequest | undefined): Verdict;
  closed(): void;
}

const nothing = Buffer.alloc(0);

/** One client's connection and the one to the server that belongs to it. */
export class ProxyConnection {
  private readonly upstream: Socket;
  private readonly toServer: Lane;
  private readonly toClient: Lane;
  private readonly pending: ProxyRequest[] = [];
  private requestCount = 0;
  private replyCount = 0;
  private lost = false;

  constructor(
    readonly id: number,
    private readonly client: Socket,
    target: { host: string; port: number },
    private readonly hooks: ConnectionHooks,
  ) {
    this.upstream = connect(target).setNoDelay();
    this.toServer = new Lane(client, this.upstream);
    this.toClient = new Lane(this.upstream, client.setNoDelay());
    this.relay(client, this.toServer, (piece) => this.judgeRequest(piece));
    this.relay(this.upstream, this.toClient, (piece) => this.judgeReply(piece));
  }

  /** Whether the client still has its end of the connection. */
  get open(): boolean {
    return !this.client.closed && !this.client.readableEnded;
  }

  hold(lane: LaneName): void {
    this[lane].hold();
  }

  slow(slowness: Slowness): void {
    this.toServer.slow(slowness);
    this.toClient.slow(slowness);
  }

  release(lane: LaneName, deliver: boolean): void {
    if (!this[lane].release(deliver)) this.reset();
  }

  /** RST to both sides. What is held back is lost. */
  reset(): void {
    reset(this.client);
    reset(this.upstream);
  }

  private relay(from: Socket, lane: Lane, judge: (piece: Buffer) => Verdict): void {
    const splitter = new FrameSplitter();
    from.on('data', (chunk: Buffer) => {
      for (const piece of splitter.push(chunk)) {
        if (this.lost) return;
        const verdict = splitter.raw ? 'pass' : judge(piece);
        if (verdict === 'pass') lane.write(piece);
        else this.endHere(lane, verdict === 'halve' ? piece.subarray(0, piece.length / 2) : nothing);
      }
    });
    from.on('end', () => lane.end('fin'));
    from.on('error', () => lane.end('reset'));
    from.on('close', () => {
      lane.end('fin');
      if (this.client.closed && this.upstream.closed) this.hooks.closed();
    });
  }

  /**
   * Ends the connection: all that came before arrives, then `last`, and nothing more. (A Node client reports an RST
   * that comes right behind data as a plain end of the stream.)
   */
  private endHere(lane: Lane, last: Buffer): void {
    this.lost = true;
    this.toClient.finish(lane === this.toClient ? last : nothing, () => reset(this.client));
    this.toServer.finish(lane === this.toServer ? last : nothing, () => this.upstream.end());
  }

  private judgeRequest(piece: Buffer): Verdict {
    const first = this.requestCount++ === 0;
    const request: ProxyRequest = {
      connection: this.id,
      xid: first ? 0 : piece.readInt32BE(4),
      opCode: first ? connectOpCode : piece.readInt32BE(8),
      length: piece.length - 4,
      body: Buffer.from(piece.subarray(first ? 4 : 12)),
    };
    this.pending.push(request);
    return this.hooks.request(request);
  }

  private judgeReply(piece: Buffer): Verdict {
    const xid = this.replyCount++ === 0 ? 0 : piece.readInt32BE(4);
    const index = this.pending.findIndex((request) => request.xid === xid);
    const [request] = index === -1 ? [] : this.pending.splice(index, 1);
    return this.hooks.reply(request);
  }
}
