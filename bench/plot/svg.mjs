// The little of SVG that the plots need. Written by hand, so that a plot is a text that can be compared.

/** The colours of clients: the same in each plot. zookit stands out. */
export const colors = {
  zookit: '#c2410c',
  raw: '#111827',
  'node-zookeeper-client': '#2563eb',
  zookeeper: '#0d9488',
  java: '#7c3aed',
  curator: '#7c3aed',
  kazoo: '#ca8a04',
};

const escaped = (text) => String(text).replace(/[&<>]/g, (sign) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[sign]);

const attributes = (values) =>
  Object.entries(values)
    .map(([name, value]) => ` ${name}="${typeof value === 'number' ? Number(value.toFixed(1)) : value}"`)
    .join('');

export const line = (x1, y1, x2, y2, stroke = '#e5e7eb') => `<line${attributes({ x1, y1, x2, y2, stroke })}/>`;

export const text = (x, y, content, more = {}) => `<text${attributes({ x, y, ...more })}>${escaped(content)}</text>`;

export const rect = (x, y, width, height, fill) => `<rect${attributes({ x, y, width, height, fill })}/>`;

export const circle = (cx, cy, fill) => `<circle${attributes({ cx, cy, r: 3, fill })}/>`;

export const path = (points, stroke, width) =>
  `<polyline${attributes({
    points: points.map((point) => point.map((value) => value.toFixed(1)).join(',')).join(' '),
    fill: 'none',
    stroke,
    'stroke-width': width,
  })}/>`;

/** A whole picture, on white: pages may be dark. */
export const picture = (width, height, parts) =>
  [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="sans-serif" font-size="12">`,
    rect(0, 0, width, height, '#ffffff'),
    ...parts,
    '</svg>',
    '',
  ].join('\n');

/** 1,500,000 as 1.5 M. */
export function shortNumber(value) {
  for (const [unit, sign] of [
    [1e6, ' M'],
    [1e3, ' k'],
  ]) {
    if (value >= unit) return `${Number((value / unit).toPrecision(3))}${sign}`;
  }
  return `${Number(value.toPrecision(3))}`;
}
