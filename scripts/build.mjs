// Builds dist/: CommonJS and its declarations by tsc, then the ESM entries, which re-export the CommonJS ones.
// One implementation, not two: with two, `instanceof` would fail in a process that both imports and requires.
import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
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

rmSync(join(root, 'dist'), { recursive: true, force: true });
const tsc = spawnSync(
  process.execPath,
  [require.resolve('typescript/bin/tsc'), '-p', join(root, 'tsconfig.build.json')],
  { stdio: 'inherit' },
);
if (tsc.status !== 0) process.exit(tsc.status ?? 1);

writeEsmEntry(join(root, 'dist', 'src'));
writeEsmEntry(join(root, 'dist', 'recipes'));
