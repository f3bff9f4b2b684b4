import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { formatServer, InvalidConnectStringError, parseConnectString } from '../../../src/connection/connect-string.js';

function parsed(text: string): { readonly servers: string[]; readonly chroot: string } {
  const { servers, chroot } = parseConnectString(text);
  return { servers: servers.map(formatServer), chroot: chroot.prefix };
}

describe('connection strings that are understood', () => {
  it.each<[string, string[], string]>([
    ['zk', ['zk:2181'], ''],
    ['zk:2182', ['zk:2182'], ''],
    ['zk:1', ['zk:1'], ''],
    ['zk:65535', ['zk:65535'], ''],
    ['10.0.0.1', ['10.0.0.1:2181'], ''],
    ['my_host-1.example.com', ['my_host-1.example.com:2181'], ''],
    ['zk1,zk2:2182', ['zk1:2181', 'zk2:2182'], ''],
    ['zk1:2181,zk2:2181/shop', ['zk1:2181', 'zk2:2181'], '/shop'],
    ['zk/', ['zk:2181'], ''],
    ['zk/a/b/c', ['zk:2181'], '/a/b/c'],
    ['zk/a b', ['zk:2181'], '/a b'],
    ['zk/shop  ', ['zk:2181'], '/shop'],
    ['[::1]', ['[::1]:2181'], ''],
    ['[fe80::1%eth0]:2182', ['[fe80::1%eth0]:2182'], ''],
    ['tcp://zk', ['tcp://zk:2181'], ''],
    ['tcp+tls://zk', ['tcp+tls://zk:2181'], ''],
    ['tcp+tls://zk1:2281, tcp://zk2:2182 ,zk3/shop', ['tcp+tls://zk1:2281', 'tcp://zk2:2182', 'zk3:2181'], '/shop'],
    ['zk1,tcp+tls://[::1]:2281/a', ['zk1:2181', 'tcp+tls://[::1]:2281'], '/a'],
    ['tcp://zk/', ['tcp://zk:2181'], ''],
    ['[::ffff:10.0.0.1]:2181/a', ['[::ffff:10.0.0.1]:2181'], '/a'],
    // Case D8 of the regression list.
    ['[::1]:2181, 10.0.0.1:2181 ,h/a/b', ['[::1]:2181', '10.0.0.1:2181', 'h:2181'], '/a/b'],
  ])('%s', (text, servers, chroot) => {
    expect(parsed(text)).toEqual({ servers, chroot });
  });

  it('say which servers are encrypted, and which as the client says', () => {
    expect(parseConnectString('tcp+tls://a,tcp://b,c').servers).toEqual([
      { host: 'a', port: 2181, tls: true },
      { host: 'b', port: 2181, tls: false },
      { host: 'c', port: 2181 },
    ]);
  });

  it.each<[string, string, string]>([
    ['dns-srv://_zookeeper._tcp.example.com', '_zookeeper._tcp.example.com', ''],
    [' dns-srv://zk.example.com./a/b ', 'zk.example.com.', '/a/b'],
  ])('%j names no servers, but where they are found', (text, srvName, chroot) => {
    const read = parseConnectString(text);
    expect([read.servers, read.srvName, read.chroot.prefix]).toEqual([[], srvName, chroot]);
  });

  it('give an IPv6 address without its brackets', () => {
    expect(parseConnectString('[::1]:2182').servers).toEqual([{ host: '::1', port: 2182 }]);
  });
});

