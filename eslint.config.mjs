import js from '@eslint/js';
import importX, { createNodeResolver } from 'eslint-plugin-import-x';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';
import { noImportCycle } from './scripts/no-import-cycle.mjs';

// Which way imports point. This is the only place where it is written down; test/package/import-directions.test.ts
// shows that each line of it is enforced.
const leaves = [
  'errors',
  'events',
  'options',
  'path-schema',
  'paths',
  'acl',
  'stat',
  'clock',
  'log',
  'retry-policy',
  'sasl-options',
  'tls-options',
].map((name) => `./${name}.ts`);
const layers = {
  './src/protocol': ['./protocol', ...leaves],
  './src/operations': ['./operations', './protocol', ...leaves],
  './src/metrics': ['./metrics', ...leaves],
  './src/connection': ['./connection', './protocol', './metrics', ...leaves],
  './src/admin': ['./admin', './connection', './ensemble-config.ts', ...leaves],
  './src/session': ['./session', './operations', './connection', './protocol', './metrics', ...leaves],
};
const outside = ['./recipes', './cli', './test', './examples', './bench', './scripts'];
const zones = [
  ...Object.entries(layers).map(([target, except]) => ({ target, from: './src', except })),
  { target: leaves.map((leaf) => leaf.replace('.', './src')), from: './src', except: leaves },
  { target: './src', from: ['./src/index.ts', ...outside] },
  { target: './src/!(index).ts', from: ['./src/admin', './src/pool', './src/testing'] },
  { target: './src/pool', from: ['./src/admin', './src/testing'] },
  { target: './recipes', from: ['./src', ...outside.filter((folder) => folder !== './recipes')] },
  // The words that recipes share know none of them.
  { target: './recipes/common', from: './recipes', except: ['./common'] },
  { target: ['./cli', './examples', './bench'], from: ['./src', './recipes'] },
  { target: './cli', from: ['./test', './examples', './bench', './scripts'] },
  { target: './test/!(unit)/**', from: ['./src', './recipes', './cli'] },
];

const mayImport = (pattern, message) => ({ patterns: [{ regex: pattern, message }] });

const timeMessage = 'Only src/clock.ts asks for the time; in recipes only common/waiting.ts and common/sweeper.ts do.';
const noTime = {
  'no-restricted-globals': [
    'error',
    ...['setTimeout', 'setInterval', 'performance'].map((name) => ({ name, message: timeMessage })),
  ],
  'no-restricted-properties': [
    'error',
    ...['setTimeout', 'setInterval', 'performance'].map((property) => ({
      object: 'globalThis',
      property,
      message: timeMessage,
    })),
    { object: 'Date', property: 'now', message: timeMessage },
    { object: 'process', property: 'hrtime', message: timeMessage },
  ],
  'no-restricted-syntax': [
    'error',
    { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: timeMessage },
    { selector: "CallExpression[callee.name='Date']", message: timeMessage },
    {
      selector:
        ':matches(ImportDeclaration, ExportAllDeclaration, ExportNamedDeclaration)[source.value=/^(node:)?(timers|perf_hooks)/]',
      message: timeMessage,
    },
  ],
};

export default defineConfig(
  globalIgnores(['dist/', 'coverage/']),
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,
  {
    files: ['**/*.mjs', '**/*.cjs'],
    languageOptions: {
      globals: Object.fromEntries(
        ['console', 'process', 'performance', 'setTimeout', 'clearTimeout', 'Buffer', 'URL', 'AbortController'].map(
          (name) => [name, 'readonly'],
        ),
      ),
    },
  },
  {
    files: ['**/*.cjs'],
    languageOptions: { sourceType: 'commonjs', globals: { __dirname: 'readonly' } },
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { 'import-x': importX, local: { rules: { 'no-import-cycle': noImportCycle } } },
    settings: {
      'import-x/resolver-next': [
        createNodeResolver({ extensions: ['.ts', '.js'], extensionAlias: { '.js': ['.ts', '.js'] } }),
      ],
    },
    rules: {
      'import-x/no-restricted-paths': ['error', { basePath: import.meta.dirname, zones }],
      'import-x/no-self-import': 'error',
      'import-x/no-default-export': 'error',
      'import-x/no-duplicates': ['error', { 'prefer-inline': true }],
      'import-x/first': 'error',
      'local/no-import-cycle': 'error',

      eqeqeq: 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/consistent-type-exports': ['error', { fixMixedExportsWithInlineTypeSpecifier: true }],
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      // Numbers and booleans in messages are what template literals are for.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      // `() => emitter.off(...)` and `(): void => done()` are shorter than the blocks around them.
      '@typescript-eslint/no-confusing-void-expression': 'off',
      // It takes what was true before an `await` to be true after it.
      '@typescript-eslint/no-unnecessary-condition': 'off',
      // `defineOperation<Request, void>` and `json<T>()` say what they mean.
      '@typescript-eslint/no-invalid-void-type': 'off',
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      '@typescript-eslint/prefer-nullish-coalescing': ['error', { ignorePrimitives: { string: true } }],
      'no-restricted-syntax': ['error', { selector: 'TSEnumDeclaration', message: 'Use an `as const` object.' }],
    },
  },
  {
    files: ['src/**/*.ts', 'recipes/**/*.ts', 'cli/**/*.ts'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/non-nullable-type-assertion-style': 'off',
      '@typescript-eslint/no-explicit-any': 'error',
      'import-x/no-extraneous-dependencies': ['error', { devDependencies: false }],
    },
  },
  {
    files: ['src/**/*.ts'],
    rules: {
      'no-restricted-imports': ['error', mayImport('^zookit(/|$)', 'Inside src, import the file that you need.')],
    },
  },
  {
    files: ['recipes/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        mayImport(
          '^(?!zookit$|\\./|\\.\\./(?!src/|test/)[a-z]+/[a-z-]+\\.js$|node:|long$)',
          "Recipes import 'zookit', each other, and what a user could.",
        ),
      ],
    },
  },
  {
    files: ['cli/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        mayImport(
          '^(?!zookit$|zookit/recipes$|\\./[a-z-]+\\.js$|node:)',
          "The command line imports 'zookit' and 'zookit/recipes', as any program of a user.",
        ),
      ],
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/explicit-module-boundary-types': 'off',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-empty-function': 'off',
      '@typescript-eslint/no-misused-spread': 'off',
      // `expect(object.method)` compares the function and does not call it.
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  {
    files: ['src/**/*.ts', 'recipes/**/*.ts'],
    ignores: ['src/clock.ts', 'recipes/common/waiting.ts', 'recipes/common/sweeper.ts'],
    rules: {
      ...noTime,
      'no-restricted-syntax': [
        ...noTime['no-restricted-syntax'],
        { selector: 'TSEnumDeclaration', message: 'Use an `as const` object.' },
      ],
    },
  },
  {
    files: ['src/*/**/index.ts'],
    ignores: ['src/operations/index.ts', 'src/testing/index.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        { selector: 'Program', message: 'Import the file that you need: an index here would only hide it.' },
      ],
    },
  },
);
