import type { Socket } from 'node:net';

/** Ends a connection by RST; by FIN if it is already being ended, where Node 20 cannot reset and would leak it. */
export function reset(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}
