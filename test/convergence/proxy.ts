import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';

/** What stands between the daemons and a directory: every connection goes through here, and may suffer. */
export interface LdapProxy {
  readonly url: string;
  /** Milliseconds that answers of the directory take longer. */
  delay: number;
  /** How many changes the daemons have sent. */
  readonly changes: number;
  /** Ends every connection at once, in the middle of whatever goes on. */
  cut(): void;
  /** Tells the daemons that nothing more will come from the directory, which goes on listening to them. */
  halfClose(): void;
  close(): Promise<void>;
}

/** Opens a proxy on 127.0.0.1 to the server of an LDAP URL. */
export async function openProxy(target: string): Promise<LdapProxy> {
  const { hostname, port } = new URL(target);
  let changes = 0;
  const sockets = new Set<Socket>();
  const clients = new Set<Socket>();
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket));
  };
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const directory = connect({
      host: hostname,
      port: Number(port),
      allowHalfOpen: true,
    });
    keep(client);
    keep(directory);
    clients.add(client);
    client.on('data', (chunk: Buffer) => {
      if (isChange(chunk)) changes += 1;
    });
    client.pipe(directory);
    let sent = Promise.resolve();
    const later = (work: () => void) => {
      const pause = proxy.delay;
      sent = sent.then(async () => {
        if (pause > 0) await setTimeout(pause);
        if (!client.destroyed && !client.writableEnded) work();
      });
    };
    directory.on('data', (chunk: Buffer) => later(() => client.write(chunk)));
    directory.on('end', () => later(() => client.end()));
    directory.on('close', () => later(() => client.destroy()));
    client.on('close', () => {
      clients.delete(client);
      directory.end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  const proxy: LdapProxy = {
    url: `ldap://127.0.0.1:${address.port}`,
    delay: 0,
    get changes() {
      return changes;
    },
    cut: () => {
      for (const socket of sockets) socket.destroy();
    },
    halfClose: () => {
      for (const client of clients) client.end();
    },
    close: async () => {
      server.close();
      proxy.cut();
      await once(server, 'close');
    },
  };
  return proxy;
}

/** The tags of the requests to modify, add, delete and rename (RFC 4511 §4.6–4.9). */
const changeTags: ReadonlySet<number | undefined> = new Set([0x66, 0x68, 0x4a, 0x6c]);

/** Whether bytes begin with a message that asks for a change: its tag follows two lengths and the message's number. */
function isChange(message: Buffer): boolean {
  const [, length = 0] = message;
  const number = length < 0x80 ? 2 : 2 + (length & 0x7f);
  return changeTags.has(message[number + 2 + (message[number + 1] ?? 0)]);
}
