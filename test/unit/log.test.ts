import { format } from 'node:util';
import createDebug from 'debug';
import { afterEach, expect, it, jest } from '@jest/globals';
import { logOf } from '../../src/log.js';

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
