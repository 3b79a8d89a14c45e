import { createServer } from 'node:net';
import { ProtocolOperation } from 'ldapts';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { ldap as config } from '../../../src/config/ldap.ts';
import { Pool } from '../../../src/targets/ldap/pool.ts';
import { Server } from '../../../src/targets/ldap/server.ts';
import { until } from '../../setup/until.ts';
import { createLdapTarget, patience } from './bench.ts';
import { entry, result, type ScriptedServer, startScriptedServer } from './scripted-server.ts';

const { LDAP_REQ_ADD, LDAP_REQ_BIND, LDAP_REQ_EXTENSION } = ProtocolOperation;
const { LDAP_RES_ADD, LDAP_RES_BIND, LDAP_RES_EXTENSION, LDAP_RES_MODIFY, LDAP_RES_SEARCH } = ProtocolOperation;

const signal = patience();
const account = { dn: 'cn=us,dc=x', password: 'our password' };
const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  vi.useRealTimers();
  for (const close of cleanUp.splice(0).reverse()) await close();
});

async function serve(...[script, more]: Partial<Parameters<typeof startScriptedServer>>): Promise<ScriptedServer> {
  const server = await startScriptedServer(
    script ?? (({ id, dn }) => [entry(id, dn, {}), result(id, LDAP_RES_SEARCH)]),
    more,
  );
  cleanUp.push(() => server.close());
  return server;
}

/** A pool of one connection to these servers. */
function createPool(urls: readonly string[], more: Readonly<Record<string, unknown>> = {}): Pool {
  const settings = config.parse({ type: 'ldap', url: urls, bind: account, entities: {}, ...more });
  const pool = new Pool(
    urls.map((url) => new Server(url, settings, '.')),
    1,
    4,
  );
  cleanUp.push(() => pool.close());
  return pool;
}

/** Which server of the pool is spoken to. */
const spokenTo = (pool: Pool) => pool.use(async ({ server }) => server, signal);
const nobody = 'ldap://127.0.0.1:1';
const binds = ({ received }: ScriptedServer) => received.filter(({ operation }) => operation === LDAP_REQ_BIND).length;

describe('several servers', () => {
  test('are tried in order', async () => {
    const [one, other] = [await serve(), await serve()];
    const pool = createPool([nobody, one.url, other.url]);
    expect(await spokenTo(pool)).toBe(one.url);
    await one.close();
    await until(
      () => spokenTo(pool),
      (server) => server === other.url,
    );
    expect(binds(other)).toBe(1);
  });

  test('are tried from the one on that worked last, though the first is back', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    let full = true;
    const first = await serve(undefined, { bind: ({ id }) => [result(id, LDAP_RES_BIND, full ? 52 : 0)] });
    const second = await serve();
    const pool = createPool([first.url, second.url]);
    expect(await spokenTo(pool)).toBe(second.url);
    full = false;
    vi.advanceTimersByTime(31_000);
    expect(await spokenTo(pool)).toBe(second.url);
    expect([binds(first), binds(second)]).toEqual([1, 2]);
  });

  test('none of which answers are all named; as long as one may come back by itself, that is worth waiting for', async () => {
    const full = await serve(undefined, { bind: ({ id }) => [result(id, LDAP_RES_BIND, 52, 'too many connections')] });
    const strict = await serve(undefined, { bind: ({ id }) => [result(id, LDAP_RES_BIND, 13)] });
    await expect(spokenTo(createPool([strict.url, full.url, nobody]))).rejects.toMatchObject({
      kind: 'unavailable',
      unsure: false,
      message: expect.stringMatching(/confidentialityRequired.*; .*too many connections.*; .*127\.0\.0\.1:1/),
    });
    await expect(spokenTo(createPool([strict.url]))).rejects.toMatchObject({ kind: 'misconfigured' });
  });
});

