import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { ProtocolOperation } from 'ldapts';
import { afterEach, describe, expect, test } from 'vitest';
import type { LdapTarget } from '../../../src/targets/ldap/target.ts';
import { createDirectory } from '../../setup/directory.ts';
import { createLdapTarget, patience } from './bench.ts';
import {
  entry,
  type Reaction,
  type Received,
  reference,
  result,
  type ScriptedServer,
  startScriptedServer,
} from './scripted-server.ts';

const { LDAP_REQ_ADD, LDAP_REQ_BIND, LDAP_REQ_MODIFY, LDAP_REQ_SEARCH } = ProtocolOperation;
const { LDAP_RES_ADD, LDAP_RES_BIND, LDAP_RES_MODIFY, LDAP_RES_SEARCH } = ProtocolOperation;

const signal = patience();
const cleanUp: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of cleanUp.splice(0).reverse()) await close();
});
function closing<T extends { close(): Promise<void> }>(closable: T): T {
  cleanUp.push(() => closable.close());
  return closable;
}

const create = (target: LdapTarget, uid: string, suffix = 'dc=x', wait = signal) => {
  const attributes = { objectClass: ['inetOrgPerson'], uid: [uid], cn: [uid], sn: [uid], userPassword: ['hush hush'] };
  return target.apply(
    { operation: 'create', entity: 'person', remoteId: `uid=${uid},ou=people,${suffix}`, attributes },
    wait,
  );
};
const retitle = (target: LdapTarget, remoteId: string, title: string) =>
  target.apply(
    {
      operation: 'update',
      entity: 'person',
      remoteId,
      changes: [{ attribute: 'title', action: 'replace', values: [title] }],
    },
    signal,
  );
const account = { dn: 'cn=us,dc=x', password: 'our password' };

