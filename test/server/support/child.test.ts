import { expect, test } from '@jest/globals';
import { runScript } from '../../support/child.js';
import { gate, nextEvent, until, within } from '../../support/until.js';

test('runs a script against the build and tells how it ended', async () => {
  const source = `
    import * as zookit from 'zookit';
    console.log('ZooKeeper' in zookit, process.env.GREETING, process.argv.at(-1));
    console.error('oops');
    process.exitCode = 7;`;
  const child = await runScript({ source }, { env: { GREETING: 'hello' }, args: ['you'] });
  expect(await child.result).toEqual({ code: 7, signal: null, stdout: 'true hello you\n', stderr: 'oops\n' });
});

test('waits for a line, and pauses and kills the child', async () => {
  await using child = await runScript({ source: `setInterval(() => console.log('tick', process.pid), 10)` });
  expect((await child.line(/^tick (\d+)$/))[1]).toBe(String(child.pid));
  child.signal('SIGSTOP');
  expect(await child.kill()).toMatchObject({ code: null, signal: 'SIGKILL' });
});

test('says what came instead of a line', async () => {
  const child = await runScript({ source: `console.log('something else')` });
  await expect(child.line(/^ready$/)).rejects.toThrow(/without a line like \/\^ready\$\/:\nsomething else/);
});

test('names what was waited for in vain', async () => {
  const never = gate();
  await expect(within(never.promise, { what: 'the gate', timeout: 10 })).rejects.toThrow(
    'waited 10 ms in vain for the gate',
  );
  await expect(until(() => false, { what: 'a wonder', timeout: 10 })).rejects.toThrow('in vain for a wonder');
  await expect(nextEvent(process, 'no such event', { timeout: 10 })).rejects.toThrow('the event no such event');
  never.open();
  await within(never.promise, { what: 'the gate' });
});
