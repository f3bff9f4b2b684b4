// An eslint rule: no cycle of imports, also none of `import type`, which the rules of the plugins leave out.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import ts from 'typescript';

/** @type {Map<string, { changed: number, imports: string[] }>} */
const known = new Map();

function target(from, specifier) {
  if (!specifier.startsWith('.')) return undefined;
  const path = resolve(dirname(from), specifier.replace(/\.js$/, '.ts'));
  return existsSync(path) ? path : undefined;
}

function importsOf(file) {
  const changed = statSync(file).mtimeMs;
  const entry = known.get(file);
  if (entry?.changed === changed) return entry.imports;
  const { importedFiles } = ts.preProcessFile(readFileSync(file, 'utf8'), true, false);
  const imports = importedFiles.map(({ fileName }) => target(file, fileName)).filter((path) => path !== undefined);
  known.set(file, { changed, imports });
  return imports;
}

/** The files on a way from `start` to `goal`, or undefined if there is none. */
function way(start, goal) {
  const cameFrom = new Map([[start, undefined]]);
  for (const file of cameFrom.keys()) {
    if (file === goal) {
      const files = [];
      for (let at = file; at !== undefined; at = cameFrom.get(at)) files.unshift(at);
      return files;
    }
    for (const next of importsOf(file)) if (!cameFrom.has(next)) cameFrom.set(next, file);
  }
  return undefined;
}

export const noImportCycle = {
  meta: { type: 'problem', messages: { cycle: 'This import closes a cycle: {{ files }}.' }, schema: [] },
  create(context) {
    const check = (node) => {
      const imported = node.source && target(context.filename, node.source.value);
      const files = imported && way(imported, context.filename);
      if (!files) return;
      const names = files.map((file) => file.slice(context.cwd.length + 1)).join(' -> ');
      context.report({ node, messageId: 'cycle', data: { files: names } });
    };
    return { ImportDeclaration: check, ExportNamedDeclaration: check, ExportAllDeclaration: check };
  },
};