describe('a connection to a real server', () => {
  test('is bound again after the server dropped it for being idle', async () => {
    const directory = closing(await createDirectory({ global: ['idletimeout 1'] }));
    const target = closing(createLdapTarget(directory));
    const { remoteId } = await create(target, 'anna', directory.suffix);
    // slapd looks for idle connections now and then; a connection opened later shows that it did: then ours is closed, too.
    await dropped(directory.url);
    await dropped(directory.url);
    expect(await retitle(target, remoteId, 'Dr')).toMatchObject({ remoteId });
    expect([...(await directory.entries('(uid=anna)', 'title')).values()]).toEqual([{ title: ['Dr'] }]);
  });

  test('is not given up because we ourselves were too busy to see that it answered in time', async () => {
    const directory = closing(await createDirectory());
    const target = closing(createLdapTarget(directory, { timeout: '300ms' }));
    const busy = () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 700);
    for (const what of ['connecting', 'a request over a connection']) {
      const answer = target.ping(signal);
      setImmediate(busy);
      await expect(answer, what).resolves.toMatchObject({ summary: expect.stringContaining('OpenLDAP') });
    }
  });

  test('over TLS is given up when the server hangs, and made anew', async () => {
    const directory = closing(await createDirectory());
    const more = { url: directory.ldapsUrl, timeout: '300ms', tls: { ca: directory.ca } };
    const target = closing(createLdapTarget(directory, more));
    const { remoteId } = await create(target, 'anna', directory.suffix);
    await directory.kill('SIGSTOP');
    await expect(retitle(target, remoteId, 'never')).rejects.toMatchObject({ kind: 'unavailable', unsure: true });
    await directory.kill('SIGCONT');
    await retitle(target, remoteId, 'at last');
    expect([...(await directory.entries('(uid=anna)', 'title')).values()]).toEqual([{ title: ['at last'] }]);
  });

  test('over TLS is trusted with the right authority only', async () => {
    const directory = closing(await createDirectory());
    for (const place of [{ url: directory.ldapsUrl }, { startTls: true }]) {
      const trusting = closing(createLdapTarget(directory, { ...place, tls: { ca: directory.ca } }));
      expect((await trusting.ping(signal)).summary).toContain(directory.bind.dn);
      const strange = closing(createLdapTarget(directory, place));
      await expect(strange.ping(signal)).rejects.toMatchObject({
        kind: 'misconfigured',
        message: expect.stringContaining('tls.ca'),
      });
      const misnamed = closing(
        createLdapTarget(directory, { ...place, tls: { ca: directory.ca, serverName: 'other.example.org' } }),
      );
      await expect(misnamed.ping(signal)).rejects.toMatchObject({
        kind: 'misconfigured',
        message: expect.stringContaining('other.example.org'),
      });
      const missing = closing(createLdapTarget(directory, { ...place, tls: { ca: 'no-such-file.pem' } }));
      await expect(missing.ping(signal)).rejects.toMatchObject({
        kind: 'misconfigured',
        message: expect.stringContaining('no-such-file.pem'),
      });
    }
  });

  test('keeps TLS when it has to be made anew', async () => {
    const us = 'uid=us,ou=people,dc=example,dc=org';
    const directory = closing(
      await createDirectory({ database: [`access to * by dn.exact="${us}" tls_ssf=1 write by * break`] }),
    );
    await directory.add(`dn: ${us}\nobjectClass: inetOrgPerson\nuid: us\ncn: us\nsn: us\nuserPassword: pw\n`);
    const place = { ...directory, bind: { dn: us, password: 'pw' } };
    const target = closing(createLdapTarget(place, { startTls: true, tls: { ca: directory.ca } }));
    await create(target, 'before', directory.suffix);
    await directory.stop();
    await expect(create(target, 'during', directory.suffix)).rejects.toMatchObject({ kind: 'unavailable' });
    await directory.start();
    await create(target, 'after', directory.suffix);
    expect((await directory.entries('(|(uid=before)(uid=after))')).size).toBe(2);
    const plain = closing(createLdapTarget(place));
    await expect(create(plain, 'plain', directory.suffix)).rejects.toMatchObject({ kind: 'one-sided' });
  });

  test('with a wrong or an empty password is a mistake of the configuration, and tells no password', async () => {
    const directory = closing(await createDirectory());
    const wrong = closing(
      createLdapTarget({ ...directory, bind: { dn: directory.bind.dn, password: 'not the password' } }),
    );
    const refusal = wrong.ping(signal);
    await expect(refusal).rejects.toMatchObject({
      kind: 'misconfigured',
      unsure: false,
      message: expect.stringContaining('(49)'),
    });
    await expect(refusal).rejects.toMatchObject({ message: expect.not.stringContaining('not the password') });
    const file = join(directory.folder, 'empty');
    await writeFile(file, '\n');
    const empty = closing(createLdapTarget(directory, { bind: { dn: directory.bind.dn, password: { file } } }));
    await expect(empty.ping(signal)).rejects.toMatchObject({
      kind: 'misconfigured',
      message: expect.stringContaining('empty'),
    });
  });

  test('to a server that is down, and then up again', async () => {
    const directory = closing(await createDirectory());
    const target = closing(createLdapTarget(directory));
    await create(target, 'before', directory.suffix);
    await directory.stop();
    await expect(create(target, 'during', directory.suffix)).rejects.toMatchObject({ kind: 'unavailable' });
    await expect(create(target, 'during', directory.suffix)).rejects.toMatchObject({
      kind: 'unavailable',
      unsure: false,
    });
    await directory.start();
    await create(target, 'after', directory.suffix);
    expect((await directory.entries('(uid=after)')).size).toBe(1);
  });

  test('goes to the next server when the first is down', async () => {
    const directory = closing(await createDirectory());
    const target = closing(createLdapTarget(directory, { url: ['ldap://127.0.0.1:1', directory.url] }));
    expect((await target.ping(signal)).summary).toContain(directory.suffix);
  });

  test('carries many changes at once, over few connections', async () => {
    const directory = closing(await createDirectory());
    const target = closing(createLdapTarget(directory, { slots: 2, concurrency: 8 }));
    await Promise.all(Array.from({ length: 300 }, (_, at) => create(target, `p${at}`, directory.suffix)));
    expect((await directory.entries('(objectClass=inetOrgPerson)', 'uid')).size).toBe(300);
  });
});

