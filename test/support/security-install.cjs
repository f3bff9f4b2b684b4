// @ts-check
'use strict';

const { spawnSync } = require('node:child_process');
const { existsSync } = require('node:fs');
const { dirname, join } = require('node:path');

/** What the tests of TLS and Kerberos need, and the packages of Debian and Ubuntu that have it. */
const needs = [
  { file: 'openssl', packages: ['openssl'] },
  { file: 'krb5kdc', packages: ['krb5-kdc', 'krb5-admin-server'] },
  { file: 'kinit', packages: ['krb5-user'] },
  { file: 'krb5-config', packages: ['libkrb5-dev'] },
  { file: 'python3', packages: ['python3'] },
  { file: 'make', packages: ['make'] },
  { file: 'g++', packages: ['g++'] },
];

/** The optional package `kerberos`, in a place of its own: it is compiled, which must not keep anybody from `npm ci`. */
const folder = join(__dirname, 'kerberos');
const addon = join(folder, 'node_modules', 'kerberos', 'build', 'Release', 'kerberos.node');

/** @param {string} program */
function isInstalled(program) {
  const places = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin'];
  return places.some((place) => existsSync(join(place, program)));
}

/**
 * @param {string} command
 * @param {string[]} args
 * @param {import('node:child_process').SpawnSyncOptions} options
 */
function run(command, args, options) {
  const { status } = spawnSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'], ...options });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed`);
}

function installPrograms() {
  const missing = needs.filter(({ file }) => !isInstalled(file)).flatMap(({ packages }) => packages);
  if (missing.length === 0) return;
  if (!isInstalled('apt-get') || process.getuid?.() !== 0)
    throw new Error(`these packages of Debian are missing, or what is like them: ${missing.join(' ')}`);
  console.log(`Installing ${missing.join(', ')} with apt-get`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  run('apt-get', ['-q', 'update'], { env });
  run('apt-get', ['-q', 'install', '-y', '--no-install-recommends', ...missing], { env });
}

function installAddon() {
  if (existsSync(addon)) return;
  console.log('Compiling the package kerberos for the tests');
  // From source, because the binaries are at a place that not every machine reaches; with the headers that came with
  // this Node, if there are any.
  const prefix = dirname(dirname(process.execPath));
  const headers = existsSync(join(prefix, 'include', 'node', 'node.h')) ? { npm_config_nodedir: prefix } : {};
  run('npm', ['ci', '--no-audit', '--no-fund'], {
    cwd: folder,
    env: { ...process.env, ...headers, npm_config_build_from_source: 'true' },
  });
  if (!existsSync(addon)) throw new Error('npm has not compiled the package kerberos');
}

/** Installs what is missing. Without it only the tests of Kerberos and TLS fail, so it is no error here. */
function installSecurity() {
  try {
    installPrograms();
    installAddon();
  } catch (error) {
    console.warn(`The tests of TLS or Kerberos will fail: ${/** @type {Error} */ (error).message}`);
  }
}

module.exports = { installSecurity };
