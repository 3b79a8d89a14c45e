import { once } from 'node:events';
import { copyFile, mkdir, readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Certificate, createCertificate } from '../../../src/demo/certificate.ts';
import { createScratch, type Scratch } from '../../../src/demo/scratch.ts';
import { createWebServer, type WebServer } from '../../setup/web-server.ts';
import { createClient } from './bench.ts';

const never = AbortSignal.timeout(60_000);
const post = { method: 'POST', path: '/users', what: 'create anna', body: '{}' } as const;

let scratch: Scratch;
let ours: Certificate;
let theirs: Certificate;
let server: WebServer;

beforeAll(async () => {
  scratch = await createScratch('staffetta-web-');
  ours = await createCertificate(scratch);
  await mkdir(join(scratch.path, 'theirs'));
  theirs = await createCertificate({ ...scratch, path: join(scratch.path, 'theirs'), run: scratch.run.bind(scratch) });
  const [key, cert] = await Promise.all([readFile(ours.key), readFile(ours.certificate)]);
  server = await createWebServer(() => ({ status: 200, body: 'hello' }), { key, cert });
});
afterAll(async () => {
  await server.close();
  await scratch.remove();
});

/** What comes of a request, and the client closed. */
async function ask(...given: Parameters<typeof createClient>) {
  const client = createClient(...given);
  try {
    return await client.ask(post, never);
  } finally {
    await client.close();
  }
}

describe('a certificate', () => {
  test('that our authority signed is trusted', async () => {
    expect(await ask({ url: server.url, tls: { ca: ours.ca } })).toMatchObject({ status: 200, body: 'hello' });
  });

  test('that nobody we know signed is not: nothing is sent', async () => {
    const sent = server.asked.length;
    const message = expect.stringContaining('tls.ca');
    const expected = { kind: 'misconfigured', unsure: false, message };
    await expect(ask({ url: server.url })).rejects.toMatchObject(expected);
    await expect(ask({ url: server.url, tls: { ca: theirs.ca } })).rejects.toMatchObject(expected);
    expect(server.asked).toHaveLength(sent);
  });

  test('of another name is not, unless that name is expected', async () => {
    const tls = { ca: ours.ca, serverName: 'elsewhere.example' };
    await expect(ask({ url: server.url, tls })).rejects.toMatchObject({ kind: 'misconfigured' });
    expect(await ask({ url: server.url, tls: { ...tls, serverName: 'localhost' } })).toMatchObject({ status: 200 });
  });

  test('is read again after it did not fit', async () => {
    await copyFile(theirs.ca, join(scratch.path, 'changing.crt'));
    const client = createClient({ url: server.url, tls: { ca: 'changing.crt' } }, scratch.path);
    await expect(client.ask(post, never)).rejects.toMatchObject({ kind: 'misconfigured' });
    await copyFile(ours.ca, join(scratch.path, 'changing.crt'));
    expect(await client.ask(post, never)).toMatchObject({ status: 200 });
    await client.close();
  });

  test('that is not there is told by its name', async () => {
    const message = expect.stringContaining(join(scratch.path, 'no.crt'));
    const asked = ask({ url: server.url, tls: { ca: 'no.crt' } }, scratch.path);
    await expect(asked).rejects.toMatchObject({ kind: 'misconfigured', message });
  });

  test('of ours opens a service that asks for one', async () => {
    const [key, cert, ca] = await Promise.all([ours.key, ours.certificate, ours.ca].map((file) => readFile(file)));
    const strict = await createWebServer(() => ({ status: 200 }), { key, cert, ca, requestCert: true });
    const { ca: trusted, certificate, key: own } = ours;
    const tls = { ca: trusted, cert: certificate, key: own };
    expect(await ask({ url: strict.url, tls })).toMatchObject({ status: 200 });
    const failed = await ask({ url: strict.url, tls: { ca: trusted } }).catch((error: unknown) => error);
    expect(failed).toMatchObject({ name: 'TargetError' });
    await strict.close();
  });
});

describe('private addresses', () => {
  test.each(['127.0.0.1', 'localhost', '[::1]', '[::ffff:127.0.0.1]', '[64:ff9b::7f00:1]'])(
    'are not connected to where that is refused: %s',
    async (host) => {
      const open = await createWebServer(() => ({ status: 200 }));
      const url = `http://${host}:${open.port}`;
      await expect(ask({ url, privateAddresses: 'refuse' })).rejects.toMatchObject({
        kind: 'misconfigured',
        unsure: false,
        message: expect.stringContaining('private address'),
      });
      expect(open.asked).toEqual([]);
      expect(await ask({ url: open.url })).toMatchObject({ status: 200 });
      await open.close();
    },
  );
});

describe('a proxy', () => {
  /** What it was asked for: `CONNECT host:port`, or the whole URL. */
  const through: string[] = [];
  let proxy: Server;
  let url: string;

  beforeAll(async () => {
    proxy = createServer((message, response) => {
      through.push(`${message.method} ${message.url} ${message.headers['proxy-authorization'] ?? ''}`.trim());
      response.end('from the proxy');
    });
    proxy.on('connect', ({ url: to = '', headers }, socket) => {
      through.push(`CONNECT ${to} ${headers['proxy-authorization'] ?? ''}`.trim());
      if (to.startsWith('refused')) return socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
      const onward = connect(Number(to.split(':')[1]), '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        onward.pipe(socket).pipe(onward);
      });
      onward.on('error', () => socket.destroy());
      socket.on('error', () => onward.destroy());
    });
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    const address = proxy.address();
    url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  });
  afterAll(() => {
    proxy.closeAllConnections();
    proxy.close();
  });

  test('is passed through without seeing what is encrypted', async () => {
    through.length = 0;
    const given = { url: server.url, tls: { ca: ours.ca }, proxy: url.replace('//', '//us:sesame@') };
    expect(await ask(given)).toMatchObject({ status: 200, body: 'hello' });
    const login = Buffer.from('us:sesame').toString('base64');
    expect(through).toEqual([`CONNECT 127.0.0.1:${server.port} Basic ${login}`]);
  });

  test('sees the certificate of the service checked all the same', async () => {
    await expect(ask({ url: server.url, proxy: url })).rejects.toMatchObject({ kind: 'misconfigured', unsure: false });
  });

  test('carries what is not encrypted itself', async () => {
    through.length = 0;
    expect(await ask({ url: 'http://unknown.example', proxy: url })).toMatchObject({ body: 'from the proxy' });
    expect(through).toEqual(['POST http://unknown.example/users']);
  });

  test('is taken from the environment where that is said', async () => {
    through.length = 0;
    process.env.HTTP_PROXY = url;
    try {
      const asked = await ask({ url: 'http://unknown.example', proxy: 'environment' });
      expect(asked).toMatchObject({ body: 'from the proxy' });
    } finally {
      delete process.env.HTTP_PROXY;
    }
  });

  test('that refuses is misconfigured; one that is not there is unavailable', async () => {
    const refused = ask({ url: 'https://refused.example', proxy: url });
    await expect(refused).rejects.toMatchObject({ kind: 'misconfigured', unsure: false });
    const absent = ask({ url: 'https://unknown.example', proxy: 'http://127.0.0.1:1' });
    await expect(absent).rejects.toMatchObject({ kind: 'unavailable', unsure: false });
  });
});
