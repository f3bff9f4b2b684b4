// A panel of bars: groups of them, one for each client, with the figure at the end.
import { colors, line, rect, shortNumber, text } from './svg.mjs';

const BAR = 15;
const GAP = 26;

/** How high a panel is. */
export const barsHeight = (groups) => groups.reduce((sum, { bars }) => sum + bars.length * BAR + GAP, 0);

/** @param groups `[{ title, bars: [{ client, value }] }]`; each group has a scale of its own */
export function barsPanel({ left, top, width }, title, groups) {
  const parts = [text(left, top - 14, title, { 'font-weight': 'bold' })];
  let y = top;
  for (const { title: name, bars } of groups) {
    y += GAP - BAR / 2;
    parts.push(text(left, y - 4, name));
    const most = Math.max(...bars.map(({ value }) => value));
    parts.push(line(left, y, left, y + bars.length * BAR, '#9ca3af'));
    for (const { client, value } of bars) {
      const length = (value / most) * (width - 190);
      parts.push(rect(left, y + 1, Math.max(1, length), BAR - 3, colors[client]));
      parts.push(text(left + length + 6, y + BAR - 4, `${client} ${shortNumber(value)}`, { fill: colors[client] }));
      y += BAR;
    }
    y += BAR / 2;
  }
  return parts;
}