describe('a connection', () => {
  test('that nobody has used for a while is closed in order; the next request opens another', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const server = await serve();
    const pool = createPool([server.url]);
    await spokenTo(pool);
    const ended = server.ended();
    vi.advanceTimersByTime(20_000);
    await spokenTo(pool);
    vi.advanceTimersByTime(29_000);
    await spokenTo(pool);
    expect(binds(server)).toBe(1);
    vi.advanceTimersByTime(31_000);
    expect(await ended).toBe('closed');
    await spokenTo(pool);
    expect(binds(server)).toBe(2);
  });

  test('that comes about when the pool is closed already is closed, too', async () => {
    const asked = Promise.withResolvers<void>();
    const server = await serve(undefined, {
      bind: ({ id }) => {
        asked.resolve();
        return [result(id, LDAP_RES_BIND)];
      },
    });
    const pool = createPool([server.url]);
    const ended = server.ended();
    const use = spokenTo(pool);
    await asked.promise;
    pool.close();
    await expect(use).rejects.toMatchObject({ kind: 'unavailable', unsure: false });
    expect(await ended).toBe('closed');
  });

  test('of its own is closed where whoever asked for it has given up meanwhile', async () => {
    const abort = new AbortController();
    const server = await serve(undefined, {
      bind: ({ id }) => {
        abort.abort();
        return [result(id, LDAP_RES_BIND)];
      },
    });
    const ended = server.ended();
    await expect(createPool([server.url]).own(abort.signal)).rejects.toMatchObject({ kind: 'unavailable' });
    expect(await ended).toBe('closed');
  });

  test('is not waited for by somebody who gives up while all are full', async () => {
    const server = await serve();
    const pool = createPool([server.url]);
    const busy = Promise.withResolvers<void>();
    const all = Array.from({ length: 4 }, () => pool.use(() => busy.promise, signal));
    const abort = new AbortController();
    const late = pool.use(async () => 'never', abort.signal);
    abort.abort();
    await expect(late).rejects.toMatchObject({ kind: 'unavailable', unsure: false });
    busy.resolve();
    await Promise.all(all);
    expect(await spokenTo(pool)).toBe(server.url);
  });

  test('throws what is no fault of the server as it is', async () => {
    const server = await serve();
    const pool = createPool([server.url]);
    await expect(
      pool.use(async () => {
        throw new RangeError('ours');
      }, signal),
    ).rejects.toThrow(RangeError);
    expect(await spokenTo(pool)).toBe(server.url);
  });
});

describe('a server that does not keep to the protocol', () => {
  const target = (server: ScriptedServer, more: Readonly<Record<string, unknown>> = {}) => {
    const made = createLdapTarget({ url: server.url, suffix: 'dc=x', bind: account }, more);
    cleanUp.push(() => made.close());
    return made;
  };
  const create = {
    operation: 'create',
    entity: 'person',
    remoteId: 'uid=a,ou=people,dc=x',
    attributes: { uid: ['a'] },
  } as const;

  test.each([2, 52])('by refusing StartTLS (%i) is told nothing in plain, least of all a password', async (code) => {
    const server = await serve(({ id, operation }) =>
      operation === LDAP_REQ_EXTENSION ? [result(id, LDAP_RES_EXTENSION, code, 'no TLS here')] : 'hang',
    );
    await expect(target(server, { startTls: true }).ping(signal)).rejects.toMatchObject({
      kind: code === 52 ? 'unavailable' : 'misconfigured',
      message: expect.stringContaining('no TLS here'),
    });
    expect(server.received.map(({ operation }) => operation)).toEqual([LDAP_REQ_EXTENSION]);
  });

  test('by closing in the middle of a handshake cannot be reached', async () => {
    const closing = createServer((socket) => socket.once('data', () => socket.destroy()));
    await new Promise<void>((resolve) => closing.listen(0, '127.0.0.1', resolve));
    cleanUp.push(() => closing.close());
    const address = closing.address();
    const url = `ldaps://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
    await expect(spokenTo(createPool([url]))).rejects.toMatchObject({ kind: 'unavailable', unsure: false });
  });

  test('by answering with something else leaves it open whether the change was made', async () => {
    const server = await serve(({ id }) => [result(id, LDAP_RES_MODIFY)]);
    await expect(target(server).apply(create, signal)).rejects.toMatchObject({ kind: 'unavailable', unsure: true });
  });

  test('by saying what nobody asked for is not listened to', async () => {
    const server = await serve(({ id, operation, dn }) =>
      operation === LDAP_REQ_ADD
        ? [result(4711, LDAP_RES_ADD, 50), result(id, LDAP_RES_ADD)]
        : [entry(id, dn, {}), result(id, LDAP_RES_SEARCH)],
    );
    expect(await target(server).apply(create, signal)).toEqual({ remoteId: create.remoteId });
  });
});
