#!/usr/bin/env node
// Does what the target `lists` does otherwise: reads an identity from each line and makes its entry be so, whatever it was.
import { createInterface } from 'node:readline';
import { AndFilter, Attribute, Change, Client, EqualityFilter } from 'ldapts';

const { LDAP_URL: url, LDAP_SUFFIX: suffix, BIND_DN: account, PASSWORD: password } = process.env;
const failed = 1;
const connection = 4;

/** What an identity is to be: null where it is to be nothing. */
function wantedOf(concernedTo, identity) {
  const id = concernedTo.slice(1);
  if (concernedTo.startsWith('p')) {
    const base = `ou=lists,${suffix}`;
    const { cn, sn, uid, mail } = identity?.inetOrgPerson ?? {};
    const attributes = { objectClass: ['inetOrgPerson'], employeeNumber: [id], cn: [cn], sn: [sn], uid: [uid], mail };
    return { base, key: 'employeeNumber', id, attributes: identity && attributes };
  }
  const base = `ou=names,${suffix}`;
  const { name, members } = identity?.team ?? {};
  const attributes = { objectClass: ['organizationalUnit'], businessCategory: [id], ou: [name], description: members };
  return { base, key: 'businessCategory', id, attributes: identity && attributes };
}

async function bring(client, { base, key, id, attributes }) {
  const filter = new AndFilter({ filters: [new EqualityFilter({ attribute: key, value: id })] });
  const { searchEntries } = await client.search(base, { scope: 'one', filter });
  const [entry] = searchEntries;
  if (!attributes) {
    for (const { dn } of searchEntries) await client.del(dn);
    return;
  }
  const wanted = Object.entries(attributes).map(([type, values]) => [type, values.filter((value) => value !== '')]);
  if (!entry) {
    const given = wanted
      .filter(([, values]) => values.length > 0)
      .map(([type, values]) => new Attribute({ type, values }));
    await client.add(`${key}=${id},${base}`, given);
    return;
  }
  const changes = wanted.flatMap(([type, values]) => {
    const there = [entry[type] ?? []].flat();
    if (JSON.stringify(there.toSorted()) === JSON.stringify(values.toSorted())) return [];
    return [new Change({ operation: 'replace', modification: new Attribute({ type, values }) })];
  });
  if (changes.length > 0) await client.modify(entry.dn, changes);
}

async function answer({ concernedTo, payload }) {
  const client = new Client({ url, timeout: 900, connectTimeout: 900 });
  try {
    await client.bind(account, password);
    await bring(client, wantedOf(concernedTo, payload.identity?.identity));
    return { status: 0, message: 'done' };
  } catch (error) {
    const refused = typeof error.code === 'number' && error.code !== 51 && error.code !== 52 && error.code !== 0;
    return { status: refused ? failed : connection, message: `${error.name}: ${error.message}` };
  } finally {
    await client.unbind().catch(() => {});
  }
}

for await (const line of createInterface({ input: process.stdin }))
  console.log(JSON.stringify(await answer(JSON.parse(line))));
