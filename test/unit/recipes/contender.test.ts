import { describe, expect, it } from '@jest/globals';
import { Long, type OneShotEvent, type ReadOptions } from 'zookit';
import { Contender } from '../../../recipes/common/contender.js';
import { Wait } from '../../../recipes/common/waiting.js';
import { FakeClient, settle } from './fake-client.js';

/** A server as one who stands second in line sees it. */
class SecondInLine extends FakeClient {
  override session = { attachments: 1 };
  own = '';
  names = ['lock-0000000001'];
  lists = 0;
  readonly #watches = new Map<string, (event: OneShotEvent) => void>();

  create(): Promise<object> {
    const name = `lock-000000000${this.names.length + 1}`;
    this.own = `/line/${name}`;
    this.names = [...this.names, name];
    return Promise.resolve({ path: this.own, zxid: Long.fromInt(2) });
  }

  getChildren(): Promise<string[]> {
    this.lists++;
    return Promise.resolve(this.names);
  }

  getData(path: string, { watch }: ReadOptions): Promise<object> {
    if (watch !== undefined) this.#watches.set(path, watch);
    return Promise.resolve({});
  }

  delete(): Promise<void> {
    return Promise.resolve();
  }

  unwatch(path: string): void {
    this.#watches.delete(path);
  }

  async tell(type: 'deleted' | 'dataChanged', path: string): Promise<void> {
    const watch = this.#watches.get(path);
    this.#watches.delete(path);
    watch?.({ type, path, zxid: Long.ZERO });
    await settle();
  }
}

describe('the second in line', () => {
  const line = { path: '/line', name: 'lock-', markers: ['lock-'], data: null };
  const first = '/line/lock-0000000001';

  const stand = async (): Promise<{ readonly server: SecondInLine; readonly leading: Promise<Contender> }> => {
    const server = new SecondInLine();
    const leading = Contender.lead(server.zk, line, new Wait({}, { operation: 'test', path: '/line' }));
    await settle();
    expect(server.lists).toBe(1);
    return { server, leading };
  };

  it('leads without another look when the first one is gone, while its own znode is watched', async () => {
    const { server, leading } = await stand();
    await server.tell('dataChanged', server.own);
    await server.tell('deleted', first);
    expect([(await leading).path, server.lists]).toEqual([server.own, 1]);
  });

  it('looks again where somebody may have come into its way meanwhile', async () => {
    const server = new SecondInLine();
    const rule = {
      isClosed: false,
      placeOf: (names: readonly string[], own: string) => {
        const before = names.filter((name) => name !== own);
        return { before: before.length, predecessor: before.at(-1) };
      },
    };
    const wait = new Wait({}, { operation: 'test', path: '/line' });
    const leading = Contender.lead(server.zk, { ...line, rule }, wait);
    await settle();
    server.names = ['joined', ...server.names.slice(1)];
    await server.tell('deleted', first);
    expect(server.lists).toBe(2);
    server.names = server.names.slice(1);
    await server.tell('deleted', '/line/joined');
    expect([(await leading).path, server.lists]).toEqual([server.own, 3]);
  });

  it('looks again after a reconnect, as the news may come in any order', async () => {
    const { server } = await stand();
    server.session.attachments++;
    await server.tell('deleted', first);
    expect(server.lists).toBe(2);
  });

  it('lines up again when it is told that its own znode is gone', async () => {
    const { server } = await stand();
    const { own } = server;
    server.names = ['lock-0000000001', 'somebody else'];
    await server.tell('deleted', own);
    expect(server.own).toBe('/line/lock-0000000003');
  });

  it('lines up again in another session', async () => {
    const { server } = await stand();
    server.session = { attachments: 1 };
    await server.tell('deleted', first);
    expect(server.own).toBe('/line/lock-0000000003');
  });
});
