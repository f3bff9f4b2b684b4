// `node bench/publish.mjs [FILE...]`: puts results of `npm run bench` into docs: the JSON, the plots, and the tables of
// docs/performance.md. Several files are taken together; they must be of one machine.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { plotOperations, plotRecipes } from './plot/plot.mjs';
import { resultsFile } from './runner/cache.mjs';
import { page } from './runner/page.mjs';

const docs = fileURLToPath(new URL('../docs', import.meta.url));
const folder = join(docs, 'performance');

function readAll(files) {
  const [first, ...others] = files.map((file) => JSON.parse(readFileSync(file, 'utf8')));
  for (const other of others) {
    const differs = ['processor', 'cores', 'node'].find((name) => other[name] !== first[name]);
    if (differs !== undefined) throw new Error(`results of two machines: ${differs} differs`);
    first.cases.push(...other.cases);
    first.growth ??= other.growth;
    first.services ??= other.services;
    first.server ??= other.server;
    Object.assign(first.clients, other.clients);
  }
  return first;
}

const files = process.argv.slice(2);
const results = readAll(files.length > 0 ? files : [resultsFile]);
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, 'results.json'), `${JSON.stringify(results, null, 1)}\n`);
for (const [name, plot] of Object.entries({ operations: plotOperations, recipes: plotRecipes })) {
  const drawn = plot(results);
  if (drawn !== undefined) writeFileSync(join(folder, `${name}.svg`), drawn);
}

const pageFile = join(docs, 'performance.md');
const marked = /(<!-- figures -->\n)[^]*(<!-- end of figures -->)/;
const text = readFileSync(pageFile, 'utf8');
if (!marked.test(text)) throw new Error('docs/performance.md has no place for the figures');
writeFileSync(
  pageFile,
  text.replace(marked, (_, begin, end) => `${begin}\n${page(results)}\n${end}`),
);
