// `npm run bench`: everything side by side, in turns. See README.md for the options.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { targets } from './runner/cases.mjs';
import { findClients } from './runner/clients.mjs';
import { compare } from './runner/compare.mjs';
import { judge } from './runner/goals.mjs';
import { machine } from './runner/machine.mjs';
import { readOptions } from './runner/options.mjs';
import { registerServices } from './runner/prepare.mjs';
import { startTarget } from './runner/servers.mjs';
import { caseTable, describe, short, table } from './runner/tables.mjs';
import { measureGrowth } from './growth/run.mjs';
import { measureServices } from './services/run.mjs';

function doesTakePart({ takesPart, mostContenders = Infinity }, { work, window }) {
  return takesPart.includes(work) && (work !== 'mutex' || window <= mostContenders);
}

/** All cases of a part on one server. The clients' processes live as long as the part. */
async function runPart(part, cases, clients, server, options) {
  const taking = clients.filter(({ takesPart }) => cases.some(({ work }) => takesPart.includes(work)));
  const running = taking.map((client) => ({ ...client, driver: client.start() }));
  const services = part === 'registry' ? await registerServices(server.port, cases[0].count) : undefined;
  const done = [];
  try {
    for (const details of cases) {
      console.log(`\n${server.target}: ${describe(details)}`);
      const taken = running.filter((client) => doesTakePart(client, details));
      const results = await compare(taken, { ...details, port: server.port }, options);
      done.push({ target: server.target, ...details, results });
      console.log(caseTable(done.at(-1)));
    }
  } finally {
    await services?.close();
    await Promise.all(running.map(({ driver }) => driver.end()));
  }
  return done;
}

async function runTarget(target, clients, options) {
  const wanted = Object.entries(targets[target]).filter(([part]) => options.only.includes(part));
  if (wanted.length === 0) return { cases: [] };
  const server = await startTarget(
    target,
    clients.map(({ name }) => name),
  );
  const cases = [];
  try {
    for (const [part, works] of wanted) {
      cases.push(...(await runPart(part, works, clients, { ...server, target }, options)));
    }
  } finally {
    await server.end();
  }
  return { cases, version: server.version };
}

/** Also in between: a run of all takes most of an hour. */
function save() {
  mkdirSync(dirname(resolve(options.output)), { recursive: true });
  writeFileSync(options.output, `${JSON.stringify(output, null, 1)}\n`);
}

const options = readOptions();
const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const clients = findClients(version, options.clients);
const output = { ...machine(), rounds: options.rounds, seconds: options.seconds, clients: {}, cases: [] };
for (const client of clients) output.clients[client.name] = client.version;
console.log(
  `${output.processor}, ${output.cores} cores; ${clients.map((each) => `${each.name} ${each.version}`).join(', ')}`,
);

for (const target of options.targets) {
  const { cases, version: server } = await runTarget(target, clients, options);
  output.cases.push(...cases);
  if (server !== undefined) output.server = server;
  save();
}
if (options.only.includes('services')) output.services = await measureServices(options);
save();
if (options.only.includes('growth')) output.growth = await measureGrowth();
save();

const judged = judge(output.cases);
if (judged.length > 0) {
  console.log('\nWhat is aimed at');
  const rows = judged.map(({ name, what, aim, value, isMet }) => [name, what, aim, short(value), isMet ? 'yes' : 'no']);
  console.log(table([['', 'what', 'aim', 'measured', 'met'], ...rows]));
}
console.log(`\nResults: ${options.output}`);
