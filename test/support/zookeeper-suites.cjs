// @ts-check
// Other versions of ZooKeeper, out of Debian's suites: unpacked into a cache folder, not installed. Any user may do it.
'use strict';

const { spawnSync } = require('node:child_process');
const {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} = require('node:fs');
const { homedir } = require('node:os');
const { join } = require('node:path');

/** The suites with a ZooKeeper of their own, from old to new. Which version that is changes: it is asked for. */
const suites = Object.freeze(['bullseye', 'bookworm', 'trixie', 'sid']);

const whatToDo = `The versions to test with come out of Debian's packages. That takes apt-get, dpkg and Debian's keys (the package
debian-archive-keyring), but not root. Elsewhere, unpack the releases of Apache ZooKeeper to test with, and set
ZOOKEEPER_HOMES to their folders, with a colon between two.`;

/** Where a suite is looked for, after the machine's own mirrors: Debian's, and where old suites are moved to. */
const publicMirrors = ['http://deb.debian.org/debian', 'http://archive.debian.org/debian'];

const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** How long what apt knows of a suite counts as new, ms. */
const freshFor = 24 * 3_600_000;

/** The cache of the user: `npm ci` empties node_modules. */
const cache = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'zookit-test');

/**
 * Gives what the command wrote.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ config?: string, cwd?: string }} [options]
 */
function run(command, args, { config, cwd } = {}) {
  const env = { ...process.env, LC_ALL: 'C', ...(config === undefined ? {} : { APT_CONFIG: config }) };
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, env, encoding: 'utf8' });
  if (status === 0) return stdout;
  throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr.trim()}`, { cause: error });
}

/** The mirrors that may have a suite of Debian, the machine's own ones first. */
function mirrors() {
  const sites = run('apt-get', ['indextargets', '--format', '$(SITE)', 'Created-By: Packages']).split('\n');
  return [...new Set([...sites.filter((site) => /\/debian\/?$/.test(site)), ...publicMirrors])];
}

/**
 * An apt that knows the one suite and nothing of this machine. Returns the path of its configuration.
 * @param {string} folder
 * @param {string} source the line of sources.list
 */
function configureApt(folder, source) {
  for (const name of ['lists/partial', 'cache/archives/partial', 'none']) {
    mkdirSync(join(folder, name), { recursive: true });
  }
  const settings = {
    'Dir::State': folder,
    'Dir::State::lists': join(folder, 'lists'),
    'Dir::State::status': join(folder, 'status'),
    'Dir::Cache': join(folder, 'cache'),
    'Dir::Etc::sourcelist': join(folder, 'sources.list'),
    'Dir::Etc::sourceparts': join(folder, 'none'),
    'Dir::Etc::preferences': join(folder, 'none', 'preferences'),
    'Dir::Etc::preferencesparts': join(folder, 'none'),
    'Acquire::Languages': 'none',
    // The signature of an archived suite is right for ever, its date is not.
    'Acquire::Check-Valid-Until': 'false',
    // Else apt would read the cache as another user, who may not.
    'APT::Sandbox::User': '',
  };
  const config = join(folder, 'apt.conf');
  writeFileSync(
    config,
    Object.entries(settings)
      .map(([name, value]) => `${name} "${value}";\n`)
      .join(''),
  );
  writeFileSync(join(folder, 'sources.list'), `${source}\n`);
  writeFileSync(join(folder, 'status'), '');
  return config;
}

/**
 * The packages that a suite has, as an apt configuration. Throws if no mirror has the suite, or its signature is wrong.
 * @param {string} suite
 */
function readSuite(suite) {
  const folder = join(cache, suite, 'apt');
  const config = join(folder, 'apt.conf');
  const updated = join(folder, 'updated');
  if (existsSync(updated) && Date.now() - statSync(updated).mtimeMs < freshFor) return config;
  const signedBy = existsSync(keyring) ? `[signed-by=${keyring}] ` : '';
  const failures = [];
  for (const mirror of mirrors()) {
    configureApt(folder, `deb ${signedBy}${mirror} ${suite} main`);
    try {
      run('apt-get', ['-q', '--error-on=any', 'update'], { config });
      writeFileSync(updated, mirror);
      return config;
    } catch (error) {
      failures.push(/** @type {Error} */ (error).message);
    }
  }
  throw new Error(failures.join('\n'));
}

/**
 * ZooKeeper and the jars that it depends on; what these depend on is for things that no server does.
 * @param {string} config
 */
function packagesOf(config) {
  const only = ['recommends', 'suggests', 'conflicts', 'breaks', 'replaces', 'enhances'].map((kind) => `--no-${kind}`);
  const depends = run('apt-cache', ['depends', ...only, 'libzookeeper-java'], { config });
  const direct = [...depends.matchAll(/Depends: (lib\S+-java)$/gm)].map(([, name]) => String(name));
  // Jetty serves servlets, and Netty queues.
  const beyond = direct.includes('libjetty9-java') ? ['libservlet-api-java', 'libjctools-java'] : [];
  return ['libzookeeper-java', ...direct, ...beyond];
}

/**
 * Downloads the packages and unpacks them into `to`, as a whole or not at all.
 * @param {string} config
 * @param {string} to
 */
function unpack(config, to) {
  const packages = packagesOf(config);
  const work = mkdtempSync(`${to}-`);
  try {
    run('apt-get', ['-q', 'download', ...packages], { config, cwd: work });
    const files = readdirSync(work);
    for (const file of files) run('dpkg', ['-x', join(work, file), join(work, 'root')]);
    for (const file of files) rmSync(join(work, file));
    rmSync(to, { recursive: true, force: true });
    renameSync(join(work, 'root'), to);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** @param {string} suite */
function unpackNewest(suite) {
  const config = readSuite(suite);
  const policy = run('apt-cache', ['policy', 'libzookeeper-java'], { config });
  const version = /Candidate: (?:\d+:)?(\d\S*)/.exec(policy)?.[1];
  if (version === undefined) throw new Error('it has no libzookeeper-java');
  const root = join(cache, suite, version);
  if (!existsSync(root)) unpack(config, root);
  return root;
}

/**
 * What was unpacked last.
 * @param {string} suite
 * @returns {string | undefined}
 */
function lastUnpacked(suite) {
  const folder = join(cache, suite);
  if (!existsSync(folder)) return undefined;
  const roots = readdirSync(folder).map((name) => join(folder, name));
  const age = (/** @type {string} */ root) => statSync(root).ctimeMs;
  return roots.filter((root) => existsSync(jarsIn(root))).sort((a, b) => age(b) - age(a))[0];
}

const jarsIn = (/** @type {string} */ root) => join(root, 'usr', 'share', 'java');

/**
 * Sees to it that the newest ZooKeeper of a suite is unpacked; without a network, the one that was unpacked last has to
 * do. Returns its folder, as ZOOKEEPER_HOME takes it.
 * @param {string} suite
 * @returns {string}
 */
function unpackSuite(suite) {
  try {
    return jarsIn(unpackNewest(suite));
  } catch (error) {
    const message = `Debian's suite ${suite} cannot be had.\n${/** @type {Error} */ (error).message}`;
    const root = lastUnpacked(suite);
    if (root === undefined) throw new Error(`${message}\n\n${whatToDo}`, { cause: error });
    console.warn(`${message}\nGoing on with what was unpacked earlier: ${root}`);
    return jarsIn(root);
  }
}

module.exports = { suites, unpackSuite };
