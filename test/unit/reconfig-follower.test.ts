import { EventEmitter } from 'node:events';
import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { ServerAddress } from '../../src/connection/connect-string.js';
import { type EnsembleConfig, parseEnsembleConfig } from '../../src/ensemble-config.js';
import { NoNodeError, OperationTimeoutError, ProtocolError } from '../../src/errors.js';
import type { ConnectedEvent, OneShotEvent } from '../../src/events.js';
import { clientAddresses, ReconfigFollower } from '../../src/reconfig-follower.js';
import { turn } from './support/fake-network.js';

const at = (host: string, port = 2181): ServerAddress => ({ host, port });

function configOf(...lines: string[]): EnsembleConfig {
  return parseEnsembleConfig([...lines, 'version=100000000'].join('\n'));
}

describe('the addresses for clients', () => {
  it.each<[string, string, ServerAddress]>([
    ['are those of the configuration', 'server.1=a:2888:3888:participant;b:2182', at('b', 2182)],
    ['are those of the host where only a port is given', 'server.1=a:2888:3888:participant;2182', at('a', 2182)],
    ['are those of the host for 0.0.0.0', 'server.1=a:2888:3888:observer;0.0.0.0:2182', at('a', 2182)],
    ['are those of the host for ::', 'server.1=a:2888:3888;[::]:2182', at('a', 2182)],
    ['may be of IPv6', 'server.1=[::1]:2888:3888:participant;[::2]:2182', at('::2', 2182)],
    ['are those of the first of several networks', 'server.1=a:2888:3888|b:2888:3888;2182', at('a', 2182)],
    ['stay as they were where there are none', 'server.1=known:2888:3888:participant', at('known', 2999)],
  ])('%s', (_, line, address) => {
    expect(clientAddresses(configOf(line).servers, [at('known', 2999)])).toEqual([address]);
  });

  it('are left out where nobody knows them', () => {
    const { servers } = configOf('server.1=a:2888:3888:participant', 'server.2=b:2888:3888:participant;2181');
    expect(clientAddresses(servers, [])).toEqual([at('b')]);
  });

  it('keep the port of a client that is encrypted: the configuration has none for it', () => {
    const { servers } = configOf('server.1=a:2888:3888:participant;2181', 'server.2=b:2888:3888:participant');
    expect(clientAddresses(servers, [{ host: 'a', port: 2281, tls: true }])).toEqual([
      { host: 'a', port: 2281, tls: true },
      { host: 'b', port: 2281, tls: true },
    ]);
  });
});

describe('a client that follows the configuration', () => {
  let events: EventEmitter;
  let watch: ((event: OneShotEvent) => void) | undefined;
  const getConfig = jest.fn<(options: { watch: (event: OneShotEvent) => void }) => Promise<EnsembleConfig>>();
  const update = jest.fn<(servers: readonly ServerAddress[]) => void>();

  const [one, two] = ['server.1=a:1:2:participant;2181', 'server.2=b:1:2:participant;2181'] as const;

  beforeEach(() => {
    events = new EventEmitter();
    getConfig.mockReset();
    update.mockReset();
    const client = {
      on: (name: string, listener: (event: ConnectedEvent) => void) => events.on(name, listener),
      getConfig: (options: { watch: (event: OneShotEvent) => void }) => {
        watch = options.watch;
        return getConfig(options);
      },
    };
    new ReconfigFollower(client, [at('a')], update);
  });

  async function connected(resumed = false): Promise<void> {
    events.emit('connected', { resumed });
    await turn();
  }

  async function changed(): Promise<void> {
    watch?.({ type: 'dataChanged', path: '/zookeeper/config', zxid: undefined });
    await turn();
  }

  it('looks in each new session, and whenever the watch fires', async () => {
    getConfig.mockResolvedValueOnce(configOf(one, two)).mockResolvedValueOnce(configOf(two));
    await connected();
    expect(update.mock.calls).toEqual([[[at('a'), at('b')]]]);
    const first = watch;
    await changed();
    expect(update.mock.calls[1]).toEqual([[at('b')]]);
    // One watch, however often it is set.
    expect(watch).toBe(first);
    getConfig.mockResolvedValueOnce(configOf(one));
    await connected(true);
    expect(update).toHaveBeenCalledTimes(2);
    await connected();
    expect(update.mock.calls[2]).toEqual([[at('a')]]);
  });

  it('changes nothing where the servers are those that it has', async () => {
    getConfig.mockResolvedValue(configOf(one));
    await connected();
    await changed();
    expect(update).not.toHaveBeenCalled();
  });

  it('changes nothing where the configuration names no server: it is standalone', async () => {
    getConfig.mockResolvedValue(configOf());
    await connected();
    expect(update).not.toHaveBeenCalled();
  });

  it('does not look when the watch ends with the session', async () => {
    getConfig.mockResolvedValue(configOf(one));
    await connected();
    watch?.({ type: 'ended', reason: 'expired' });
    await turn();
    expect(getConfig).toHaveBeenCalledTimes(1);
  });

  it('looks again on the next connection where it had no answer', async () => {
    getConfig.mockRejectedValueOnce(new OperationTimeoutError('late', {}, false)).mockResolvedValue(configOf(one, two));
    await connected();
    await connected(true);
    expect(update).toHaveBeenCalledTimes(1);
    await connected(true);
    expect(getConfig).toHaveBeenCalledTimes(2);
  });

  it.each<[string, Error]>([
    ['there is no configuration, as before ZooKeeper 3.5', new NoNodeError('none', {})],
    ['it cannot be read', new ProtocolError('nonsense')],
  ])('waits for the next session where %s', async (_, error) => {
    getConfig.mockRejectedValueOnce(error).mockResolvedValue(configOf(one, two));
    await connected();
    await connected(true);
    expect(getConfig).toHaveBeenCalledTimes(1);
    await connected();
    expect(update).toHaveBeenCalledTimes(1);
  });

  it('is not disturbed by servers that are refused', async () => {
    getConfig.mockResolvedValue(configOf(one, two));
    update.mockImplementationOnce(() => {
      throw new Error('refused');
    });
    await connected();
    await changed();
    expect(update).toHaveBeenCalledTimes(2);
  });
});
