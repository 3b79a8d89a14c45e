/** A web server of a test: it answers as the test says, and remembers what it was asked. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecureServer, type ServerOptions } from 'node:https';
import type { Socket } from 'node:net';
import { text } from 'node:stream/consumers';

export interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** What is answered; undefined: the handler wrote to `response` itself, or leaves whoever asked waiting. */
export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

type Handler = (asked: Asked, response: ServerResponse) => Reply | undefined | Promise<Reply | undefined>;

export interface WebServer {
  readonly url: string;
  readonly port: number;
  readonly asked: Asked[];
  /** Cuts every connection, without an answer to whatever is asked on them. */
  cut(): void;
  close(): Promise<void>;
}

export async function createWebServer(handler: Handler, tls?: ServerOptions, port = 0): Promise<WebServer> {
  const asked: Asked[] = [];
  const sockets = new Set<Socket>();
  const listen = async (message: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = '', url = '', headers } = message;
    const one = { method, url, headers, body: await text(message) };
    asked.push(one);
    const reply = await handler(one, response);
    if (reply === undefined) return;
    response.writeHead(reply.status, reply.headers).end(reply.body);
  };
  const on = (message: IncomingMessage, response: ServerResponse): void => {
    listen(message, response).catch(() => response.destroy());
  };
  const server = tls ? createSecureServer(tls, on) : createServer(on);
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${address.port}`,
    port: address.port,
    asked,
    cut,
    async close() {
      server.close();
      cut();
      await once(server, 'close');
    },
  };
}
