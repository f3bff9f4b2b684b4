// A panel of lines: how a rate grows with the window, both on logarithmic scales.
import { circle, colors, line, path, shortNumber, text } from './svg.mjs';

const log = (value, [from, to]) => Math.log(value / from) / Math.log(to / from);

/** @param series `[{ client, points: [[window, rate], ...] }]` */
export function linesPanel({ left, top, width, height }, title, series) {
  const all = series.flatMap(({ points }) => points);
  const windows = [...new Set(all.map(([window]) => window))].sort((a, b) => a - b);
  const rates = all.map(([, rate]) => rate);
  const across = [windows[0], windows.at(-1)];
  const up = [10 ** Math.floor(Math.log10(Math.min(...rates))), 10 ** Math.ceil(Math.log10(Math.max(...rates)))];
  const x = (window) => left + log(window, across) * width;
  const y = (rate) => top + height - log(rate, up) * height;
  const parts = [text(left, top - 14, title, { 'font-weight': 'bold' })];
  for (let rate = up[0]; rate <= up[1]; rate *= 10) {
    parts.push(line(left, y(rate), left + width, y(rate)));
    parts.push(text(left - 6, y(rate) + 4, shortNumber(rate), { 'text-anchor': 'end' }));
  }
  for (const window of windows) parts.push(text(x(window), top + height + 16, window, { 'text-anchor': 'middle' }));
  parts.push(text(left + width / 2, top + height + 34, 'operations in flight', { 'text-anchor': 'middle' }));
  for (const { client, points } of series) {
    const places = points.map(([window, rate]) => [x(window), y(rate)]);
    parts.push(path(places, colors[client], client === 'zookit' ? 3 : 1.5));
    parts.push(...places.map(([cx, cy]) => circle(cx, cy, colors[client])));
  }
  // Labels at the ends of the lines, moved down where they would cover each other.
  let free = -Infinity;
  const ends = series.map(({ client, points }) => ({ client, at: y(points.at(-1)[1]) }));
  for (const { client, at } of ends.sort((a, b) => a.at - b.at)) {
    free = Math.max(at + 4, free + 14);
    parts.push(text(left + width + 8, free, client, { fill: colors[client] }));
  }
  return parts;
}
