import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { type Listener, listenTo, type Request } from './wire.ts';

/** What stands between the daemons and a directory: every connection goes through here, and may suffer. */
export interface LdapProxy {
  readonly url: string;
  /** Milliseconds that answers of the directory take longer. */
  delay: number;
  /** Ends every connection at once, in the middle of whatever goes on. */
  cut(): void;
  /** Tells the daemons that nothing more will come from the directory, which goes on listening to them. */
  halfClose(): void;
  close(): Promise<void>;
}

/** Hears what becomes of the answers to changes. */
export interface Confidant {
  /** Whoever asked for the change gets the answer. */
  told(request: Request): void;
  /** Who got it is gone, so soon after that nobody knows whether they did anything about it. */
  untold(request: Request): void;
}

/** Milliseconds after which an answer has been taken note of. */
const digestion = 3000;

/** Opens a proxy on 127.0.0.1 to the server of an LDAP URL. `listener`: hears of each change that passes. */
export async function openProxy(target: string, listener?: Listener, confidant?: Confidant): Promise<LdapProxy> {
  const { hostname, port } = new URL(target);
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
    const heard = listener && listenTo(listener);
    let isGone = false;
    let recent: { readonly request: Request; readonly at: number }[] = [];
    const answered = listenTo({
      answered: (request) => {
        if (isGone) return;
        const at = performance.now();
        recent = [...recent.filter((one) => at - one.at < digestion), { request, at }];
        confidant?.told(request);
      },
    });
    const leave = () => {
      if (isGone) return;
      isGone = true;
      const at = performance.now();
      for (const one of recent) if (at - one.at < digestion) confidant?.untold(one.request);
    };
    client.on('end', leave).on('close', leave);
    if (heard) client.on('data', heard.up);
    client.on('data', answered.up);
    client.pipe(directory);
    let sent = Promise.resolve();
    const later = (work: () => void) => {
      const due = performance.now() + proxy.delay; // of each by itself: the entries of a search come one by one
      sent = sent.then(async () => {
        const pause = due - performance.now();
        if (pause > 0) await setTimeout(pause);
        if (!client.destroyed && !client.writableEnded) work();
      });
    };
    directory.on('data', (chunk: Buffer) => {
      heard?.down(chunk);
      later(() => {
        client.write(chunk);
        answered.down(chunk);
      });
    });
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
