// Builds dist/: CommonJS and its declarations by tsc, then the ESM entries, which re-export the CommonJS ones.
// One implementation, not two: with two, `instanceof` would fail in a process that both imports and requires.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const require = createRequire(import.meta.url);

/** Writes `index.mjs` and `index.d.mts` beside a compiled `index.js`. */
function writeEsmEntry(folder) {
  const names = Object.keys(require(join(folder, 'index.js')))
    .filter((name) => name !== '__esModule')
    .sort();
  writeFileSync(
    join(folder, 'index.mjs'),
    `import entry from './index.js';\n\nexport const {\n${names.map((name) => `  ${name},\n`).join('')}} = entry;\n`,
  );
  writeFileSync(join(folder, 'index.d.mts'), `export * from './index.js';\n`);
}

/** Deletes what an earlier build has left of sources that are gone. */
function removeStale(written, folder) {
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    const file = join(entry.parentPath ?? entry.path, entry.name);
    if (entry.isFile() && !written.has(file)) rmSync(file);
  }
}

// Over what is there, and not into an emptied folder: programs may be running from it.
const dist = join(root, 'dist');
const tsc = spawnSync(
  process.execPath,
  [require.resolve('typescript/bin/tsc'), '-p', join(root, 'tsconfig.build.json'), '--listEmittedFiles'],
  { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] },
);
const emitted = tsc.stdout.split('\n').filter((line) => line.startsWith('TSFILE: '));
process.stdout.write(tsc.stdout.replace(/^TSFILE: .*\n/gm, ''));
if (tsc.status !== 0) process.exit(tsc.status ?? 1);

const entries = ['src', 'recipes'].flatMap((name) =>
  ['index.mjs', 'index.d.mts'].map((file) => join(dist, name, file)),
);
removeStale(new Set([...emitted.map((line) => line.slice('TSFILE: '.length)), ...entries]), dist);
writeEsmEntry(join(dist, 'src'));
writeEsmEntry(join(dist, 'recipes'));
