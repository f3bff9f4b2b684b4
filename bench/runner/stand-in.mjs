import { fileURLToPath } from 'node:url';
import { Child } from './child.mjs';

/** Starts the stand-in server in a process of its own. */
export async function startStandIn() {
  const file = fileURLToPath(new URL('../wire/stand-in.mjs', import.meta.url));
  const child = new Child('stand-in', process.execPath, [file]);
  const port = Number(await child.line());
  return { port, end: () => child.end() };
}
