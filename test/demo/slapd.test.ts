import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { Client } from 'ldapts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startSlapd } from '../../src/demo/slapd.ts';
import { createDirectory, type Directory } from '../setup/directory.ts';

const person = (suffix: string, uid: string, more = '') =>
  `dn: uid=${uid},ou=people,${suffix}\nobjectClass: inetOrgPerson\nuid: ${uid}\ncn: Ada\nsn: Lovelace\n${more}`;

describe('a private OpenLDAP server', () => {
  let directory: Directory;
  beforeAll(async () => {
    directory = await createDirectory({
      suffix: 'dc=uni,dc=example',
      modules: ['refint'],
      global: ['idletimeout 60'],
      database: ['overlay refint', 'refint_attributes member'],
    });
  });
  afterAll(() => directory.close());

  test('has its suffix, people and groups', async () => {
    const names = ['dc=uni,dc=example', 'ou=people,dc=uni,dc=example', 'ou=groups,dc=uni,dc=example'];
    expect([...(await directory.entries()).keys()]).toEqual(names);
  });

  test('takes entries and changes as LDIF and shows every byte of them', async () => {
    const { suffix } = directory;
    const [photo, name] = [
      Buffer.from([0xff, 0xd8, 0x00]).toString('base64'),
      Buffer.from(' Àda\n, "x"').toString('base64'),
    ];
    await directory.add(person(suffix, 'ada', `jpegPhoto:: ${photo}\ndescription:: ${name}\n`));
    await directory.modify(
      `dn: uid=ada,ou=people,${suffix}\nchangetype: modify\nadd: mail\nmail: ada@example.org\nmail: a@example.org\n`,
    );
    expect((await directory.entries('(uid=ada)')).get(`uid=ada,ou=people,${suffix}`)).toMatchObject({
      mail: ['ada@example.org', 'a@example.org'],
      jpegPhoto: [`base64:${photo}`],
      description: [' Àda\n, "x"'],
    });
    expect((await directory.entries('(uid=ada)', 'sn')).size).toBe(1);
  });

  test('refuses what its schema refuses', async () => {
    await expect(directory.add(`dn: ou=x,${directory.suffix}\nobjectClass: person\nou: x\n`)).rejects.toThrow('(65)');
  });

  test('loads the modules and overlays asked for', async () => {
    const { suffix } = directory;
    const group = `dn: cn=g,ou=groups,${suffix}`;
    const [bob, rob] = [`uid=bob,ou=people,${suffix}`, `uid=rob,ou=people,${suffix}`];
    await directory.add(`${person(suffix, 'bob')}\n${group}\nobjectClass: groupOfNames\ncn: g\nmember: ${bob}\n`);
    await directory.modify(`dn: ${bob}\nchangetype: modrdn\nnewrdn: uid=rob\ndeleteoldrdn: 1\n`);
    expect((await directory.entries('(cn=g)')).get(`cn=g,ou=groups,${suffix}`)?.member).toEqual([rob]);
  });

  test('keeps its data and its port when stopped, and when killed', async () => {
    const before = await directory.entries('(uid=ada)');
    const ways = [() => directory.stop(), () => directory.kill('SIGKILL')];
    for (const end of ways) {
      const { pid } = directory;
      await end();
      expect(directory.pid).toBeUndefined();
      await expect(directory.entries()).rejects.toThrow("Can't contact LDAP server");
      await directory.start();
      expect(directory.pid).not.toBe(pid);
      expect(await directory.entries('(uid=ada)')).toEqual(before);
    }
  });

  test('hides passwords from everybody else', async () => {
    const { suffix, url } = directory;
    await directory.add(person(suffix, 'eve', 'userPassword: secret\n'));
    const client = new Client({ url });
    const found = await client.search(`uid=eve,ou=people,${suffix}`, { attributes: ['uid', 'userPassword'] });
    expect(found.searchEntries).toMatchObject([{ uid: 'eve', userPassword: [] }]);
    await client.bind(`uid=eve,ou=people,${suffix}`, 'secret');
    await client.unbind();
  });

  test('speaks TLS from the start and after StartTLS, with a certificate of its own authority', async () => {
    const { url, ldapsUrl, bind } = directory;
    const ca = await readFile(directory.ca);
    const secure = new Client({ url: ldapsUrl, tlsOptions: { ca } });
    await secure.bind(bind.dn, bind.password);
    await secure.unbind();

    const plain = new Client({ url });
    await plain.startTLS({ ca });
    await plain.bind(bind.dn, bind.password);
    await plain.unbind();

    await expect(new Client({ url: ldapsUrl }).bind(bind.dn, bind.password)).rejects.toThrow('self-signed');
  });
});

test('a server that hangs is closed without a wait', async () => {
  const server = await startSlapd();
  await server.kill('SIGSTOP');
  await server.close();
  expect(existsSync(server.folder)).toBe(false);
}, 5_000);

test('a server that cannot start says why', async () => {
  await expect(startSlapd({ global: ['no such directive'] })).rejects.toThrow(/slapd did not start .*<no>/s);
});
