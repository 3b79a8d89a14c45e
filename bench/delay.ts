import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/**
 * Puts a directory at a distance: what it answers arrives so many milliseconds later. Much may be under way at once, as on
 * a long line. Gone when `stack` is disposed of.
 *
 * @param target URL of the directory
 * @returns the URL that leads there through the delay
 */
export async function openDelay(target: string, milliseconds: number, stack: AsyncDisposableStack): Promise<string> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (client) => {
    const directory = connect({ host: hostname, port: Number(port), noDelay: true });
    for (const [socket, other] of [[client, directory] as const, [directory, client] as const]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
    client.pipe(directory);
    // Timers of one length fire in the order in which they were set.
    directory.on('data', (chunk: Buffer) => void setTimeout(() => client.write(chunk), milliseconds));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  stack.defer(async () => {
    server.close();
    for (const socket of sockets) socket.destroy();
    await once(server, 'close');
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the delay has no port');
  return `ldap://127.0.0.1:${address.port}`;
}
