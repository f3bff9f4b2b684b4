import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** The packages of the peers of other languages, and a file by which each is known. */
const packages = [
  { file: '/usr/share/java/curator-recipes.jar', name: 'libcurator-recipes-java' },
  { file: '/usr/share/java/curator-x-discovery.jar', name: 'libcurator-discovery-java' },
  { file: '/usr/bin/javac', name: 'default-jdk-headless' },
  { file: '/usr/lib/python3/dist-packages/kazoo', name: 'python3-kazoo' },
];

/** As root on Debian or Ubuntu: installs what is missing. Elsewhere, and where that fails, the peers are left out. */
export function installDebianPeers() {
  const missing = packages.filter(({ file }) => !existsSync(file)).map(({ name }) => name);
  const apt = spawnSync('apt-get', ['--version'], { stdio: 'ignore' }).status === 0;
  if (missing.length === 0 || !apt || process.getuid?.() !== 0) return;
  console.log(`Installing ${missing.join(', ')} with apt-get`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  for (const args of [['update'], ['install', '-y', '--no-install-recommends', ...missing]]) {
    const { status } = spawnSync('apt-get', ['-q', ...args], { stdio: 'ignore', env });
    if (status !== 0) return;
  }
}
