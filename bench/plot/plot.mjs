// The two pictures of docs/performance.md, out of results.
import { describe } from '../runner/tables.mjs';
import { barsHeight, barsPanel } from './bars.mjs';
import { linesPanel } from './lines.mjs';
import { picture } from './svg.mjs';

const shown = ['raw', 'zookit', 'node-zookeeper-client', 'zookeeper', 'java', 'kazoo'];

/** Rates of get by window, a series a client. */
function seriesOf(cases, target) {
  const gets = cases.filter((each) => each.target === target && each.work === 'get' && each.bytes === 100);
  return shown
    .map((client) => ({
      client,
      points: gets.flatMap(({ window, results }) => {
        const result = results.find((each) => each.client === client);
        return result === undefined ? [] : [[window, result.rate]];
      }),
    }))
    .filter(({ points }) => points.length > 0);
}

/** How many reads a second, by window and server. Undefined where nothing was measured. */
export function plotOperations({ cases }) {
  const panels = [
    ['stand-in', 'A server that answers at once: the client is the limit'],
    ['standalone', 'A real server'],
    ['ensemble', 'A real ensemble of three'],
  ]
    .map(([target, title]) => ({ title, series: seriesOf(cases, target) }))
    .filter(({ series }) => series.length > 0);
  if (panels.length === 0) return undefined;
  const [width, height] = [460, 250];
  const parts = panels.flatMap(({ title, series }, index) =>
    linesPanel(
      { left: 60, top: 60 + index * (height + 90), width, height },
      `get of 100 bytes, a second. ${title}`,
      series,
    ),
  );
  return picture(700, 30 + panels.length * (height + 90), parts);
}

/** How the recipes do, side by side. Undefined where nothing was measured. */
export function plotRecipes({ cases }) {
  const groups = cases
    .filter(({ work }) => ['mutex', 'list', 'pick', 'fanout'].includes(work))
    .map(({ results, ...details }) => ({
      title: describe(details),
      bars: results.map(({ client, rate }) => ({ client: client.replace('-recipes', ''), value: rate })),
    }))
    .filter(({ bars }) => bars.length > 0);
  if (groups.length === 0) return undefined;
  const parts = barsPanel({ left: 30, top: 50, width: 640 }, 'Recipes on one real server, a second', groups);
  return picture(700, 60 + barsHeight(groups), parts);
}
