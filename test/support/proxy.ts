import { createServer, type Server } from 'node:net';
import { freePort } from './ports.cjs';
import { type LaneName, ProxyConnection, type ProxyRequest, type Verdict } from './proxy-connection.js';
import type { Slowness } from './proxy-lane.js';
import { gate, within, type Gate } from './until.js';

export { connectOpCode, type ProxyRequest } from './proxy-connection.js';

export interface ProxyTarget {
  readonly host: string;
  readonly port: number;
}

export type RequestPredicate = (request: ProxyRequest) => boolean;

/** Something to lose, once, as a whole or from its middle on: the next request that matches, or the reply to it. */
interface Loss {
  readonly what: 'request' | 'reply';
  readonly verdict: Verdict;
  readonly matches: RequestPredicate;
  readonly done: Gate<ProxyRequest>;
  request?: ProxyRequest;
}

/**
 * A TCP proxy between a client and a server, with the faults of a network. It reads the frames that pass, so it can
 * tell what was asked and lose one certain request or reply. Streams that are not ZooKeeper's pass as they are.
 */
export class Proxy {
  /** Every request that came from a client, in order, those that were lost included. Set its length to 0 to forget. */
  readonly requests: ProxyRequest[] = [];

  private readonly live = new Set<ProxyConnection>();
  private readonly held = new Set<LaneName>();
  private readonly listeners = new Set<(request: ProxyRequest) => void>();
  private slowness: Slowness = {};
  private losses: Loss[] = [];
  private accepted = 0;

  private constructor(
    private readonly server: Server,
    readonly host: string,
    readonly port: number,
    private target: ProxyTarget,
  ) {
    server.on('connection', (socket) => {
      const connection = new ProxyConnection(++this.accepted, socket, this.target, {
        request: (request) => this.onRequestFrame(request),
        reply: (request) => this.onReplyFrame(request),
        closed: () => this.live.delete(connection),
      });
      this.live.add(connection);
      connection.slow(this.slowness);
      for (const lane of this.held) connection.hold(lane);
    });
  }

  /** Use `startProxy`. */
  static async start(target: ProxyTarget, { host, port }: ProxyTarget): Promise<Proxy> {
    // A client's half-close passes through as it is; so the server's answer to it can come back.
    const server = createServer({ allowHalfOpen: true });
    await listen(server, port, host);
    return new Proxy(server, host, port, target);
  }

  get connectString(): string {
    return `${this.host}:${this.port}`;
  }

  /** Clients' connections that are open now. */
  get connections(): number {
    return [...this.live].filter((connection) => connection.open).length;
  }

  /** Connections that were ever accepted. */
  get totalConnections(): number {
    return this.accepted;
  }

  /** Where connections accepted from now on go. */
  setTarget(host: string, port: number): void {
    this.target = { host, port };
  }

  /** New connections are refused (ECONNREFUSED); those that are open stay. */
  refuse(): void {
    this.server.close();
  }

  /** Ends a `refuse`. */
  async accept(): Promise<void> {
    if (!this.server.listening) await listen(this.server, this.port, this.host);
  }

  /**
   * Silence in both directions, for open connections and new ones: each side still believes in the connection, and
   * nothing arrives, not even its end. As in a network that is cut, what is sent is not lost but late: see `heal`.
   */
  cut(): void {
    this.cutToServer();
    this.cutToClient();
  }

  /** Silence towards the server only: requests are held back, replies and events still arrive. */
  cutToServer(): void {
    this.hold('toServer');
  }

  /** Silence towards the client only: the server receives requests and acts on them, its replies are held back. */
  cutToClient(): void {
    this.hold('toClient');
  }

  /**
   * Ends all cuts. What was held back is delivered, as TCP would; with `deliver: false` it is lost, and a connection
   * on which something was held back is reset.
   */
  heal({ deliver = true }: { deliver?: boolean } = {}): void {
    for (const lane of [...this.held]) this.release(lane, deliver);
  }

  /** Holds back what the server sends, until `releaseReplies`. */
  holdReplies(): void {
    this.cutToClient();
  }

  /** Sends on, in one go, what `holdReplies` or `cutToClient` held back. */
  releaseReplies(): void {
    this.release('toClient', true);
  }

