import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import Long from 'long';
import { parseEnsembleConfig } from '../../src/ensemble-config.js';
import { ProtocolError } from '../../src/errors.js';

/** The one server in a configuration of one line. */
function parsedLine(line: string): unknown {
  return parseEnsembleConfig(line).servers[0];
}

describe('a line of a server', () => {
  it('has an id, a role, addresses for the others and one for clients', () => {
    const line = 'server.1=10.0.0.1:2888:3888:participant;0.0.0.0:2181';
    expect(parsedLine(line)).toEqual({
      id: 1,
      role: 'participant',
      peers: [{ host: '10.0.0.1', quorumPort: 2888, electionPort: 3888 }],
      client: { host: '0.0.0.0', port: 2181 },
      line,
    });
  });

  it('can be that of an observer', () => {
    expect(parsedLine('server.9=zk:2888:3888:observer;2181')).toMatchObject({ id: 9, role: 'observer' });
  });

  it('is that of a participant unless it says so', () => {
    expect(parsedLine('server.1=zk:2888:3888;2181')).toMatchObject({
      role: 'participant',
      peers: [{ host: 'zk', quorumPort: 2888, electionPort: 3888 }],
    });
  });

  it('can have several addresses', () => {
    expect(parsedLine('server.2=a:2888:3888|b:2889:3889:observer;2181')).toMatchObject({
      role: 'observer',
      peers: [
        { host: 'a', quorumPort: 2888, electionPort: 3888 },
        { host: 'b', quorumPort: 2889, electionPort: 3889 },
      ],
    });
  });

  it('can have IPv6 addresses, which come without their brackets', () => {
    expect(parsedLine('server.1=[2001:db8::1]:2888:3888:participant;[::1]:2181')).toMatchObject({
      peers: [{ host: '2001:db8::1', quorumPort: 2888, electionPort: 3888 }],
      client: { host: '::1', port: 2181 },
    });
  });

  it('can name no address for clients', () => {
    expect(parsedLine('server.1=zk:2888:3888:participant')).toMatchObject({ client: undefined });
  });

  it('means all addresses where clients get a port only', () => {
    expect(parsedLine('server.1=zk:2888:3888:participant;2181')).toMatchObject({
      client: { host: '0.0.0.0', port: 2181 },
    });
  });

  it('can have a second address for clients, which is for TLS and not looked at', () => {
    expect(parsedLine('server.1=zk:2888:3888:participant;zk:2181;zk:2182')).toMatchObject({
      client: { host: 'zk', port: 2181 },
    });
  });
});

describe('a configuration', () => {
  it('has its servers in order, and its version', () => {
    const text = [
      'server.1=a:2888:3888:participant;2181',
      'server.2=b:2888:3888:participant;2181',
      'server.3=c:2888:3888:observer;2181',
      'version=10000000f',
    ].join('\n');
    const { servers, version } = parseEnsembleConfig(text);
    expect(servers.map(({ id }) => id)).toEqual([1, 2, 3]);
    expect(version).toEqual(Long.fromString('10000000f', false, 16));
  });

  it('of a standalone server is empty', () => {
    expect(parseEnsembleConfig('')).toEqual({ servers: [], version: Long.ZERO });
  });

  it('can have lines of groups and weights, blanks, and the line ends of Windows', () => {
    const text = 'group.1=1\r\nweight.1=1\r\n\r\n  server.1=a:2888:3888:participant;2181 \r\nversion=0\r\n';
    const { servers, version } = parseEnsembleConfig(text);
    expect(servers).toHaveLength(1);
    expect(version).toEqual(Long.ZERO);
  });
});

describe('what is no configuration is refused', () => {
  it.each([
    ['server.x=a:1:2', "no line of an ensemble's configuration: server.x=a:1:2"],
    ['server.1', "no line of an ensemble's configuration: server.1"],
    ['server.1=', "no line of an ensemble's configuration: server.1="],
    ['server.1=a:2888', "no address of a server in an ensemble's configuration: server.1=a:2888"],
    ['server.1=a:b:c', "no address of a server in an ensemble's configuration: server.1=a:b:c"],
    ['server.1=a:1:2|b', "no address of a server in an ensemble's configuration: server.1=a:1:2|b"],
    ['server.1=a:1:2:leader', "no address of a server in an ensemble's configuration: server.1=a:1:2:leader"],
    ['server.1=a:1:2;', "no client address in an ensemble's configuration: server.1=a:1:2;"],
    ['server.1=a:1:2;b', "no client address in an ensemble's configuration: server.1=a:1:2;b"],
    ['version=', "no version of an ensemble's configuration: version="],
    ['version=xyz', "no version of an ensemble's configuration: version=xyz"],
    ['version=1-2', "no version of an ensemble's configuration: version=1-2"],
  ])('%s', (text, message) => {
    expect(() => parseEnsembleConfig(text)).toThrow(new ProtocolError(message));
  });

  it('with a ProtocolError, whatever the text', () => {
    const piece = fc.constantFrom('server.', 'version=', '1', '=', ':', ';', '|', '\n', '[', ']', 'a', '-', 'observer');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 25 }), (pieces) => {
        try {
          expect(parseEnsembleConfig(pieces.join('')).servers.length).toBeLessThanOrEqual(pieces.length);
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
        }
      }),
    );
  });
});
