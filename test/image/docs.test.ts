/** The commands of docs/server-image.md run, in order, and say what the page says; its tables are those of the image. */
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { docker, imageFolder, imageUnderTest, outputOf, Project } from '../support/docker.js';
import { freePort } from '../support/ports.cjs';
import { joinSwarm } from '../swarm/rig.js';
import { runImage } from './image.js';

const page = readFileSync(join(__dirname, '..', '..', 'docs', 'server-image.md'), 'utf8');

/** A block of commands, and what the page says that they write: each of these lines is one of theirs, or begins one. */
interface Block {
  /** The heading above, and the how-manieth block below it this is. */
  readonly at: string;
  readonly commands: string;
  readonly says: readonly string[];
}

const blocks: readonly Block[] = page.split(/^##+ /m).flatMap((section) => {
  const [heading = ''] = section.split('\n', 1);
  const found = [...section.matchAll(/^```sh\n([\s\S]*?)^```$(?:\n\n```text\n([\s\S]*?)^```$)?/gm)];
  return found.map(([, commands = '', says = ''], index) => ({
    at: `${heading} ${index + 1}`,
    commands,
    says: says.split('\n').filter(Boolean),
  }));
});

describe('the commands of the page', () => {
  let project: Project;
  let swarm: Awaited<ReturnType<typeof joinSwarm>>;
  let folder: string;
  let ports: readonly number[];

  beforeAll(async () => {
    project = new Project();
    swarm = await joinSwarm();
    folder = mkdtempSync(join(tmpdir(), 'zookit-docs-'));
    cpSync(imageFolder, join(folder, 'image'), { recursive: true });
    ports = await Promise.all(Array.from({ length: 4 }, () => freePort()));
  }, 60_000);

  afterAll(async () => {
    await project.dispose();
    await docker(['image', 'rm', '--force', builtImage()]);
    await swarm.leave();
    rmSync(folder, { recursive: true });
  }, 240_000);

  const builtImage = (): string => `${project.name}:built`;

  /** The commands with names and ports of their own, so that they meet nothing else on this machine. */
  function ownNames(commands: string): string {
    return commands
      .replace(/--tag \S+/, `--tag ${builtImage()}`)
      .replaceAll('zookit-zookeeper:trixie', imageUnderTest())
      .replace(/\bzk-[a-z]/g, `${project.name}-$&`)
      .replaceAll('node-a', swarm.node)
      .replace(/127\.0\.0\.1:2181:|localhost:2181/g, (text) => text.replace('2181', String(ports[0])))
      .replace(/127\.0\.0\.1:2281:|localhost:2281/g, (text) => text.replace('2281', String(ports[0])))
      .replace(/127\.0\.0\.1:7000/g, (text) => text.replace('7000', String(ports[0])));
  }

  it.each(blocks.map((block): [string, Block] => [block.at, block]))(
    '%s',
    async (_, { commands, says }) => {
      const env = {
        COMPOSE_PROJECT_NAME: project.name,
        ZOOKEEPER_IMAGE: imageUnderTest(),
        ZOOKEEPER_PORT: String(ports[0]),
        ...Object.fromEntries(ports.map((port, index) => [`ZOOKEEPER_PORT_${index + 1}`, String(port)])),
      };
      const args = ['-euo', 'pipefail', '-c', ownNames(commands)];
      const { code, stdout, stderr } = await outputOf('bash', args, { cwd: folder, env, timeout: 280_000 });
      expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
      const lines = `${stdout}\n${stderr}`.split('\n').map((line) => line.trim());
      expect(says.filter((said) => !lines.some((line) => line.startsWith(said)))).toEqual([]);
    },
    300_000,
  );
});

it('lists all variables of the image, with their defaults', async () => {
  const rows = [...page.matchAll(/^\| `(ZOO_\w+)` \| (?:`(.*?)`)? ?\|/gm)];
  const documented = rows.map(([, name, value = '']) => `${name}=${value}`);
  const { stdout } = await runImage({}, ['config', '--variables']);
  expect(documented.sort()).toEqual(stdout.trim().split('\n').sort());
});

it('lists the variables of the Compose files', () => {
  const files = ['compose.yaml', 'compose.ensemble.yaml'].map((name) => readFileSync(join(imageFolder, name), 'utf8'));
  const used = new Set(files.flatMap((text) => [...text.matchAll(/\$\{(\w+):-(.*?)\}/g)].map(([, name]) => name)));
  const documented = page.split('\n').filter((line) => line.startsWith('| `ZOOKEEPER_'));
  expect([...used].sort()).toEqual([
    ...['ZOOKEEPER_IMAGE', 'ZOOKEEPER_MEMORY', 'ZOOKEEPER_PORT'],
    ...['ZOOKEEPER_PORT_1', 'ZOOKEEPER_PORT_2', 'ZOOKEEPER_PORT_3', 'ZOOKEEPER_PORT_4'],
  ]);
  expect(documented).toHaveLength(3);
});