describe('a connection to a server that misbehaves', () => {
  const serve = async (script: (request: Received) => Reaction, more: Readonly<Record<string, unknown>> = {}) => {
    const server = closing(await startScriptedServer(script));
    const target = closing(createLdapTarget({ url: server.url, suffix: 'dc=x', bind: account }, more));
    return { server, target };
  };
  const add = (server: ScriptedServer) => server.received.filter(({ operation }) => operation === LDAP_REQ_ADD);

  test('is not trusted to have refused what it was sent before it broke', async () => {
    const { server, target } = await serve(({ operation }) => (operation === LDAP_REQ_ADD ? 'cut' : []));
    await expect(create(target, 'a')).rejects.toMatchObject({ kind: 'unavailable', unsure: true });
    expect(add(server)).toHaveLength(1);
  });

  test('ends with the first answer that does not come in time, for all that is in flight', async () => {
    const answers: Record<string, number> = { 'uid=late,ou=people,dc=x': 0 };
    const { server, target } = await serve(
      ({ id, operation, dn }) => (operation === LDAP_REQ_ADD && dn in answers ? 'hang' : [result(id, LDAP_RES_MODIFY)]),
      { timeout: '200ms', slots: 1 },
    );
    const late = create(target, 'late');
    await expect(late).rejects.toMatchObject({
      kind: 'unavailable',
      unsure: true,
      message: expect.stringContaining('0.2 s'),
    });
    await retitle(target, 'uid=b,dc=x', 'x');
    expect(server.received.at(-1)).toMatchObject({ operation: LDAP_REQ_MODIFY, connection: 2 });
    expect(server.received.at(-2)).toMatchObject({ operation: LDAP_REQ_BIND, connection: 2 });
  });

  test('is one of a few: more requests than they carry wait their turn', async () => {
    const open = new Map<number, number>();
    let most = 0;
    let held: [number, number][] = [];
    const { server, target } = await serve(
      ({ id, connection }) => {
        open.set(connection, (open.get(connection) ?? 0) + 1);
        most = Math.max(most, open.get(connection) ?? 0);
        // Answers only once the connection carries all it may: then all at once.
        if ((open.get(connection) ?? 0) < 4) {
          held.push([connection, id]);
          return [];
        }
        open.set(connection, 0);
        const ids = held.filter(([own]) => own === connection).map(([, own]) => own);
        held = held.filter(([own]) => own !== connection);
        return [...ids, id].map((own) => result(own, LDAP_RES_MODIFY));
      },
      { slots: 2, concurrency: 4 },
    );
    await Promise.all(Array.from({ length: 16 }, (_, at) => retitle(target, `uid=${at},dc=x`, 'x')));
    expect(most).toBe(4);
    expect(new Set(server.received.map(({ connection }) => connection)).size).toBe(2);
  });

  test('leaves nothing behind that could still be read when it is given up', async () => {
    const { server, target } = await serve(() => 'hang', { timeout: '100ms' });
    const ended = server.ended();
    await expect(create(target, 'a')).rejects.toMatchObject({ kind: 'unavailable', unsure: true });
    expect(await ended).toBe('ECONNRESET');
  });

  test('over TLS that never comes about is given up in time', async () => {
    const { server } = await serve(() => 'hang');
    const url = server.url.replace('ldap:', 'ldaps:');
    const target = closing(createLdapTarget({ url, suffix: 'dc=x', bind: account }, { timeout: '200ms' }));
    await expect(target.ping(signal)).rejects.toMatchObject({ kind: 'unavailable', unsure: false });
  });

  test('is given up together with what was sent over it', async () => {
    const abort = new AbortController();
    const { target } = await serve(({ operation }) => {
      if (operation === LDAP_REQ_ADD) abort.abort();
      return 'hang';
    });
    await expect(create(target, 'a', 'dc=x', abort.signal)).rejects.toMatchObject({
      kind: 'unavailable',
      unsure: true,
    });
  });

  test('does not bind again and again at the servers of an account with a wrong password', async () => {
    const refuse = ({ id }: Received): Reaction => [result(id, LDAP_RES_BIND, 49, 'wrong: our password')];
    const servers = [
      closing(await startScriptedServer(refuse, { bind: refuse })),
      closing(await startScriptedServer(refuse, { bind: refuse })),
    ];
    const target = closing(
      createLdapTarget({ url: '', suffix: 'dc=x', bind: account }, { url: servers.map(({ url }) => url) }),
    );
    const all = await Promise.allSettled(Array.from({ length: 8 }, (_, at) => create(target, `${at}`)));
    for (const one of all) {
      expect(one).toMatchObject({ reason: { kind: 'misconfigured', message: expect.stringContaining('********') } });
      expect(one).not.toMatchObject({ reason: { message: expect.stringContaining(account.password) } });
    }
    expect(servers.map(({ received }) => received.length)).toEqual([1, 0]);
  });

  test.each<[number, string, string]>([
    [51, 'busy', 'unavailable'],
    [52, '', 'unavailable'],
    [10, 'go elsewhere', 'misconfigured'],
    [80, '', 'unknown'],
    [1, '', 'unknown'],
    [53, 'shadow context', 'unknown'],
    [53, '0000052D: SvcErr: DSID-031A12D2, problem 5003 (WILL_NOT_PERFORM), data 0', 'rejected'],
    [53, 'entry already exists', 'exists'],
    [19, 'uid already exists (unique)', 'exists'],
    [123, 'what is this', 'unknown'],
  ])('has its result %i (%s) taken for %s', async (code, text, kind) => {
    const { target } = await serve(({ id }) => [result(id, LDAP_RES_ADD, code, text)]);
    await expect(create(target, 'a')).rejects.toMatchObject({
      kind,
      unsure: false,
      message: expect.stringContaining(text),
    });
  });

  test('has a missing member told from a missing entry', async () => {
    const { target } = await serve(({ id, operation, dn }) => {
      if (operation === LDAP_REQ_MODIFY) return [result(id, LDAP_RES_MODIFY, 32, 'no such member')];
      const there = dn !== 'cn=gone,dc=x';
      return [...(there ? [entry(id, dn, {})] : []), result(id, LDAP_RES_SEARCH, there ? 0 : 32)];
    });
    await expect(retitle(target, 'cn=there,dc=x', 'x')).rejects.toMatchObject({ kind: 'dependency', unsure: false });
    await expect(retitle(target, 'cn=gone,dc=x', 'x')).rejects.toMatchObject({ kind: 'gone', unsure: false });
  });

  test('has the passwords it repeats left out of messages', async () => {
    const { target } = await serve(({ id }) => [result(id, LDAP_RES_ADD, 19, 'hush hush is in the dictionary')]);
    await expect(create(target, 'a')).rejects.toMatchObject({
      message: expect.stringContaining('******** is in the dictionary'),
    });
  });

  test('has pages read to the end, though one of them is empty', async () => {
    const { target } = await serve(
      ({ id, dn, bytes }) => {
        if (dn !== 'ou=people,dc=x') return [result(id, LDAP_RES_SEARCH, 32)];
        const found = (uid: string) => entry(id, `uid=${uid},${dn}`, { uid: [uid] });
        if (bytes.includes('cookie-2')) return [found('c'), found('d'), result(id, LDAP_RES_SEARCH, 0, '', '')];
        if (bytes.includes('cookie-1')) return [result(id, LDAP_RES_SEARCH, 0, '', 'cookie-2')];
        return [found('a'), found('b'), result(id, LDAP_RES_SEARCH, 0, '', 'cookie-1')];
      },
      { entities: { person: { dn: 'uid={uid},ou=people,dc=x' } } },
    );
    const seen: (string | undefined)[] = [];
    for await (const { attributes } of target.scan('person', ['uid'], signal)) seen.push(String(attributes.uid?.[0]));
    expect(seen).toEqual(['a', 'b', 'c', 'd']);
  });

  test.each<[string, (id: number) => Reaction, string]>([
    ['a referral', (id) => [reference(id, 'ldap://elsewhere/dc=x'), result(id, LDAP_RES_SEARCH)], 'misconfigured'],
    ['a time limit', (id) => [result(id, LDAP_RES_SEARCH, 3)], 'unavailable'],
    ['a size limit', (id) => [result(id, LDAP_RES_SEARCH, 4)], 'unknown'],
    ['a broken connection', () => 'cut', 'unavailable'],
  ])('does not show less than there is: %s is an error, after a first page', async (_, second, kind) => {
    const { target } = await serve(({ id, bytes }) => {
      if (bytes.includes('cookie-1')) return second(id);
      return [entry(id, 'uid=a,ou=people,dc=x', {}), result(id, LDAP_RES_SEARCH, 0, '', 'cookie-1')];
    });
    const seen: string[] = [];
    const scan = async () => {
      for await (const { remoteId } of target.scan('person', [], signal)) seen.push(remoteId);
    };
    await expect(scan()).rejects.toMatchObject({ kind });
    expect(seen).toEqual(['uid=a,ou=people,dc=x']);
  });

  test('does not pass for empty: a base search without an entry is no proof of absence', async () => {
    const { target } = await serve(({ id }) => [result(id, LDAP_RES_SEARCH)]);
    await expect(target.read({ remoteId: 'uid=a,ou=people,dc=x' }, [], signal)).rejects.toMatchObject({
      kind: 'one-sided',
    });
  });

  test('is closed with an error when it sends what is not LDAP', async () => {
    const { target } = await serve(
      ({ operation }) =>
        operation === LDAP_REQ_SEARCH ? [] : [Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'.repeat(9))],
      { timeout: '2s' },
    );
    await expect(create(target, 'a')).rejects.toMatchObject({ kind: 'unavailable', unsure: true });
  });

  test('closes with the target; nothing is sent afterwards', async () => {
    const { server, target } = await serve(({ id }) => [result(id, LDAP_RES_ADD)]);
    await target.ping(signal).catch(() => undefined);
    await target.close();
    const before = server.received.length;
    await expect(create(target, 'a')).rejects.toMatchObject({ kind: 'unavailable', unsure: false });
    expect(server.received).toHaveLength(before);
  });
});

/** Waits until a server drops a connection that says nothing. */
async function dropped(url: string): Promise<void> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.resume();
  await once(socket, 'close');
}