  /** Makes the link slow, for open connections and new ones, until it is told otherwise: `slow({})` ends it. */
  slow(slowness: Slowness): void {
    this.slowness = slowness;
    for (const connection of this.live) connection.slow(slowness);
  }

  /** Resets (RST) every open connection. What is held back on them is lost. */
  resetAll(): void {
    for (const connection of [...this.live]) connection.reset();
  }

  /**
   * Lets the next matching request through to the server, and resets the client's connection instead of handing on the
   * reply: the server has acted, and the client cannot know. Resolves with the request when that has happened.
   */
  swallowNextReply(matches: RequestPredicate = () => true): Promise<ProxyRequest> {
    return this.lose('reply', 'lose', matches);
  }

  /** Resets the client's connection instead of handing on the next matching request: the server never sees it. */
  swallowNextRequest(matches: RequestPredicate = () => true): Promise<ProxyRequest> {
    return this.lose('request', 'lose', matches);
  }

  /** As `swallowNextReply`, after the first half of the reply: the client is left with a part of a frame. */
  cutNextReply(matches: RequestPredicate = () => true): Promise<ProxyRequest> {
    return this.lose('reply', 'halve', matches);
  }

  /** As `swallowNextRequest`, after the first half of the request: the server gets a part of a frame, then the end. */
  cutNextRequest(matches: RequestPredicate = () => true): Promise<ProxyRequest> {
    return this.lose('request', 'halve', matches);
  }

  /** Calls `listener` with each request as it passes. Returns the function that ends this. */
  onRequest(listener: (request: ProxyRequest) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** The first request that matches, of those in `requests` and those to come. Rejects after `timeout` ms. */
  async seen(matches: RequestPredicate, { timeout = 10_000 }: { timeout?: number } = {}): Promise<ProxyRequest> {
    const past = this.requests.find(matches);
    if (past !== undefined) return past;
    const arrived = gate<ProxyRequest>();
    const ignore = this.onRequest((request) => {
      if (matches(request)) arrived.open(request);
    });
    try {
      return await within(arrived.promise, { what: 'a request at the proxy', timeout });
    } finally {
      ignore();
    }
  }

  /** Ends the proxy and all of its connections. */
  async close(): Promise<void> {
    this.resetAll();
    await new Promise((resolve) => this.server.close(resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  private hold(lane: LaneName): void {
    this.held.add(lane);
    for (const connection of this.live) connection.hold(lane);
  }

  private release(lane: LaneName, deliver: boolean): void {
    this.held.delete(lane);
    for (const connection of [...this.live]) connection.release(lane, deliver);
  }

  private lose(what: Loss['what'], verdict: Verdict, matches: RequestPredicate): Promise<ProxyRequest> {
    const done = gate<ProxyRequest>();
    this.losses.push({ what, verdict, matches, done });
    return done.promise;
  }

  private onRequestFrame(request: ProxyRequest): Verdict {
    this.requests.push(request);
    for (const listener of this.listeners) listener(request);
    const loss = this.losses.find((candidate) => candidate.request === undefined && candidate.matches(request));
    if (loss === undefined) return 'pass';
    loss.request = request;
    if (loss.what === 'reply') return 'pass';
    return this.fulfil(loss, request);
  }

  private onReplyFrame(request: ProxyRequest | undefined): Verdict {
    if (request === undefined) return 'pass';
    const loss = this.losses.find((candidate) => candidate.request === request);
    return loss === undefined ? 'pass' : this.fulfil(loss, request);
  }

  private fulfil(loss: Loss, request: ProxyRequest): Verdict {
    this.losses = this.losses.filter((other) => other !== loss);
    loss.done.open(request);
    return loss.verdict;
  }
}

/**
 * Starts a proxy in front of `target`, for example a `ZooKeeperServer`, on a free port of 127.0.0.1; or where it is
 * told, for example on the same port of 127.0.0.2.
 */
export async function startProxy(target: ProxyTarget, at: Partial<ProxyTarget> = {}): Promise<Proxy> {
  const { host = '127.0.0.1', port = await freePort() } = at;
  return Proxy.start({ host: target.host, port: target.port }, { host, port });
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
