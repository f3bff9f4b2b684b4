import { format } from 'node:util';
import Long from 'long';
import createDebug from 'debug';
import { afterEach, expect, it, jest } from '@jest/globals';
import { ClientLog, hexOf, logOf } from '../../src/log.js';

afterEach(() => {
  createDebug.disable();
  jest.restoreAllMocks();
});

it('writes under zookit:* once that is asked for, and nothing before', () => {
  const lines: string[] = [];
  jest.spyOn(createDebug, 'log').mockImplementation((...line: unknown[]) => void lines.push(format(...line)));
  logOf('session')('hidden %s', 'line');
  createDebug.enable('zookit:session');
  logOf('session')('%s after %d ms', 'lost', 5);
  logOf('connection')('hidden, too');
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain('zookit:session');
  expect(lines[0]).toContain('lost after 5 ms');
});

it('writes the lines of a client there, too, with session, server and cause', () => {
  const lines: string[] = [];
  jest.spyOn(createDebug, 'log').mockImplementation((...line: unknown[]) => void lines.push(format(...line)));
  createDebug.enable('zookit:connection');
  const log = new ClientLog();
  log.write('warn', 'connection', 'the attempt failed', { session: '0xff', server: 'a:1', cause: new Error('100%d') });
  log.write('info', 'connection', 'is tried', { session: '0xff' });
  log.write('error', 'session', 'is another area', { session: '0xff' });
  expect(lines.map((line) => line.slice(line.indexOf('session')))).toEqual([
    expect.stringMatching(/^session 0xff, server a:1: the attempt failed: 100%d/),
    expect.stringMatching(/^session 0xff, server none: is tried/),
  ]);
});

it('writes numbers of 64 bits as servers do', () => {
  expect([Long.ZERO, Long.NEG_ONE, new Long(-1, 1)].map(hexOf)).toEqual(['0x0', '0xffffffffffffffff', '0x1ffffffff']);
});
