// A client in a process of its own: `node driver.mjs NAME`. One line of JSON in, one out: `open` with a work, `run` with
// times, `calls` with their number, `close`; it ends with its standard input. The drivers of other languages speak the same.
import { createInterface } from 'node:readline';
import { measure, measureCalls } from './measure.mjs';

const [, , name] = process.argv;
const { open } = await import(`./${name}.mjs`);

let client;
const commands = {
  open: async (work) => {
    client = await open(work);
    return {};
  },
  run: (times) => measure(client, times),
  calls: (most) => measureCalls(client, most),
  close: async () => {
    await client?.close();
    client = undefined;
    return {};
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { command, ...details } = JSON.parse(line);
  const answer = await commands[command](details).catch((error) => ({ error: String(error?.stack ?? error) }));
  console.log(JSON.stringify(answer));
}
process.exit(0);
