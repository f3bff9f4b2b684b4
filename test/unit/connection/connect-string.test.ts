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
    ['[::ffff:10.0.0.1]:2181/a', ['[::ffff:10.0.0.1]:2181'], '/a'],
    // Case D8 of the regression list.
    ['[::1]:2181, 10.0.0.1:2181 ,h/a/b', ['[::1]:2181', '10.0.0.1:2181', 'h:2181'], '/a/b'],
  ])('%s', (text, servers, chroot) => {
    expect(parsed(text)).toEqual({ servers, chroot });
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
    const pieces = fc.constantFrom('h', ':', ',', '/', '[', ']', '::1', '2181', ' ', '.', '..', '%', '\0', 'ü');
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(pieces).map((each) => each.join('')),
        ),
        (text) => {
          try {
            expect(parseConnectString(text).servers.length).toBeGreaterThan(0);
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
  fc.assert(
    fc.property(fc.array(fc.tuple(host, fc.integer({ min: 1, max: 65_535 })), { minLength: 1 }), (addresses) => {
      const servers = addresses.map(([name, port]) => ({ host: name, port }));
      expect(parseConnectString(servers.map(formatServer).join(',')).servers).toEqual(servers);
    }),
  );
});
