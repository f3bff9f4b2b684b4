// Who takes part: zookit, the raw socket, and the peers that can be had on this machine.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheFolder } from './cache.mjs';
import { Child } from './child.mjs';
import { installDebianPeers } from './debian.mjs';
import { compileJava } from './java.mjs';

const driver = fileURLToPath(new URL('../clients/driver.mjs', import.meta.url));
const kazooDriver = fileURLToPath(new URL('../peers/kazoo_driver.py', import.meta.url));

const works = ['get', 'exists', 'set', 'create', 'children', 'multi', 'watch'];

/** Names for `--clients`. */
export const clientNames = 'raw raw-joined zookit node-zookeeper-client zookeeper java curator kazoo'.split(' ');

const ofNode = (name, version, takesPart, env = {}) => ({
  name,
  version,
  takesPart,
  start: () => new Child(name, process.execPath, [driver, name], { env: { ...process.env, ...env } }),
});

/** Installs a package of npm into a folder of its own, once. */
function npmPeer(name, version, takesPart) {
  const folder = join(cacheFolder, `${name}-${version}`);
  if (!existsSync(join(folder, 'node_modules', name, 'package.json'))) {
    console.log(`Installing ${name}@${version} into ${folder}`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
    // With the headers that came with this Node, if there are any: the place of others is not reached by each machine.
    const prefix = dirname(dirname(process.execPath));
    const headers = existsSync(join(prefix, 'include', 'node', 'node.h')) ? { npm_config_nodedir: prefix } : {};
    const args = ['install', '--no-audit', '--no-fund', '--save-exact', `${name}@${version}`];
    const { status, stderr } = spawnSync('npm', args, {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, ...headers },
    });
    if (status !== 0) throw new Error(`an npm that installs it: ${/npm error .*/.exec(stderr)?.[0] ?? ''}`);
  }
  const env = { ZOOKIT_BENCH_PEERS: folder };
  const script = `require('node:module').createRequire(${JSON.stringify(join(folder, 'package.json'))})(${JSON.stringify(name)})`;
  const { status } = spawnSync(process.execPath, ['-e', script], { stdio: 'ignore' });
  if (status !== 0) throw new Error('an addon that was compiled and can be loaded');
  return ofNode(name, version, takesPart, env);
}

function javaPeers() {
  const { classPath, version } = compileJava();
  const start = (name, kind) => () =>
    new Child(name, 'java', [
      '-Xmx1g',
      '-cp',
      classPath,
      '-Dorg.slf4j.simpleLogger.defaultLogLevel=off',
      'Driver',
      kind,
    ]);
  return [
    { name: 'java', version, takesPart: works, start: start('java', 'zookeeper') },
    {
      name: 'curator',
      version: '5.4',
      takesPart: ['mutex', 'list', 'pick', 'fanout'],
      start: start('curator', 'curator'),
    },
  ];
}

function kazoo() {
  const python = '/usr/bin/python3';
  const { status, stdout } = spawnSync(python, ['-c', 'import kazoo; print(kazoo.__version__)'], { encoding: 'utf8' });
  if (status !== 0) throw new Error('python3-kazoo');
  const start = () => new Child('kazoo', python, [kazooDriver]);
  return { name: 'kazoo', version: stdout.trim(), takesPart: [...works, 'mutex', 'fanout'], start };
}

/** Who takes part of those that are wanted; a line for each who cannot. */
export function findClients(zookitVersion, wanted) {
  const isWanted = (...names) => names.some((name) => wanted.includes(name));
  const found = [
    // Of the mutex it does what one contender asks the server for, and knows no others.
    { ...ofNode('raw', process.version, [...works, 'mutex']), mostContenders: 1 },
    ofNode('raw-joined', process.version, works),
    ofNode('zookit', zookitVersion, works),
    ofNode('zookit-recipes', zookitVersion, ['mutex', 'list', 'pick', 'fanout']),
  ];
  const optional = [
    [['node-zookeeper-client'], () => npmPeer('node-zookeeper-client', '1.1.3', works)],
    [
      ['zookeeper'],
      () =>
        npmPeer(
          'zookeeper',
          '7.3.0',
          works.filter((work) => work !== 'multi'),
        ),
    ],
    [['java', 'curator'], javaPeers],
    [['kazoo'], kazoo],
  ];
  if (isWanted('java', 'curator', 'kazoo')) installDebianPeers();
  for (const [names, find] of optional) {
    if (!isWanted(...names)) continue;
    try {
      found.push(...[find()].flat());
    } catch (error) {
      console.log(`Left out: ${names.join(' and ')}; missing is ${error.message}`);
    }
  }
  return found.filter(({ name }) => isWanted(name, name.replace('-recipes', '')));
}
