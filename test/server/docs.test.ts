/**
 * The pages for people: their links lead somewhere, their TypeScript type-checks, and what is marked `run` runs on the
 * built package. In blocks that do not connect by themselves, `zk` is a client.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import ts from 'typescript';
import { runScript } from '../support/child.js';
import { sharedServer, useChroot } from '../support/shared.js';

const root = join(__dirname, '..', '..');

const pages = [
  ...['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md'],
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
].map((name) => ({ name, text: readFileSync(join(root, name), 'utf8') }));

/** A block of code on a page. */
interface Block {
  /** `docs/operations.md:17`: where it begins. */
  readonly at: string;
  readonly language: 'ts' | 'js';
  readonly runs: boolean;
  readonly code: string;
}

const blocks: readonly Block[] = pages.flatMap(({ name, text }) =>
  [...text.matchAll(/^```(ts|js)( run)?\n([\s\S]*?)^```$/gm)].map(([, language, run, code = ''], index, all) => ({
    at: `${name}:${text.slice(0, all[index]?.index).split('\n').length}`,
    language: language === 'js' ? 'js' : 'ts',
    runs: run !== undefined,
    code,
  })),
);

test('every block of code has a language that is known here', () => {
  const opened = pages.flatMap(({ name, text }) =>
    [...text.matchAll(/^```(.+)$/gm)].map(([, info = '']) => `${name}: ${info}`),
  );
  const known = /: (ts|ts run|js run|sh|text|json|python)$/;
  expect(opened.filter((each) => !known.test(each))).toEqual([]);
});

test('every link between the pages leads to a file, and to a heading where it names one', () => {
  const broken = pages.flatMap(({ name, text }) =>
    [...text.matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, target = '']) => target)
      .filter((target) => !/^(https?|mailto):/.test(target) && !leadsSomewhere(name, target))
      .map((target) => `${name}: ${target}`),
  );
  expect(broken).toEqual([]);
});

function leadsSomewhere(page: string, target: string): boolean {
  const [path = '', heading] = target.split('#');
  const file = path === '' ? join(root, page) : join(root, dirname(page), path);
  if (!existsSync(file)) return false;
  return heading === undefined || headingsOf(readFileSync(file, 'utf8')).includes(heading);
}

function headingsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replace(/ /g, '-'),
  );
}

test('the TypeScript type-checks', () => {
  const globals = `import type { ZooKeeper } from 'zookit';\ndeclare global { const zk: ZooKeeper; }\n`;
  const sources = new Map([
    [join(root, 'docs-globals.mts'), globals],
    ...blocks
      .filter(({ language }) => language === 'ts')
      .map(({ at, code }): [string, string] => [
        join(root, `${at.replace(/[^\w]/g, '-')}.mts`),
        `// ${at}\n${code}\nexport {};\n`,
      ]),
  ]);
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), (path) => ts.sys.readFile(path)) as {
    config: { compilerOptions: Record<string, unknown> };
  };
  // Without an outDir, the declarations of the build are what `zookit` means, as for a user.
  const { outDir: _, rootDir: __, ...compilerOptions } = config.compilerOptions;
  const { options } = ts.convertCompilerOptionsFromJson(compilerOptions, root);
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (path) => sources.has(path) || fileExists(path);
  host.readFile = (path) => sources.get(path) ?? readFile(path);
  host.getSourceFile = (path, version) => {
    const text = sources.get(path);
    return text === undefined ? getSourceFile(path, version) : ts.createSourceFile(path, text, version);
  };
  const program = ts.createProgram([...sources.keys()], options, host);
  const problems = ts.getPreEmitDiagnostics(program).map(({ file, start = 0, messageText }) => {
    const at = file === undefined ? '' : `${relative(root, file.fileName)}: ${lineOf(file.text, start)}`;
    return `${at}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
  });
  expect(problems).toEqual([]);
  expect(sources.size).toBeGreaterThan(20);
}, 60_000);

function lineOf(text: string, index: number): string {
  return text.slice(text.lastIndexOf('\n', index - 1) + 1).split('\n', 1)[0] ?? '';
}

describe('runs to its end', () => {
  test.each(blocks.filter(({ runs }) => runs).map((block): [string, Block] => [block.at, block]))(
    '%s',
    async (_, block) => {
      await using child = await runScript({ source: programOf(block, sharedServer().connectString + useChroot()) });
      const { code, stdout, stderr } = await child.result;
      expect(stderr).toBe('');
      expect(code).toBe(0);
      // What a comment behind a console.log says is what it prints.
      for (const [, said = ''] of block.code.matchAll(/console\.log\(.*\); \/\/ (.+)$/gm)) {
        expect(stdout.split('\n')).toContain(said);
      }
    },
  );
});

/** The block as a program that uses the shared server. */
function programOf({ code, language }: Block, server: string): string {
  const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext };
  const script = language === 'ts' ? ts.transpileModule(code, { compilerOptions }).outputText : code;
  if (/ZooKeeper\.(connect|open)\(/.test(code)) {
    return script.replace(/\b(?:localhost|zk\d)(?::2181)?(?:,zk\d(?::2181)?)*/g, server);
  }
  return `import { ZooKeeper as Client } from 'zookit';
globalThis.zk = await Client.connect('${server}');
await zk.ensurePath('/');
${script}
await zk.close();`;
}
