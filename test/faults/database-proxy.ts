import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** What stands between daemons and their database: connections that may go silent without being closed. */
export interface DatabaseProxy {
  /** The connection string that leads through here. */
  readonly url: string;
  /**
   * Nothing passes any more, in either direction, and nobody is told: the connections of now stay so for ever, even if
   * one of the two sides closes. New ones are taken too, and lead nowhere, until `heal`.
   */
  swallow(): void;
  /** New connections lead to the database again. */
  heal(): void;
  /** Connections that were opened and not closed by the daemons. */
  readonly open: number;
  close(): Promise<void>;
}

/**
 * Opens a proxy on 127.0.0.1 to the server of a connection string. `deaf`: what comes from the database comes through,
 * but for notifications.
 */
export async function openDatabaseProxy(target: string, { deaf = false } = {}): Promise<DatabaseProxy> {
  const { hostname, port } = new URL(target);
  const pairs = new Set<{ client: Socket; database: Socket | undefined; silent: boolean }>();
  let healthy = true;
  // allowHalfOpen: a side that says goodbye gets no answer either.
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const database = healthy ? connect({ host: hostname, port: Number(port), allowHalfOpen: true }) : undefined;
    const pair = { client, database, silent: !healthy };
    pairs.add(pair);
    const everything = (chunk: Buffer) => chunk;
    for (const [from, to, pass] of [
      [client, database, everything],
      [database, client, deaf ? withoutNotifications() : everything],
    ] as const) {
      from?.on('data', (chunk: Buffer) => pair.silent || to?.write(pass(chunk)));
      from?.on('end', () => pair.silent || to?.end());
      from?.on('error', () => from.destroy());
      from?.on('close', () => pair.silent || to?.destroy());
    }
    client.on('close', () => pairs.delete(pair));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  return {
    url: Object.assign(new URL(target), { port: String(address.port) }).href,
    swallow: () => {
      healthy = false;
      for (const pair of pairs) pair.silent = true;
    },
    heal: () => {
      healthy = true;
    },
    get open() {
      return pairs.size;
    },
    close: async () => {
      server.close();
      for (const { client, database } of pairs) {
        client.destroy();
        database?.destroy();
      }
      await once(server, 'close');
    },
  };
}

/**
 * Passes whole messages of the server on, but for NotificationResponse. A message is its type, one byte, and the length
 * of the rest, four bytes that count themselves.
 */
function withoutNotifications(): (chunk: Buffer) => Buffer {
  let rest = Buffer.alloc(0);
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    const passed: Buffer[] = [];
    while (rest.length >= 5) {
      const end = 1 + rest.readInt32BE(1);
      if (rest.length < end) break;
      if (rest.toString('latin1', 0, 1) !== 'A') passed.push(rest.subarray(0, end));
      rest = rest.subarray(end);
    }
    return Buffer.concat(passed);
  };
}
