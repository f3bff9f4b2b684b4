import { connect } from 'node:net';
import type { ProxyTarget } from './proxy.js';

/** The paths at and below `prefix` that a server watches for somebody, sorted; one for each session that watches it. */
export async function watchedPaths(server: ProxyTarget, prefix: string): Promise<string[]> {
  const watched: string[] = [];
  let path = '';
  for (const line of (await ask(server, 'wchp')).split('\n')) {
    if (line.startsWith('/')) path = line;
    else if (line.startsWith('\t') && (path === prefix || path.startsWith(`${prefix}/`))) watched.push(path);
  }
  return watched.sort();
}

/** The answer to a four-letter word. */
function ask({ host, port }: ProxyTarget, word: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect({ host, port }, () => socket.write(word));
    socket.setEncoding('utf8').on('data', (chunk: string) => (answer += chunk));
    socket.on('error', reject).on('close', () => resolve(answer));
  });
}
