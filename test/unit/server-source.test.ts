import { describe, expect, it } from '@jest/globals';
import { InvalidConnectStringError } from '../../src/connection/connect-string.js';
import type { HostProvider } from '../../src/connection/host-provider.js';
import { InvalidArgumentError, InvalidPathError } from '../../src/errors.js';
import { resolveOptions } from '../../src/options.js';
import { readSource, readUpdate } from '../../src/server-source.js';

const provider: HostProvider = { servers: () => [{ host: 'zk', port: 2181 }] };
const options = resolveOptions();

describe('what a client is told to connect to', () => {
  it('is a list of servers', () => {
    const { hosts, chroot } = readSource('zk1,tcp+tls://zk2:2281/app', options);
    expect([hosts, chroot.prefix]).toEqual([
      [
        { host: 'zk1', port: 2181 },
        { host: 'zk2', port: 2281, tls: true },
      ],
      '/app',
    ]);
  });

  it('is the name of SRV records, which are looked up by the resolver that was given', async () => {
    const resolveSrv = (name: string) => Promise.resolve([{ name: `from-${name}`, port: 1, priority: 0, weight: 0 }]);
    const { hosts, chroot } = readSource('dns-srv://zk.example.com/app', resolveOptions({ resolveSrv }));
    expect(chroot.prefix).toBe('/app');
    expect(await (hosts as HostProvider).servers(new AbortController().signal)).toEqual([
      { host: 'from-zk.example.com', port: 1 },
    ]);
  });

  it('is a host provider, with a chroot or without', () => {
    expect(readSource(provider, options)).toMatchObject({ hosts: provider, chroot: { prefix: '' } });
    expect(readSource({ ...provider, chroot: '/app' }, options).chroot.prefix).toBe('/app');
  });

  it.each<[unknown, unknown]>([
    [undefined, InvalidConnectStringError],
    [null, InvalidConnectStringError],
    [{}, InvalidConnectStringError],
    [{ servers: [] }, InvalidConnectStringError],
    [{ ...provider, chroot: 5 }, InvalidArgumentError],
    [{ ...provider, chroot: 'app' }, InvalidPathError],
  ])('is nothing else: %p', (source, error) => {
    expect(() => readSource(source as string, options)).toThrow(error);
  });

  it.each<[string | HostProvider, string]>([
    ['dns-srv://zk', 'dns-srv://zk'],
    [provider, 'the host provider'],
    [{ ...provider, name: 'registry' }, 'registry'],
  ])('does not go with followReconfig, unless it is a list', (source, name) => {
    const following = resolveOptions({ followReconfig: true });
    expect(() => readSource('zk', following)).not.toThrow();
    expect(() => readSource(source, following)).toThrow(
      `connect: followReconfig and ${name} both say which servers there are; leave one of them out`,
    );
  });
});

describe('new servers', () => {
  it('are a connection string or a list', () => {
    expect(readUpdate('a,b:2182', '/app')).toEqual([
      { host: 'a', port: 2181 },
      { host: 'b', port: 2182 },
    ]);
    expect(readUpdate('a/app', '/app')).toEqual([{ host: 'a', port: 2181 }]);
    expect(readUpdate([{ host: 'a', port: 1, tls: true }], '/')).toEqual([{ host: 'a', port: 1, tls: true }]);
  });

  it.each<[unknown, string]>([
    [[], 'there is something wrong with the new servers: it names no server'],
    [undefined, 'there is something wrong with the new servers: it must be a list of { host, port }'],
    [
      [{ host: 'a' }],
      'there is something wrong with the new servers: server 1: the port must be a number from 1 to 65535',
    ],
    ['a/other', 'the chroot /other is not that of this client, /app, which cannot be changed'],
    ['dns-srv://a', 'dns-srv:// is no list of servers; it can only be connected to'],
  ])('are not %p', (servers, problem) => {
    expect(() => readUpdate(servers as string, '/app')).toThrow(
      new InvalidArgumentError(problem, { operation: 'updateServers' }),
    );
  });
});
