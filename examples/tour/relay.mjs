// Passes bytes on between clients and a server, until it is told to cut the line.
import { connect, createServer } from 'node:net';

export class Relay {
  static async open(target) {
    const at = target.lastIndexOf(':');
    const relay = new Relay(target.slice(0, at), Number(target.slice(at + 1)));
    await new Promise((resolve) => relay.#server.listen(0, '127.0.0.1', resolve));
    return relay;
  }

  #server;
  #sockets = new Set();
  #isCut = false;

  constructor(host, port) {
    this.#server = createServer((client) => {
      if (this.#isCut) {
        client.destroy();
        return;
      }
      const server = connect({ host, port });
      for (const [from, to] of [
        [client, server],
        [server, client],
      ]) {
        this.#sockets.add(from);
        from.pipe(to);
        from.on('error', () => to.destroy());
        from.on('close', () => {
          this.#sockets.delete(from);
          to.destroy();
        });
      }
    });
  }

  get connectString() {
    return `127.0.0.1:${this.#server.address().port}`;
  }

  /** Cuts all connections, and every new one at once. */
  cut() {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Lets new connections through again. */
  mend() {
    this.#isCut = false;
  }

  async close() {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
