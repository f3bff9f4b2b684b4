/** What the tests of this folder share: Curator and kazoo beside a client of ours, in a part of the tree of their own. */
import { afterAll } from '@jest/globals';
import type { ZooKeeper } from 'zookit';
import { type Clients, useClients } from '../server/clients.js';
import { sharedServer } from '../support/shared.js';
import { type CuratorKind, type KazooKind, Peer, type PeerOptions } from './peer.js';

export class Peers {
  private readonly started: AsyncDisposable[] = [];
  private curator_: Peer<CuratorKind> | undefined;
  private kazoo_: Peer<KazooKind> | undefined;

  constructor(private readonly clients: Clients) {}

  get zk(): ZooKeeper {
    return this.clients.zk;
  }

  /** The Curator of this test file, started when it is first asked for. */
  get curator(): Peer<CuratorKind> {
    return (this.curator_ ??= this.anotherCurator());
  }

  /** The kazoo of this test file, started when it is first asked for. */
  get kazoo(): Peer<KazooKind> {
    return (this.kazoo_ ??= this.keep(Peer.kazoo(this.servers)));
  }

  /** One more process, with a session of its own. */
  anotherCurator(options?: PeerOptions): Peer<CuratorKind> {
    return this.keep(Peer.curator(this.servers, options));
  }

  anotherKazoo(options?: PeerOptions): Peer<KazooKind> {
    return this.keep(Peer.kazoo(this.servers, options));
  }

  /** A client of ours with a session of its own. */
  another(): Promise<ZooKeeper> {
    return this.clients.another();
  }

  async close(): Promise<void> {
    await Promise.all(this.started.map((peer) => peer[Symbol.asyncDispose]()));
  }

  private get servers(): string {
    return sharedServer().connectString + this.clients.chroot;
  }

  private keep<P extends AsyncDisposable>(peer: P): P {
    this.started.push(peer);
    return peer;
  }
}

/** Peers for the tests of one file. They see what the client sees. */
export function usePeers(): Peers {
  // Jest runs what is to be done afterwards in the order in which it was told.
  afterAll(() => peers.close());
  const peers = new Peers(useClients());
  return peers;
}
