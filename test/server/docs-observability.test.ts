/** The examples of docs/observability.md do what they are for; that they run is shown by docs.test.ts. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import ts from 'typescript';
import { runScript } from '../support/child.js';
import { sharedServer, useChroot } from '../support/shared.js';

const page = readFileSync(join(__dirname, '..', '..', 'docs', 'observability.md'), 'utf8');

/** The block of code in which the text stands, as JavaScript. */
function exampleWith(text: string): string {
  const block =
    [...page.matchAll(/^```ts run\n([\s\S]*?)^```$/gm)].find(([, code = '']) => code.includes(text))?.[1] ?? '';
  expect(block).not.toBe('');
  const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext };
  return ts.transpileModule(block, { compilerOptions }).outputText;
}

/** Runs the example, then `after`, and returns what they print. */
async function run(example: string, after: string, before = ''): Promise<string> {
  const source = `import { ZooKeeper as Client } from 'zookit';
    ${before}
    globalThis.zk = await Client.connect('${sharedServer().connectString}${useChroot()}');
    await zk.ensurePath('/');
    ${example}
    ${after}
    await zk.close();`;
  await using child = await runScript({ source });
  const { code, stdout, stderr } = await child.result;
  expect([code, stderr]).toEqual([0, '']);
  return stdout;
}

test('OpenTelemetry: an operation is a span, below the one that is active at the call', async () => {
  const tracer = `
    import { context, trace as tracing } from '@opentelemetry/api';
    import { AsyncLocalStorage } from 'node:async_hooks';
    const storage = new AsyncLocalStorage();
    context.setGlobalContextManager({
      active: () => storage.getStore() ?? new Map(),
      with: (active, run) => storage.run(active, run),
      bind: (_, target) => target, enable: () => undefined, disable: () => undefined,
    });
    const startSpan = (name, { kind, attributes }) => {
      const span = { name, kind, attributes, parent: storage.getStore()?.name, ended: 0 };
      return Object.assign(span, {
        setAttributes: (more) => Object.assign(attributes, more),
        setStatus: (status) => (span.status = status),
        end: () => { span.ended++; console.log(JSON.stringify(span)); },
      });
    };
    tracing.setGlobalTracerProvider({ getTracer: () => ({ startSpan }) });`;
  const after = `
    await storage.run({ name: 'request 7' }, () => zk.getData('/missing').catch(() => undefined));`;
  const spans = (await run(exampleWith('@opentelemetry/api'), after, tracer))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { name: string; attributes: Record<string, unknown> });
  const failed = spans.find(({ name }) => name === 'zookeeper getData');
  expect(failed).toMatchObject({ kind: 2, parent: 'request 7', ended: 1, status: { code: 2, message: 'NO_NODE' } });
  expect(failed?.attributes).toMatchObject({
    'db.operation.name': 'getData',
    'server.address': sharedServer().connectString,
    'zookeeper.session': expect.stringMatching(/^0x[1-9a-f]/),
  });
  expect(spans.find(({ name }) => name === 'zookeeper exists')).toMatchObject({ ended: 1 });
});

test('Prometheus: the page is in its text format', async () => {
  const text = await run(exampleWith('function prometheus'), `console.log('BEGIN'); console.log(prometheus(zk));`);
  const lines = text
    .slice(text.indexOf('BEGIN') + 6)
    .trim()
    .split('\n');
  expect(lines.length).toBeGreaterThan(30);
  const isRight = /^(# TYPE \w+ (counter|gauge|histogram)|\w+(\{\w+="[\w.+]+"(,\w+="\w+")*\})? -?[\d.e+-]+)$/;
  expect(lines.filter((line) => !isRight.test(line))).toEqual([]);
  const buckets = lines.filter((line) => line.includes('_bucket')).map((line) => Number(line.split(' ')[1]));
  expect(buckets).toEqual([...buckets].sort((a, b) => a - b));
  expect(lines).toContain(`zookit_operation_duration_seconds_count ${buckets.at(-1)}`);
});
