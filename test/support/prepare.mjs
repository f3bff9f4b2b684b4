// Sets up what tests and demo need, on a fresh machine too, and says what it does: the packages of the lockfile, the
// build, a ZooKeeper, by --security what the tests of TLS and Kerberos need, and by --interop Curator and kazoo. Runs before
// any package is there, so it uses none.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const require = createRequire(import.meta.url);
const { installPeers } = require('./interop-install.cjs');
const { installSecurity } = require('./security-install.cjs');
const { provideZooKeeper } = require('./zookeeper-homes.cjs');

/** When this file, or anything below this folder, was last changed; 0 if it does not exist. */
function lastChange(...path) {
  const full = join(root, ...path);
  if (!existsSync(full)) return 0;
  const stat = statSync(full);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...readdirSync(full).map((name) => lastChange(...path, name)));
}

function npm(...args) {
  const { status } = spawnSync('npm', args, { cwd: root, stdio: 'inherit', shell: process.platform === 'win32' });
  if (status !== 0) throw new Error(`npm ${args.join(' ')} failed`);
}

function installPackages() {
  // npm writes this file when it has installed everything.
  if (lastChange('node_modules', '.package-lock.json') >= lastChange('package-lock.json')) return;
  console.log('Installing the packages of package-lock.json');
  npm('ci');
}

function build() {
  const sources = ['src', 'recipes', 'cli', 'scripts', 'package.json', 'tsconfig.json', 'tsconfig.build.json'];
  // The build's last file.
  const built = lastChange('dist', 'recipes', 'index.d.mts');
  if (built > Math.max(...sources.map((name) => lastChange(name)))) return;
  console.log('Building dist/');
  npm('run', '--silent', 'build');
}

try {
  installPackages();
  build();
  if (!process.argv.includes('--no-server')) console.log(`ZooKeeper: ${await provideZooKeeper()}`);
  if (process.argv.includes('--security')) installSecurity();
  if (process.argv.includes('--interop')) installPeers();
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
