import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { outputOf } from '../support/docker.js';
import { KeptProcess } from '../support/kept-process.cjs';
import { until } from '../support/until.js';

// What .ci/with-engine starts where no engine answers, and that it leaves nothing of it.

const script = join(__dirname, '..', '..', '.ci', 'with-engine');
const folder = mkdtempSync(join(tmpdir(), 'zookit-with-engine-'));
const temporary = join(folder, 'tmp');
const ready = join(folder, 'ready');

/** A machine on which the docker command finds no engine. */
const env = { TMPDIR: temporary, DOCKER_HOST: '', DOCKER_CONFIG: join(folder, 'docker') };

beforeAll(() => {
  mkdirSync(temporary);
  const context = join(folder, 'docker', 'contexts', 'meta', '0'.repeat(64));
  mkdirSync(context, { recursive: true });
  const docker = { Host: 'unix:///nowhere/docker.sock', SkipTLSVerify: false };
  writeFileSync(join(context, 'meta.json'), JSON.stringify({ Name: 'nowhere', Metadata: {}, Endpoints: { docker } }));
  writeFileSync(join(folder, 'docker', 'config.json'), JSON.stringify({ currentContext: 'nowhere' }));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The processes that were told of our folder: the engine, its containers, the way to its network. */
function processes(): string[] {
  const commandOf = (id: string): string => {
    try {
      return readFileSync(`/proc/${id}/cmdline`, 'utf8').replaceAll('\0', ' ');
    } catch {
      return '';
    }
  };
  const ids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && name !== String(process.pid));
  return ids.map(commandOf).filter((command) => command.includes(temporary));
}

describe('an engine of its own', () => {
  it('runs the command, hands on how it ended, and is gone', async () => {
    const command = ['docker version >&2; docker compose version; exit 7'];
    const { code, stdout, stderr } = await outputOf(script, ['bash', '-c', ...command], { env });
    expect({ code, stderr }).toMatchObject({ code: 7, stderr: expect.stringContaining('Server:') });
    expect(stdout).toContain('Docker Compose version');
    expect([readdirSync(temporary), processes()]).toEqual([[], []]);
  }, 120_000);

  it.each(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGKILL'] as const)(
    'ends with its containers at %s',
    async (signal) => {
      const running = `
        tar --create --dereference --directory / bin/sleep $(ldd /bin/sleep | grep --only-matching '/lib[^ ]*') |
          docker import - sleeper
        docker run --detach --network host sleeper /bin/sleep 4711
        touch ${ready}
        sleep 4712`;
      const child = new KeptProcess({ output: 'pipe' });
      let printed = '';
      child.stdout?.on('data', (chunk: Buffer) => (printed += chunk.toString()));
      child.stderr?.on('data', (chunk: Buffer) => (printed += chunk.toString()));
      await child.start({ command: script, args: ['bash', '-c', running], env: { ...process.env, ...env } });
      await Promise.race([
        until(() => readdirSync(folder).includes('ready'), { what: 'the container', timeout: 60_000 }),
        child.exited.then(() => Promise.reject(new Error(`with-engine has ended: ${printed}`))),
      ]);
      rmSync(ready);
      expect(processes()).not.toEqual([]);
      child.signal(signal);
      await until(() => processes().length === 0 && readdirSync(temporary).length === 0, {
        what: `the end of ${processes().join('; ')}, and ${temporary} to be empty`,
        timeout: 60_000,
      });
      await child.dispose();
    },
    120_000,
  );
});
