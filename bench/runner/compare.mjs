// One case, all clients: each in a process of its own with a session of its own, one at work at a time, in turns.
import { summarize } from './figures.mjs';

/** The first turn of each is longer, and does not count. */
const WARM_UP = { warmup: 1_500, measure: 200 };

async function openAll(clients, details) {
  const opened = [];
  for (const { name, driver } of clients) {
    try {
      await driver.ask('open', { ...details, name });
      await driver.ask('run', WARM_UP);
      opened.push({ name, driver, rounds: [] });
    } catch (error) {
      console.log(`  ${name} is left out of this: ${error.message.split('\n')[0]}`);
    }
  }
  return opened;
}

/** @returns what each client came to, by its name */
export async function compare(clients, details, { rounds, seconds }) {
  const { times = 1 } = details;
  const opened = await openAll(clients, details);
  const failed = new Set();
  for (let round = 0; round < rounds; round++) {
    // Each time somebody else begins, so that nobody is always behind the same one.
    for (let index = 0; index < opened.length; index++) {
      const client = opened[(index + round) % opened.length];
      if (failed.has(client)) continue;
      try {
        client.rounds.push(await client.driver.ask('run', { warmup: 200, measure: seconds * 1_000 * times }));
      } catch (error) {
        failed.add(client);
        console.log(`  ${client.name} failed: ${error.message.split('\n')[0]}`);
      }
    }
  }
  for (const { driver } of opened) await driver.ask('close').catch(() => undefined);
  const whole = opened.filter(
    (client) => !failed.has(client) && client.rounds.every(({ operations }) => operations > 0),
  );
  for (const client of opened) {
    if (!failed.has(client) && !whole.includes(client))
      console.log(`  ${client.name} finished nothing in ${seconds * times} s`);
  }
  return whole.map(({ name, rounds: each }) => ({ client: name, ...summarize(each) }));
}
