import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { acl } from 'zookit';
import { agentOptions } from '../../../cli/agent-command.js';
import { clientOptions, clientSettings } from '../../../cli/client-settings.js';
import { makeLog } from '../../../cli/log.js';
import { choiceIn, describeOptions, flagIn, millisecondsIn, readOptions } from '../../../cli/option-table.js';
import { UsageError } from '../../../cli/usage-error.js';

const table = {
  connect: { env: 'T_CONNECT', value: 'SERVERS', help: 'The ensemble.' },
  path: { env: 'T_PATH', value: 'PATH', help: 'A path.', default: '/services' },
} as const;

describe('options', () => {
  it('come from flags, then from variables, then from the defaults', () => {
    const read = (args: string[], env: Record<string, string>) => readOptions(table, args, env).values;
    expect(read([], {})).toEqual({ connect: undefined, path: '/services' });
    expect(read([], { T_CONNECT: 'zk1', T_PATH: '' })).toEqual({ connect: 'zk1', path: '/services' });
    expect(read(['--connect', 'zk2', '--path=/a'], { T_CONNECT: 'zk1' })).toEqual({ connect: 'zk2', path: '/a' });
  });

  it('ask for help', () => {
    expect([['--help'], ['-h'], []].map((args) => readOptions(table, args, {}).help)).toEqual([true, true, false]);
  });

  it.each([[['--conect', 'zk1']], [['zk1']], [['--connect']]])('%j cannot be read', (args) => {
    expect(() => readOptions(table, args, {})).toThrow(UsageError);
  });

  it('have values of a kind', () => {
    expect([flagIn('a', 'true'), flagIn('a', 'false'), flagIn('a', undefined)]).toEqual([true, false, undefined]);
    expect(() => flagIn('a', 'yes')).toThrow('--a is "yes"; it must be true or false');
    expect([millisecondsIn('a', '50'), millisecondsIn('a', undefined)]).toEqual([50, undefined]);
    expect(() => millisecondsIn('a', '5s')).toThrow('--a is "5s"; it must be a whole number of milliseconds');
    expect(choiceIn('a', 'x', ['x', 'y'])).toBe('x');
    expect(() => choiceIn('a', 'z', ['x', 'y'])).toThrow('--a is "z"; it must be one of x, y');
  });

  it('are described with their defaults and variables', () => {
    expect(describeOptions(table)).toBe(
      '  --connect SERVERS\n      The ensemble. Or T_CONNECT.\n' +
        '  --path PATH\n      A path. Default: /services. Or T_PATH.',
    );
  });

  it('of the agent have variables of their own', () => {
    const names = Object.values(agentOptions).map(({ env }) => env);
    expect(new Set(names).size).toBe(names.length);
  });
});

describe('how to reach ZooKeeper', () => {
  let folder: string;
  const file = (name: string) => join(folder, name);
  const settings = (args: string[]) => clientSettings(readOptions(clientOptions, args, {}).values);

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'zookit-cli-'));
    writeFileSync(file('auth'), 'agent:secret\n');
    writeFileSync(file('password'), 'pass\r\n');
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  it('needs a connection string', () => {
    expect(() => settings([])).toThrow('--connect or ZOOKIT_CONNECT is missing');
    expect(settings(['--connect', 'zk1/shop'])).toEqual({
      servers: 'zk1/shop',
      options: { sessionTimeout: 10_000, defaultAcl: acl.open },
    });
  });

  it('takes credentials from files', async () => {
    const { options } = settings(['--connect', 'zk1', '--auth-file', file('auth'), '--acl', 'creator-read']);
    expect(options.auth).toEqual([{ scheme: 'digest', auth: 'agent:secret' }]);
    expect(options.defaultAcl).toEqual([...acl.creatorAll, ...acl.readOnly]);
    const { sasl } = settings([
      ...['--connect', 'zk1', '--sasl-user', 'agent', '--sasl-password-file', file('password')],
    ]).options;
    expect(sasl).toMatchObject({ mechanism: 'DIGEST-MD5', username: 'agent' });
    expect(await (sasl as { password: () => Promise<string> }).password()).toBe('pass');
  });

  it('speaks TLS where it is told how, or that it should', () => {
    expect(settings(['--connect', 'zk1', '--tls', 'true']).options.tls).toBe(true);
    expect(settings(['--connect', 'zk1', '--tls-ca-file', '/ca.pem']).options.tls).toEqual({ caFile: '/ca.pem' });
    expect(() => settings(['--connect', 'zk1', '--tls-key-file', '/key.pem'])).toThrow('--tls is not true');
  });

  it('is refused where it cannot be meant', () => {
    for (const args of [
      ['--auth-file', file('none')],
      ['--sasl-user', 'agent'],
      ['--sasl-user', 'agent', '--sasl-password-file', file('none')],
      ['--acl', 'mine'],
      ['--session-timeout', '10s'],
    ])
      expect(() => settings(['--connect', 'zk1', ...args])).toThrow(UsageError);
  });
});

describe('the log', () => {
  it('is one line for each message, from a level on', () => {
    const lines: string[] = [];
    const log = makeLog('info', 'text', (line) => lines.push(line));
    log.debug('quiet');
    log.info('one\ntwo');
    log.error('bad');
    expect(lines).toEqual([
      expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z INFO {2}one two$/),
      expect.stringMatching(/Z ERROR bad$/),
    ]);
  });

  it('can be read by machines', () => {
    const lines: string[] = [];
    makeLog('warn', 'json', (line) => lines.push(line)).warn('one\ntwo');
    expect(lines.map((line) => JSON.parse(line) as object)).toEqual([
      { time: expect.any(String), level: 'warn', message: 'one\ntwo' },
    ]);
  });
});
