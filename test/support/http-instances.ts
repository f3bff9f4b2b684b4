/** Real HTTP servers on 127.0.0.1, registered as instances of services. */
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer, type ServerOptions } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { RegisteredService, ServiceRegistration, ServiceRegistry } from 'zookit/recipes';
import { nextEvent } from './until.js';

export type Handler = (request: IncomingMessage, response: ServerResponse, instance: HttpInstance) => void;

export interface HttpInstanceOptions extends Partial<Omit<ServiceRegistration, 'id'>> {
  readonly handler?: Handler;
  /** With it, the instance has an sslPort and no port. */
  readonly tls?: ServerOptions;
}

/** What an instance answers unless told otherwise: its id. */
export const sayId: Handler = (_, response, { id }) => void response.end(id);

export class HttpInstance implements AsyncDisposable {
  /** What was asked: `GET /path`. */
  readonly requests: string[] = [];
  /** The Host headers of it. */
  readonly hosts: (string | undefined)[] = [];
  /** How many connections were made. */
  connections = 0;
  private readonly sockets = new Set<Socket>();
  private registered: RegisteredService | undefined;

  private constructor(
    readonly id: string,
    private readonly server: Server,
    private readonly handler: Handler,
  ) {
    // A connection that ends by itself just when it is used again would be a failure of the test.
    server.keepAliveTimeout = 120_000;
    server.on('request', ((request, response) => {
      this.requests.push(`${request.method} ${request.url}`);
      this.hosts.push(request.headers.host);
      this.handler(request, response, this);
    }) satisfies RequestListener);
    server.on('connection', (socket: Socket) => {
      this.connections++;
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket)).on('error', () => undefined);
    });
  }

  /** Listens, and is registered as an instance of `pricing` when this resolves. */
  static async start(
    registry: ServiceRegistry,
    id: string,
    { handler = sayId, tls, ...registration }: HttpInstanceOptions = {},
  ): Promise<HttpInstance> {
    const server = tls === undefined ? createServer() : createSecureServer(tls);
    const instance = new HttpInstance(id, server, handler);
    server.listen(0, '127.0.0.1');
    await nextEvent(server, 'listening');
    const port = tls === undefined ? { port: instance.port } : { sslPort: instance.port };
    const service = { name: 'pricing', address: '127.0.0.1', id, ...port, ...registration };
    instance.registered = await registry.register(service, { timeout: 20_000 });
    return instance;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get service(): RegisteredService {
    if (this.registered === undefined) throw new Error('it is not registered yet');
    return this.registered;
  }

  /** How many requests it has seen. */
  get calls(): number {
    return this.requests.length;
  }

  /** As when its process is killed: all connections are reset and none is taken any more. It stays registered. */
  async kill(): Promise<void> {
    const closed = this.server.listening ? nextEvent(this.server, 'close') : undefined;
    this.server.close();
    // Node cannot reset what it has begun to end, and would never end itself.
    for (const socket of this.sockets)
      if (socket.writableEnded) socket.destroy();
      else socket.resetAndDestroy();
    await closed;
  }

  /** As a process ends that has drained: it takes no connections any more, and ends when its requests have. */
  async stop(): Promise<void> {
    const closed = nextEvent(this.server, 'close', { timeout: 30_000 });
    this.server.close();
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await this.registered?.unregister();
  }
}
