import type { Socket } from 'node:net';
import type { Outcome, ServiceStatus } from '../../engine.ts';
import type { Launch } from './launch.ts';

/** Grows by one whenever a message changes, so that an old supervisor is recognised and replaced. */
export const protocol = 1;

/** What the command line asks. One request a connection; `cancel` may follow an `up`. */
export type Request =
  | { readonly verb: 'up'; readonly protocol: number; readonly launches: readonly Launch[] }
  | { readonly verb: 'cancel' }
  | { readonly verb: 'down' }
  | { readonly verb: 'status' };

/** What the supervisor answers, in one line of JSON each; the last one before it ends the connection is the result. */
export type Reply =
  | { readonly reply: 'step'; readonly text: string }
  | { readonly reply: 'service'; readonly status: ServiceStatus }
  | { readonly reply: 'outcomes'; readonly outcomes: readonly Outcome[]; readonly cancelled: boolean }
  | { readonly reply: 'statuses'; readonly statuses: readonly ServiceStatus[] }
  | { readonly reply: 'stopped' }
  /** It is about to end; ask again, of its successor. */
  | { readonly reply: 'leaving' }
  | { readonly reply: 'other-protocol' }
  | { readonly reply: 'error'; readonly text: string };

/** A message is far smaller; more than this is not ours. */
const longestLine = 16 * 1024 * 1024;

/** Calls `receive` with each line of JSON that arrives on `socket`; destroys the socket on anything else. */
export function onMessage<T>(socket: Socket, receive: (message: T) => void): void {
  let pending = '';
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => {
    pending += chunk;
    if (pending.length > longestLine) socket.destroy();
    for (let end = pending.indexOf('\n'); end !== -1; end = pending.indexOf('\n')) {
      const line = pending.slice(0, end);
      pending = pending.slice(end + 1);
      let message: T;
      try {
        message = JSON.parse(line) as T;
      } catch {
        socket.destroy();
        return;
      }
      receive(message);
    }
  });
}

export function sendMessage(socket: Socket, message: Request | Reply): void {
  if (socket.writable) socket.write(`${JSON.stringify(message)}\n`);
}
