import type { Socket } from 'node:net';
import { OperationTimeoutError } from 'zookit';
import { after } from '../common/waiting.js';

/** The socket once it is connected. Otherwise it is destroyed. @throws what ended it; OperationTimeoutError; the reason of the signal. */
export function connected(
  socket: Socket,
  event: 'connect' | 'secureConnect',
  timeout: number,
  signal: AbortSignal,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const settle = (error?: Error): void => {
      stop();
      socket.off(event, onConnect).off('error', settle).off('close', onClose);
      signal.removeEventListener('abort', onAbort);
      if (error === undefined) return resolve(socket);
      // What it says of its end interests nobody any more.
      socket.on('error', () => undefined).destroy();
      reject(error);
    };
    const onConnect = (): void => settle();
    const onClose = (): void => settle(new Error('the connection was closed before it was made'));
    const onAbort = (): void => settle(signal.reason as Error);
    const stop = after(timeout, () =>
      settle(new OperationTimeoutError(`no connection within ${timeout} ms`, { operation: 'connect' }, false)),
    );
    socket.on(event, onConnect).on('error', settle).on('close', onClose);
    signal.addEventListener('abort', onAbort);
    if (signal.aborted) onAbort();
  });
}
