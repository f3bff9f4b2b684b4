// Lints what eslint does not read: the shell of .ci and image, and image/Dockerfile with the shell inside.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { validate } from 'dockerfile-utils';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dockerfile = 'image/Dockerfile';

/** The scripts below a folder, by their first line. What they source is checked with them, where it is used. */
function scriptsIn(folder) {
  const entries = readdirSync(join(root, folder), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return files.filter((file) => /^#!.*\b(ba)?sh\n/.test(readFileSync(file, 'utf8'))).sort();
}

/** Returns whether shellcheck finds nothing. */
function shellcheck(args, input = '') {
  const { status, error } = spawnSync('shellcheck', args, { cwd: root, input, stdio: ['pipe', 'inherit', 'inherit'] });
  if (error !== undefined) throw new Error(`shellcheck is missing: on Debian, apt-get install shellcheck`);
  return status === 0;
}

/** The commands of the RUN lines, each at the line where it stands in the file. */
function commandsOf(text) {
  let inside = false;
  const lines = text.split('\n').map((line) => {
    const begins = /^RUN\s+(?!\[)/.test(line);
    const command = begins || (inside && !/^\s*#/.test(line));
    const shown = begins ? line.replace(/^RUN/, '   ') : line;
    if (!/^\s*#/.test(line)) inside = (begins || inside) && line.endsWith('\\');
    return command ? shown : '';
  });
  return lines.join('\n');
}

const text = readFileSync(join(root, dockerfile), 'utf8');
const found = validate(text).map(({ range, message }) => `${dockerfile}:${range.start.line + 1}: ${message}`);
for (const line of found) console.error(line);

const scripts = ['.ci', 'image'].flatMap(scriptsIn);
const clean = [
  shellcheck(['--external-sources', '--check-sourced', ...scripts]),
  shellcheck(['--shell=sh', '-'], commandsOf(text)),
  found.length === 0,
];
if (clean.includes(false)) process.exit(1);
