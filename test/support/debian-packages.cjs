// @ts-check
// Packages out of any of Debian's suites: unpacked into a cache folder, not installed. Any user may do it. Also a command,
// for .ci: `unpack SUITE PACKAGE` writes the folder, `sources SUITE` the lines of sources.list.
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
const { homedir, tmpdir } = require('node:os');
const { join } = require('node:path');

/** Where a suite is looked for, after the machine's own mirrors: Debian's, and where old suites are moved to. */
const publicSites = ['http://deb.debian.org', 'http://archive.debian.org'];

const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** Reads what apt reads, by apt's own settings. */
const aptHelper = '/usr/lib/apt/apt-helper';

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

/**
 * The mirrors that may have a suite of Debian, the machine's own ones first.
 * @param {'debian' | 'debian-security'} [archive]
 */
function mirrors(archive = 'debian') {
  const sites = run('apt-get', ['indextargets', '--format', '$(SITE)', 'Created-By: Packages']).split('\n');
  const own = sites.map((site) => site.replace(/\/$/, '')).filter((site) => site.endsWith(`/${archive}`));
  return [...new Set([...own, ...publicSites.map((site) => `${site}/${archive}`)])];
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
  const lines = Object.entries(settings).map(([name, value]) => `${name} "${value}";\n`);
  writeFileSync(config, lines.join(''));
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
 * Downloads packages and unpacks them into `to`, as a whole or not at all.
 * @param {string} config
 * @param {readonly string[]} packages
 * @param {string} to
 */
function unpack(config, packages, to) {
  mkdirSync(join(to, '..'), { recursive: true });
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

/**
 * What was unpacked last.
 * @param {string} folder
 * @returns {string | undefined}
 */
function lastUnpacked(folder) {
  const names = existsSync(folder) ? readdirSync(folder) : [];
  const roots = names.map((name) => join(folder, name)).filter((root) => existsSync(join(root, 'usr')));
  const age = (/** @type {string} */ root) => statSync(root).ctimeMs;
  return roots.sort((a, b) => age(b) - age(a))[0];
}

/**
 * Sees to it that the newest version of a package of a suite is unpacked; without a network, the one that was unpacked
 * last has to do. Returns the folder.
 * @param {string} suite
 * @param {string} name
 * @param {(config: string) => readonly string[]} [packages] what is unpacked with it, itself included
 * @returns {string}
 */
function unpackPackage(suite, name, packages = () => [name]) {
  const folder = join(cache, suite, name);
  try {
    const config = readSuite(suite);
    const version = /Candidate: (?:\d+:)?(\d\S*)/.exec(run('apt-cache', ['policy', name], { config }))?.[1];
    if (version === undefined) throw new Error(`it has no ${name}`);
    const root = join(folder, version);
    if (!existsSync(root)) unpack(config, packages(config), root);
    return root;
  } catch (error) {
    const message = `Debian's suite ${suite} cannot be had.\n${/** @type {Error} */ (error).message}`;
    const root = lastUnpacked(folder);
    if (root === undefined) throw new Error(message, { cause: error });
    console.warn(`${message}\nGoing on with what was unpacked earlier: ${root}`);
    return root;
  }
}

/**
 * Whether there is such a suite. It is not checked: whoever reads packages from it checks the signature.
 * @param {string} mirror
 * @param {string} suite
 */
function hasSuite(mirror, suite) {
  const folder = mkdtempSync(join(tmpdir(), 'zookit-suite-'));
  try {
    run(aptHelper, ['download-file', `${mirror}/dists/${suite}/InRelease`, join(folder, 'InRelease')]);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/**
 * The lines of sources.list for a system of this suite: with its updates and its security updates, if it has these.
 * @param {string} suite
 */
function sourcesOf(suite) {
  const source = (/** @type {string[]} */ sites, /** @type {string} */ name) => {
    const site = sites.find((mirror) => hasSuite(mirror, name));
    return site === undefined ? [] : [`deb ${site} ${name} main`];
  };
  const main = source(mirrors(), suite);
  if (main.length === 0) throw new Error(`no mirror has Debian's suite ${suite}: ${mirrors().join(', ')}`);
  // It is its own update.
  if (suite === 'sid') return main;
  const [, mirror = ''] = String(main[0]).split(' ');
  return [...main, ...source([mirror], `${suite}-updates`), ...source(mirrors('debian-security'), `${suite}-security`)];
}

if (require.main === module) {
  const [command, suite = '', name = ''] = process.argv.slice(2);
  try {
    console.log(command === 'sources' ? sourcesOf(suite).join('\n') : unpackPackage(suite, name));
  } catch (error) {
    console.error(/** @type {Error} */ (error).message);
    process.exitCode = 1;
  }
}

module.exports = { cache, run, unpackPackage };
