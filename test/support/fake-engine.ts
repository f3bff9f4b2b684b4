/** A Docker engine that answers what a test says: for what a real one cannot be made to do. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

/** What `GET /containers/ID/json` answers, in as far as a test says something else than this. */
export interface FakeContainer {
  readonly labels: Readonly<Record<string, string>>;
  readonly running?: boolean;
  readonly paused?: boolean;
  readonly health?: 'starting' | 'healthy' | 'unhealthy';
  readonly networks?: Readonly<Record<string, string>>;
  readonly stopSignal?: string;
  readonly networkMode?: string;
  readonly exposed?: readonly string[];
  readonly ports?: Readonly<Record<string, readonly { HostIp: string; HostPort: string }[] | null>>;
}

/** The answer of an engine of version 20.10, shortened. */
export function inspected(id: string, container: FakeContainer): object {
  const { labels, running = true, paused = false, health, networks = { front: '10.0.1.5' } } = container;
  const attached = Object.entries(networks).map(([name, address]): [string, object] => [
    name,
    { NetworkID: `${name}-id`, IPAddress: address, GlobalIPv6Address: '', Gateway: '', Aliases: null },
  ]);
  return {
    Id: id,
    Name: `/${id}-name`,
    State: {
      Status: running ? 'running' : 'exited',
      Running: running,
      Paused: paused,
      StartedAt: '2026-03-01T10:00:00.123456789Z',
      ...(health === undefined ? {} : { Health: { Status: health, FailingStreak: 0 } }),
    },
    HostConfig: { NetworkMode: container.networkMode ?? 'front' },
    Config: {
      Labels: labels,
      ExposedPorts: Object.fromEntries((container.exposed ?? []).map((port) => [port, {}] as const)),
      ...(container.stopSignal !== undefined && { StopSignal: container.stopSignal }),
    },
    NetworkSettings: { Ports: container.ports ?? {}, Networks: Object.fromEntries(attached) },
  };
}

type Answer = object | readonly object[] | { readonly status: number; readonly text: string };

export class FakeEngine {
  readonly containers = new Map<string, FakeContainer>();
  readonly nodes: object[] = [];
  readonly services: object[] = [];
  networks: object[] = [
    { Id: 'front-id', Name: 'front', Driver: 'overlay', Ingress: false },
    { Id: 'back-id', Name: 'back', Driver: 'overlay', Ingress: false },
    { Id: 'ingress-id', Name: 'ingress', Driver: 'overlay', Ingress: true },
    { Id: 'bridge-id', Name: 'bridge', Driver: 'bridge', Ingress: false },
  ];
  isManager = false;
  node = 'node-1';
  /** Every path that was asked for. */
  readonly asked: string[] = [];
  /** Held back answers: what is asked waits until the test lets it go. */
  hold: Promise<void> | undefined;
  private readonly streams = new Set<ServerResponse>();
  private clock = Date.now() * 1_000_000;
  private server: Server;
  private port = 0;

  private constructor() {
    this.server = this.makeServer();
  }

  static async start(): Promise<FakeEngine> {
    const engine = new FakeEngine();
    await engine.listen();
    return engine;
  }

  get url(): string {
    return `tcp://127.0.0.1:${this.port}`;
  }

  /** When the last event was, seconds since 1970 by its clock. */
  get lastEvent(): number {
    return this.clock / 1e9;
  }

  /** How many follow the events now. */
  get followers(): number {
    return this.streams.size;
  }

  /** Tells all who follow of an event. */
  emit(type: string, action: string, id: string, attributes: Readonly<Record<string, string>> = {}): void {
    this.clock += 1_000_000;
    const labels = this.containers.get(id)?.labels ?? {};
    const event = { Type: type, Action: action, Actor: { ID: id, Attributes: { ...labels, ...attributes } } };
    this.write(`${JSON.stringify({ ...event, time: Math.floor(this.clock / 1e9), timeNano: this.clock })}\n`);
  }

  /** Writes to all streams of events as it is. */
  write(text: string): void {
    for (const stream of this.streams) stream.write(text);
  }

  /** Breaks off all streams of events. */
  cut(): void {
    for (const stream of this.streams) stream.destroy();
  }

  /** Ends, as an engine that is stopped. `listen` starts it again, at the same port. */
  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  async listen(): Promise<void> {
    this.server = this.makeServer();
    this.server.listen(this.port, '127.0.0.1');
    await once(this.server, 'listening');
    this.port = (this.server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.server.listening) await this.stop();
  }

  private makeServer(): Server {
    return createServer((request, response) => void this.answer(request, response));
  }

  private async answer({ url = '' }: IncomingMessage, response: ServerResponse): Promise<void> {
    this.asked.push(url);
    const path = url.replace(/^\/v1\.\d+/, '').replace(/\?.*$/, '');
    if (path === '/_ping') {
      response.setHeader('api-version', '1.41').end('OK');
    } else if (path === '/events') {
      this.streams.add(response);
      response.on('close', () => this.streams.delete(response));
      response.writeHead(200, { 'content-type': 'application/json' });
      response.flushHeaders();
    } else {
      // What is true when it is asked.
      const answer = this.find(path);
      await this.hold;
      if ('status' in answer && 'text' in answer) response.writeHead(answer.status).end(answer.text);
      else response.end(JSON.stringify(answer));
    }
  }

  private find(path: string): Answer {
    const unknown = { status: 404, text: '{"message":"no such thing"}' };
    const id = /^\/containers\/([^/]+)\/json$/.exec(path)?.[1];
    if (id !== undefined) {
      const container = this.containers.get(id);
      return container === undefined ? unknown : inspected(id, container);
    }
    if (path === '/containers/json')
      return [...this.containers]
        .filter(([, { running = true }]) => running)
        .map(([Id, { labels }]) => ({ Id, Labels: labels }));
    if (path === '/networks') return this.networks;
    if (path === '/info') return this.info();
    if (path !== '/nodes' && path !== '/services') return unknown;
    if (!this.isManager) return { status: 503, text: '{"message":"This node is not a swarm manager."}' };
    return path === '/nodes' ? this.nodes : this.services;
  }

  private info(): object {
    const Swarm = { NodeID: this.node, NodeAddr: '192.0.2.7', ControlAvailable: this.isManager };
    return { ID: 'ENGINE', Name: 'host-1', SystemTime: '2026-03-01T10:00:00.5Z', Labels: ['zookit.zone=north'], Swarm };
  }
}
