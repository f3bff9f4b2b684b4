/** Every example runs to its end, on the built package; the tour does, with all its checks. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { runScript } from '../support/child.js';
import { sharedServer, useChroot } from '../support/shared.js';

const folder = join(__dirname, '..', '..', 'examples');
const programs = readdirSync(folder).filter((name) => name.endsWith('.mjs'));

/** What each example says in the end, so that one that does nothing is found out. */
const lastWords: Readonly<Record<string, RegExp>> = {
  'barrier.mjs': /^the gate is closed\nthe gate is open\n(\w+ begins\n){3}(\w+ goes\n){3}$/,
  'calls.mjs':
    /^((anna|ben) answers \/prices\/[1-4]\n){4}(ben answers \/prices\/[5-8]\n){4}GET service:\/\/pricing\/prices\/9: no instance to call: none is registered\n$/,
  'config-editor.mjs':
    /^in the znode: no password\nwould be changed: workers from 5 to 100\nback to 1 worker\nversion 5 by ben: too many; 5 before it\n$/,
  'config.mjs':
    /^it begins with 4 workers, of \S+\/cart\napply: 4 workers\nrefused: .*workers: must be.*\nfrom info to debug: http:\/\/cart\/debug\napply: 8 workers\n$/,
  'leader.mjs': /^(\w+ leads with the token \d+, of .*\n\w+ has stepped down: held is false\n){3}$/,
  'lock.mjs': /^(\w+ writes with the token \d+\n){3}nobody else wants it\n$/,
  'once.mjs': /^one of them makes the schema\n(\w+ has the schema 7\n){3}$/,
  'partitioner.mjs':
    /^(anna takes .*\n){6}((anna leaves|ben takes) .*\n){6}now there are anna,ben\n(ben leaves .*\n){3}(anna takes .*\n){3}(anna leaves .*\n){6}$/,
  'service.mjs': /^(call \d goes to [\d.:]+\n){4}(now: .*\n)+found without a provider: 0\n$/,
  'transaction.mjs': /operation 1 failed \(BAD_VERSION\), so all: rolledBack,failed\n(.*: \d+\n){3}$/,
  'watch.mjs': /^once: dataChanged \S+\n(stays: created .*\n){2}(stays: deleted .*\n){3}$/,
};

test('each example is known here', () => {
  expect(programs.filter((name) => name !== 'tour.mjs').sort()).toEqual(Object.keys(lastWords).sort());
});

test.each(Object.entries(lastWords))('%s', async (name, said) => {
  const server = sharedServer().connectString + useChroot();
  await using child = await runScript({ file: `examples/${name}` }, { args: [server] });
  const { code, stdout, stderr } = await child.result;
  expect(stderr).toBe('');
  expect(stdout).toMatch(said);
  expect(code).toBe(0);
});

test('the tour, on a server of its own', async () => {
  await using child = await runScript({ file: 'examples/tour.mjs' }, { env: { ZOOKEEPER: '' } });
  const { code, stdout, stderr } = await child.result;
  expect(stderr).toBe('');
  expect(stdout).toMatch(/\n8 chapters, \d+ checks, \d+ seconds: all held\.\n$/);
  expect(code).toBe(0);
}, 90_000);

test('the tour, on a given server', async () => {
  const env = { ZOOKEEPER: sharedServer().connectString };
  await using child = await runScript({ file: 'examples/tour.mjs' }, { env });
  const { code, stdout, stderr } = await child.result;
  expect(stderr).toBe('');
  expect(stdout).toMatch(/\n8 chapters, \d+ checks, \d+ seconds: all held\.\n$/);
  expect(code).toBe(0);
}, 90_000);

test('the tour fails where a check does, and says what was expected', async () => {
  const { connectString } = sharedServer();
  const source = `
    import { CheckFailed, Stage } from './examples/tour/stage.mjs';
    const stage = await Stage.open({ connectString: '${connectString}', own: false });
    const failures = [];
    const claims = (stage) => stage.check('one and one', 1 + 1, 3);
    const checksNothing = () => undefined;
    for (const chapter of [claims, checksNothing]) {
      await stage.play('a chapter', chapter).catch((error) => failures.push(error));
    }
    await stage.close();
    console.log(failures.every((error) => error instanceof CheckFailed), failures.map(({ message }) => message).join('; '));`;
  await using child = await runScript({ source });
  const { stdout } = await child.result;
  expect(stdout).toContain('true one and one: expected 3, found 2; the chapter "a chapter" has checked nothing\n');
});
