// Java and the jars of the Java peers, from Debian's packages; compiles their driver.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheFolder } from './cache.mjs';

const require = createRequire(import.meta.url);
const { installZooKeeper } = require('../../test/support/zookeeper-install.cjs');

const JARS = '/usr/share/java';
const CURATOR = ['client', 'framework', 'recipes', 'x-discovery'].map((name) => join(JARS, `curator-${name}.jar`));
/** What these need beside ZooKeeper. */
const OTHERS = ['guava', 'jackson-annotations', 'jackson-core', 'jackson-databind', 'failureaccess']
  .map((name) => join(JARS, `${name}.jar`))
  .filter((jar) => existsSync(jar));

const sources = fileURLToPath(new URL('../peers/java', import.meta.url));

const works = (command, ...args) => spawnSync(command, args, { stdio: 'ignore' }).status === 0;

/** The class path of a compiled driver. Throws an error that says what is missing. */
export function compileJava() {
  const { classPath, version } = installZooKeeper();
  if (!CURATOR.every((jar) => existsSync(jar)))
    throw new Error('libcurator-recipes-java and libcurator-discovery-java');
  if (!works('javac', '-version')) throw new Error('default-jdk-headless');
  const all = [classPath, ...CURATOR, ...OTHERS].join(':');
  const classes = join(cacheFolder, `java-${version}`);
  const files = readdirSync(sources).map((name) => join(sources, name));
  const built = join(classes, 'Driver.class');
  if (!existsSync(built) || files.some((file) => statSync(file).mtimeMs > statSync(built).mtimeMs)) {
    mkdirSync(classes, { recursive: true });
    const args = ['-nowarn', '-Xlint:-deprecation', '-d', classes, '-cp', all, ...files];
    const { status, stderr } = spawnSync('javac', args, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`a javac that compiles bench/peers/java:\n${stderr}`);
  }
  return { classPath: [classes, all].join(':'), version };
}