describe('connection strings that are refused', () => {
  const noAddress = 'there is no IPv6 address in the brackets';
  it.each([
    ['', 'it names no server; expected something like "zk1:2181,zk2:2181/chroot"'],
    ['   ', 'it names no server; expected something like "zk1:2181,zk2:2181/chroot"'],
    ['/chroot', 'it names no server; expected something like "zk1:2181,zk2:2181/chroot"'],
    // Case D8 of the regression list.
    ['h1/x,h2', 'the chroot "/x,h2" has a comma; it belongs after the last server, once'],
    ['h:notaport', 'server 1 ("h:notaport"): the port "notaport" is not a number from 1 to 65535'],
    ['h:', 'server 1 ("h:"): the port "" is not a number from 1 to 65535'],
    ['h:0', 'server 1 ("h:0"): the port "0" is not a number from 1 to 65535'],
    ['h:65536', 'server 1 ("h:65536"): the port "65536" is not a number from 1 to 65535'],
    ['h:-1', 'server 1 ("h:-1"): the port "-1" is not a number from 1 to 65535'],
    ['tcp://', 'server 1 ("tcp://"): it is empty'],
    ['tcp://:2181', 'server 1 ("tcp://:2181"): the host is missing'],
    ['a,tls://b', 'server 2 ("tls://b"): there is no "tls://"; known are tcp://, tcp+tls://, and dns-srv:// by itself'],
    [
      'toString://b',
      'server 1 ("toString://b"): there is no "toString://"; known are tcp://, tcp+tls://, and dns-srv:// by itself',
    ],
    ['tcp://a/x,tcp://b', 'the chroot "/x,tcp://b" has a comma; it belongs after the last server, once'],
    ['zk,dns-srv://b', 'dns-srv:// stands alone, with one name, because its records name all servers'],
    ['dns-srv://a,b', 'dns-srv:// stands alone, with one name, because its records name all servers'],
    ...['dns-srv://', 'dns-srv://a:2181', 'dns-srv://[::1]', 'dns-srv://a b'].map((text) => [
      text,
      `"${text.slice(10)}" after dns-srv:// is no name of SRV records; expected something like "dns-srv://_zookeeper._tcp.example.com/chroot", without a port`,
    ]),
    ['h: 2181', 'server 1 ("h: 2181"): the port " 2181" is not a number from 1 to 65535'],
    ['h:1e3', 'server 1 ("h:1e3"): the port "1e3" is not a number from 1 to 65535'],
    ['[::1]:x', 'server 1 ("[::1]:x"): the port "x" is not a number from 1 to 65535'],
    ['h1,', 'server 2 (""): it is empty'],
    [',h1', 'server 1 (""): it is empty'],
    ['h1,,h2', 'server 2 (""): it is empty'],
    [':2181', 'server 1 (":2181"): the host is missing'],
    ['::1', 'server 1 ("::1"): an IPv6 address needs brackets: "[::1]:2181"'],
    ['a:1:2', 'server 1 ("a:1:2"): an IPv6 address needs brackets: "[::1]:2181"'],
    ['[]', `server 1 ("[]"): ${noAddress}`],
    ['[zk]:2181', `server 1 ("[zk]:2181"): ${noAddress}`],
    ['[10.0.0.1]:2181', `server 1 ("[10.0.0.1]:2181"): ${noAddress}`],
    ['[:::]:2181', `server 1 ("[:::]:2181"): ${noAddress}`],
    ['[1:2:3]', `server 1 ("[1:2:3]"): ${noAddress}`],
    ['[::1', 'server 1 ("[::1"): brackets belong around an IPv6 address: "[::1]:2181"'],
    ['::1]:2181', 'server 1 ("::1]:2181"): brackets belong around an IPv6 address: "[::1]:2181"'],
    ['a b', 'server 1 ("a b"): a host name has letters, digits, dots, hyphens and underscores only'],
    ['zk!', 'server 1 ("zk!"): a host name has letters, digits, dots, hyphens and underscores only'],
    ['a;b', 'server 1 ("a;b"): a host name has letters, digits, dots, hyphens and underscores only'],
  ])('%j', (text, problem) => {
    expect(() => parseConnectString(text)).toThrow(new InvalidConnectStringError(text, problem));
  });

  it.each([
    ['h//a', 'there is an empty part at index 1'],
    ['h/a/', 'it must not end with "/"'],
    ['h/a/../b', 'the part ".." at index 3 is relative'],
  ])('%j, for a chroot that is no path', (text, problem) => {
    const chroot = text.slice(1);
    const message = `"${text}" is not a connection string: the chroot "${chroot}" is not a path: chroot ${chroot}: not a path of a znode: ${problem}`;
    expect(() => parseConnectString(text)).toThrow(`connect: ${message}`);
  });

  it('what is no string', () => {
    expect(() => parseConnectString(2181 as unknown as string)).toThrow(
      'connect: "2181" is not a connection string: it must be a string',
    );
  });

  it('with an error that tells the string, and itself by its code', () => {
    const error = new InvalidConnectStringError('h:', 'it is wrong');
    expect(error).toMatchObject({ connectString: 'h:', code: 'INVALID_CONNECT_STRING', operation: 'connect' });
    expect(error.message).toBe('connect: "h:" is not a connection string: it is wrong');
  });

  it('whatever the text, with this error alone', () => {
    const pieces = fc.constantFrom(
      'h',
      ':',
      ',',
      '/',
      'tcp://',
      'tcp+tls://',
      'dns-srv://',
      '[',
      ']',
      '::1',
      '2181',
      ' ',
      '.',
      '..',
      '%',
      '\0',
      'ü',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(pieces).map((each) => each.join('')),
        ),
        (text) => {
          try {
            const { servers, srvName } = parseConnectString(text);
            expect(servers.length > 0).toBe(srvName === undefined);
          } catch (error) {
            expect(error).toBeInstanceOf(InvalidConnectStringError);
          }
        },
      ),
    );
  });
});

it('formats what it parses back to the same servers', () => {
  const host = fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6());
  const tls = fc.constantFrom({}, { tls: true }, { tls: false });
  const address = fc.tuple(host, fc.integer({ min: 1, max: 65_535 }), tls);
  fc.assert(
    fc.property(fc.array(address, { minLength: 1 }), (addresses) => {
      const servers = addresses.map(([name, port, scheme]) => ({ host: name, port, ...scheme }));
      expect(parseConnectString(servers.map(formatServer).join(',')).servers).toEqual(servers);
    }),
  );
});
