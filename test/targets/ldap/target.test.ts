import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { escapeValue, formatRdn, parseDn } from '../../../src/targets/ldap/dn.ts';
import type { LdapTarget } from '../../../src/targets/ldap/target.ts';
import type { AttributeChange, Attributes, Value } from '../../../src/targets/target.ts';
import { createDirectory, type Directory } from '../../setup/directory.ts';
import { createLdapTarget, patience } from './bench.ts';

let directory: Directory;
let target: LdapTarget;
const signal = patience();

beforeAll(async () => {
  directory = await createDirectory({ modules: ['ppolicy'], database: ['overlay ppolicy'] });
  target = createLdapTarget(directory, { binary: ['audio'] });
});
afterAll(async () => {
  await target.close();
  await directory.close();
});

const people = 'ou=people,dc=example,dc=org';
const dnOf = (uid: string, parent = people) => `uid=${escapeValue(uid)},${parent}`;
const person = (uid: string, more: Attributes = {}): Attributes => ({
  objectClass: ['inetOrgPerson'],
  uid: [uid],
  cn: [uid],
  sn: [uid],
  ...more,
});
const create = (remoteId: string, attributes: Attributes, entity = 'person') =>
  target.apply({ operation: 'create', entity, remoteId, attributes }, signal);
const update = (
  remoteId: string,
  changes: readonly AttributeChange[],
  more: { renameTo?: string; stableId?: string } = {},
) => target.apply({ operation: 'update', entity: 'person', remoteId, changes, ...more }, signal);
const replace = (attribute: string, ...values: Value[]): AttributeChange => ({ attribute, action: 'replace', values });
/** The one entry that ldapsearch finds by an attribute, with its DN. */
const look = async (
  filter: string,
  ...attributes: string[]
): Promise<{ dn: string; [name: string]: string | string[] } | undefined> => {
  const entries = [...(await directory.entries(filter, ...attributes))];
  expect(entries.length).toBeLessThan(2);
  const [entry] = entries;
  return entry && { dn: entry[0], ...entry[1] };
};
/** The values of one attribute of that entry, in order. */
const valuesOf = async (filter: string, attribute: string): Promise<string[] | undefined> => {
  const values = (await look(filter, attribute))?.[attribute];
  return values === undefined ? undefined : [values].flat().sort();
};
const read = (remoteId: string, ...attributes: string[]) => target.read({ remoteId }, attributes, signal);

describe('names of people', () => {
  const names: readonly string[] = [
    'Rossi, Maria',
    '"Ziggy" Stardust',
    'C++ Fan',
    '#1 Fan',
    '1 # 2',
    'ends in a backslash\\',
    'two in the end\\\\',
    'back\\slash, and "comma"',
    ' leading space',
    'trailing space ',
    ' both  inside ',
    '<b>Bold</b>',
    'semi;colon',
    'a=b',
    'Łukasz Żółć',
    '山田 太郎',
    'محمد علي',
    "O'Brien (Jr.) *",
    'Ελένη Παπαδοπούλου',
    'x'.repeat(200),
    '字'.repeat(70),
    'emoji 👩‍🎓',
    'tab\tand newline\nin it',
    '\\2C',
    '+',
    ',',
  ];

  test.each(names)('%o can be created, read, changed, renamed and removed', async (name) => {
    const remoteId = dnOf(name);
    const made = await create(remoteId, person(name, { employeeNumber: [`e:${name}`] }));
    expect(made.stableId).toMatch(/^[0-9a-f-]{36}$/);
    expect((await read(remoteId, 'cn', 'uid'))?.attributes).toEqual({ cn: [name], uid: [name] });

    await update(remoteId, [replace('title', 'Dr')], made);
    const renamed = dnOf(`${name} 2`);
    expect(
      await update(remoteId, [replace('uid', `${name} 2`), replace('title', 'Prof')], { ...made, renameTo: renamed }),
    ).toEqual({
      remoteId: renamed,
      stableId: made.stableId,
    });
    expect((await read(renamed, 'uid', 'title'))?.attributes).toEqual({ uid: [`${name} 2`], title: ['Prof'] });
    const found = await target.find(
      [{ key: 'k', entity: 'person', where: { employeeNumber: `e:${name}` } }],
      ['cn'],
      signal,
    );
    expect(found.get('k')?.map((state) => target.normalise(state.remoteId))).toEqual([target.normalise(renamed)]);

    await target.apply({ operation: 'remove', entity: 'person', ...made, remoteId: renamed }, signal);
    expect(await read(renamed)).toBeUndefined();
  });

  test('are refused where they make no name at all', async () => {
    for (const remoteId of ['', 'anna', `uid=,${people}`, 'uid=\\20,dc=x', 'uid="a']) {
      await expect(create(remoteId, person('x'))).rejects.toMatchObject({
        kind: 'rejected',
        message: expect.stringContaining('not a distinguished name'),
      });
    }
  });
});

describe('a rename', () => {
  test('that only changes case arrives in the name and in the attribute', async () => {
    const made = await create(dnOf('mccoy'), person('mccoy'));
    await update(made.remoteId, [], { ...made, renameTo: dnOf('McCoy') });
    expect(await look('(uid=mccoy)', 'uid')).toEqual({ dn: dnOf('McCoy'), uid: ['McCoy'] });
    await update(dnOf('McCoy'), [replace('uid', 'MCCOY')], { ...made, renameTo: dnOf('MCCOY') });
    expect(await look('(uid=mccoy)', 'uid')).toEqual({ dn: dnOf('MCCOY'), uid: ['MCCOY'] });
  });

  test('moves an entry below another parent', async () => {
    await directory.add(`dn: ou=former,${directory.suffix}\nobjectClass: organizationalUnit\n`);
    const made = await create(dnOf('mover'), person('mover'));
    const renameTo = dnOf('moved', `ou=former,${directory.suffix}`);
    await update(made.remoteId, [replace('uid', 'moved'), replace('employeeType', 'former')], { ...made, renameTo });
    expect(await look('(uid=moved)', 'uid', 'employeeType')).toEqual({
      dn: renameTo,
      uid: ['moved'],
      employeeType: ['former'],
    });
  });

  test('to a parent that is not there has to wait for it', async () => {
    const made = await create(dnOf('waiter'), person('waiter'));
    const renameTo = `uid=waiter,ou=nowhere,${directory.suffix}`;
    await expect(update(made.remoteId, [], { ...made, renameTo })).rejects.toMatchObject({
      kind: 'dependency',
      unsure: false,
    });
  });

  test('takes the old name out of the attribute, and leaves its other values', async () => {
    const made = await create(dnOf('old'), person('old', { uid: ['old', 'nick'] }));
    await update(made.remoteId, [], { ...made, renameTo: dnOf('new') });
    expect(await valuesOf('(uid=new)', 'uid')).toEqual(['new', 'nick']);
  });

  test('keeps both names where both are wanted', async () => {
    const parent = people;
    const remoteId = `cn=Bob,${parent}`;
    await create(remoteId, person('bob', { cn: ['Bob', 'Bobby'] }));
    await update(remoteId, [], { renameTo: `cn=Bobby,${parent}` });
    expect(await valuesOf('(uid=bob)', 'cn')).toEqual(['Bob', 'Bobby']);
  });

  test('goes together with changes of single values of the naming attribute', async () => {
    const made = await create(dnOf('ann'), person('ann', { uid: ['ann', 'a1'] }));
    const changes: AttributeChange[] = [
      { attribute: 'uid', action: 'delete', values: ['ann', 'a1'] },
      { attribute: 'uid', action: 'add', values: ['anna', 'a2'] },
    ];
    await update(made.remoteId, changes, { ...made, renameTo: dnOf('anna') });
    expect(await valuesOf('(uid=anna)', 'uid')).toEqual(['a2', 'anna']);
  });

  test('to another kind of name keeps the old naming attribute', async () => {
    const made = await create(dnOf('kind'), person('kind', { cn: ['Kind One'] }));
    await update(made.remoteId, [], { ...made, renameTo: `cn=Kind One,${people}` });
    expect(await look('(uid=kind)', 'uid', 'cn')).toEqual({
      dn: `cn=Kind One,${people}`,
      uid: ['kind'],
      cn: ['Kind One'],
    });
  });

  test('to a name of two attributes, in any order', async () => {
    const made = await create(dnOf('multi'), person('multi', { employeeNumber: ['77'] }));
    const renameTo = `uid=multi+employeeNumber=77,${people}`;
    await update(made.remoteId, [], { ...made, renameTo });
    const state = await read(`employeeNumber=77+uid=multi,${people}`, 'uid', 'employeeNumber');
    expect(state?.attributes).toEqual({ uid: ['multi'], employeeNumber: ['77'] });
  });

  test('that was made already is not made again', async () => {
    const made = await create(dnOf('again'), person('again'));
    await directory.modify(`dn: ${made.remoteId}\nchangetype: modrdn\nnewrdn: uid=again2\ndeleteoldrdn: 1\n`);
    await update(made.remoteId, [replace('title', 'x')], { ...made, renameTo: dnOf('again2') });
    expect(await look('(uid=again2)', 'title')).toEqual({ dn: dnOf('again2'), title: ['x'] });
  });

  test('never takes an entry of the same name that is another one', async () => {
    const made = await create(dnOf('victim'), person('victim'));
    await directory.modify(`dn: ${made.remoteId}\nchangetype: delete\n`);
    await create(dnOf('victim'), person('victim'));
    await expect(update(made.remoteId, [], { ...made, renameTo: dnOf('taken') })).rejects.toMatchObject({
      kind: 'gone',
    });
    expect(await look('(uid=victim)', 'uid')).toBeDefined();
  });

  test('says that it is half made where the change that belongs to it fails', async () => {
    const made = await create(dnOf('half'), person('half'));
    const failing = update(made.remoteId, [replace('telephoneNumber', 'ü')], { ...made, renameTo: dnOf('half2') });
    await expect(failing).rejects.toMatchObject({ kind: 'rejected', unsure: true });
    expect((await read(dnOf('half2')))?.stableId).toBe(made.stableId);
  });
});

describe('an entry that somebody moved', () => {
  test('is found by its stable id, changed and removed there', async () => {
    const made = await create(dnOf('lost'), person('lost'));
    await directory.modify(`dn: ${made.remoteId}\nchangetype: modrdn\nnewrdn: uid=found\ndeleteoldrdn: 1\n`);
    expect((await target.read(made, [], signal))?.remoteId).toBe(dnOf('found'));
    expect(await update(made.remoteId, [replace('title', 'x')], made)).toEqual({ ...made, remoteId: dnOf('found') });
    expect(await look('(uid=found)', 'title')).toEqual({ dn: dnOf('found'), title: ['x'] });
    const removed = await target.apply({ operation: 'remove', entity: 'person', ...made }, signal);
    expect(removed.remoteId).toBe(dnOf('found'));
    expect(await look('(uid=found)')).toBeUndefined();
  });

  test('and replaced by another of its name is not confused with that', async () => {
    const made = await create(dnOf('own'), person('own'));
    await directory.modify(`dn: ${made.remoteId}\nchangetype: delete\n`);
    const other = await create(dnOf('own'), person('own'));
    await target.apply({ operation: 'remove', entity: 'person', ...made }, signal);
    expect((await read(dnOf('own')))?.stableId).toBe(other.stableId);
  });
});

describe('values', () => {
  test('that are many, empty or repeated end as a set', async () => {
    const mail = ['a@x.org', 'b@x.org', '', 'A@x.org'];
    const { remoteId } = await create(dnOf('set'), person('set', { mail, title: [''] }));
    expect(await look('(uid=set)', 'mail', 'title')).toEqual({ dn: remoteId, mail: ['a@x.org', 'b@x.org'] });
    await update(remoteId, [{ attribute: 'mail', action: 'add', values: ['c@x.org', ''] }]);
    await update(remoteId, [{ attribute: 'mail', action: 'delete', values: ['a@x.org'] }]);
    await update(remoteId, [{ attribute: 'mail', action: 'delete', values: [''] }]);
    expect(await valuesOf('(uid=set)', 'mail')).toEqual(['b@x.org', 'c@x.org']);
    await update(remoteId, [replace('mail', '')]);
    expect(await look('(uid=set)', 'mail')).toEqual({ dn: remoteId });
  });

  test('of bytes go and come as they are', async () => {
    const bytes = { base64: Buffer.from([0xff, 0xd8, 0xff, 0, 1, 2, 0xc3]).toString('base64') };
    const textual = { base64: Buffer.from('looks like text').toString('base64') };
    const { remoteId } = await create(
      dnOf('bytes'),
      person('bytes', { jpegPhoto: [bytes, textual], audio: [textual] }),
    );
    const state = await read(remoteId, 'jpegPhoto', 'audio', 'cn');
    expect(state?.attributes).toEqual({ jpegPhoto: [bytes, textual], audio: [textual], cn: ['bytes'] });
    expect(target.same('jpegPhoto', [textual, bytes], state?.attributes.jpegPhoto ?? [])).toBe(true);
  });

  test('of a certificate go with ;binary, however the mapping calls it', async () => {
    const der = await createCertificate();
    const { remoteId } = await create(dnOf('cert'), person('cert', { userCertificate: [der] }));
    expect((await read(remoteId, 'userCertificate'))?.attributes).toEqual({ userCertificate: [der] });
    expect((await read(remoteId, 'userCertificate;binary'))?.attributes).toEqual({ 'userCertificate;binary': [der] });
    await update(remoteId, [replace('userCertificate;binary')]);
    expect((await read(remoteId, 'userCertificate'))?.attributes).toEqual({});
  });

  test('of a password let the person bind', async () => {
    const { remoteId } = await create(dnOf('pass'), person('pass', { userPassword: ['first secret'] }));
    await update(remoteId, [replace('userPassword', 'second, ünï')]);
    const own = createLdapTarget({ ...directory, bind: { dn: remoteId, password: 'second, ünï' } });
    expect((await own.ping(signal)).summary).toContain(remoteId);
    await own.close();
  });

  test('of a large photo and of a long name arrive whole', async () => {
    const photo = { base64: Buffer.alloc(700_000, 7).toString('base64') };
    const cn = '字'.repeat(200);
    const { remoteId } = await create(dnOf('large'), person('large', { jpegPhoto: [photo], cn: [cn] }));
    expect((await read(remoteId, 'jpegPhoto', 'cn'))?.attributes).toEqual({ jpegPhoto: [photo], cn: [cn] });
  });

  test('come back under the names they were asked for', async () => {
    const { remoteId } = await create(dnOf('alias'), person('alias', { surname: ['A'], sn: [] }));
    expect((await read(remoteId, 'SURNAME', '2.5.4.4', 'commonName'))?.attributes).toEqual({
      SURNAME: ['A'],
      '2.5.4.4': ['A'],
      commonName: ['alias'],
    });
  });

  test('of the attributes that name an entry are added where they were left out', async () => {
    const { uid: _, ...rest } = person('unnamed');
    const { remoteId } = await create(dnOf('unnamed'), rest);
    expect(await look('(uid=unnamed)', 'uid')).toEqual({ dn: remoteId, uid: ['unnamed'] });
  });

  test('of an auxiliary class come and go with it in one change', async () => {
    const { remoteId } = await create(dnOf('aux'), person('aux'));
    await update(remoteId, [
      replace('homeDirectory', '/home/aux'),
      replace('uidNumber', '1000'),
      replace('gidNumber', '1000'),
      replace('objectClass', 'inetOrgPerson', 'posixAccount'),
    ]);
    expect(await valuesOf('(uid=aux)', 'uidNumber')).toEqual(['1000']);
    await update(remoteId, [
      replace('objectClass', 'inetOrgPerson'),
      replace('homeDirectory'),
      replace('uidNumber'),
      replace('gidNumber'),
    ]);
    expect(await look('(uid=aux)', 'uidNumber', 'objectClass')).toEqual({
      dn: remoteId,
      objectClass: ['inetOrgPerson'],
    });
  });
});

describe('a group', () => {
  const members = Array.from({ length: 10_000 }, (_, at) => dnOf(`m${at}`));
  const remoteId = 'cn=everybody,ou=groups,dc=example,dc=org';
  const count = async () => (await valuesOf('(cn=everybody)', 'member'))?.length;

  test('of ten thousand is created, changed and emptied of most', async () => {
    await create(remoteId, { objectClass: ['groupOfNames'], cn: ['everybody'], member: members }, 'group');
    expect(await count()).toBe(10_000);
    await update(remoteId, [{ attribute: 'member', action: 'delete', values: members.slice(3) }]);
    expect(await count()).toBe(3);
    await update(remoteId, [replace('member', ...members.slice(0, 2500))]);
    expect(await count()).toBe(2500);
  });

  test('cannot lose its last member', async () => {
    const clear = update(remoteId, [replace('member')]);
    await expect(clear).rejects.toMatchObject({
      kind: 'rejected',
      unsure: false,
      message: expect.stringMatching(/objectClassViolation \(65\)/),
    });
  });

  test('says when a member was there or not there already', async () => {
    await expect(
      update(remoteId, [{ attribute: 'member', action: 'add', values: [members[0] ?? ''] }]),
    ).rejects.toMatchObject({ kind: 'converged' });
    await expect(update(remoteId, [{ attribute: 'member', action: 'delete', values: ['cn=x'] }])).rejects.toMatchObject(
      { kind: 'converged' },
    );
  });
});

describe('a refusal', () => {
  test('of a name that is too long for the server says that it may be', async () => {
    const name = '字'.repeat(200);
    await expect(create(dnOf(name), person(name))).rejects.toMatchObject({
      kind: 'unknown',
      message: expect.stringContaining('240 bytes'),
    });
  });

  test('without a parent waits for it', async () => {
    await expect(create(dnOf('orphan', `ou=none,${directory.suffix}`), person('orphan'))).rejects.toMatchObject({
      kind: 'dependency',
    });
  });

  test.each<[string, Attributes, RegExp]>([
    ['an attribute without a schema', { nonsense: ['1'] }, /undefinedAttributeType \(17\).*nonsense/],
    ['a value of the wrong form', { telephoneNumber: ['ü'] }, /invalidAttributeSyntax \(21\).*telephoneNumber/],
    [
      'two values of a single one',
      { preferredLanguage: ['it', 'de'] },
      /constraintViolation \(19\).*preferredLanguage/,
    ],
    ['an attribute that its classes do not allow', { uidNumber: ['1'] }, /objectClassViolation \(65\).*uidNumber/],
    ['no structural class', { objectClass: ['uidObject'] }, /objectClassViolation \(65\)/],
  ])('of %s is for a person to mend', async (_, more, message) => {
    const refusal = create(dnOf('refused'), person('refused', more));
    await expect(refusal).rejects.toMatchObject({
      kind: 'rejected',
      unsure: false,
      message: expect.stringMatching(message),
    });
  });

  test('of another structural class says what to do', async () => {
    const { remoteId } = await create(dnOf('class'), person('class'));
    const change = update(remoteId, [replace('objectClass', 'account'), replace('cn'), replace('sn')]);
    await expect(change).rejects.toMatchObject({
      kind: 'rejected',
      message: expect.stringContaining('remove the entry so that it is created anew'),
    });
  });

  test('of a name that its attribute does not hold is for a person to mend', async () => {
    const { remoteId } = await create(dnOf('named'), person('named'));
    await expect(update(remoteId, [replace('uid', 'other')])).rejects.toMatchObject({ kind: 'rejected' });
  });

  test('of an entry that has others below it', async () => {
    const remove = target.apply({ operation: 'remove', entity: 'person', remoteId: people }, signal);
    await expect(remove).rejects.toMatchObject({ kind: 'rejected', message: expect.stringContaining('(66)') });
  });

  test('for lack of rights concerns one entry', async () => {
    const made = await create(dnOf('weak'), person('weak', { userPassword: ['pw'] }));
    const weak = createLdapTarget({ ...directory, bind: { dn: made.remoteId, password: 'pw' } });
    const change = {
      operation: 'update',
      entity: 'person',
      remoteId: made.remoteId,
      changes: [replace('title', 'x')],
    } as const;
    await expect(weak.apply(change, signal)).rejects.toMatchObject({ kind: 'one-sided', unsure: false });
    await weak.close();
  });
});

describe('absence', () => {
  test('is not claimed by somebody who is not bound', async () => {
    const { bind: _, ...place } = directory;
    const anonymous = createLdapTarget({ ...place, bind: directory.bind }, { bind: undefined });
    await expect(anonymous.read({ remoteId: dnOf('nobody') }, [], signal)).rejects.toMatchObject({
      kind: 'misconfigured',
    });
    await expect(drain(anonymous.scan('person', [], signal))).rejects.toMatchObject({ kind: 'misconfigured' });
    await anonymous.close();
  });

  test('is not claimed by somebody who may not read there', async () => {
    const hiding = await createDirectory({
      database: [
        'access to dn.subtree="dc=example,dc=org" attrs=entry,entryUUID,ou,uid by dn.exact="uid=blind,ou=people,dc=example,dc=org" none by * break',
      ],
    });
    try {
      await hiding.add(
        `dn: uid=blind,${people}\nobjectClass: inetOrgPerson\nuid: blind\ncn: b\nsn: b\nuserPassword: pw\n`,
      );
      const blind = createLdapTarget({ ...hiding, bind: { dn: `uid=blind,${people}`, password: 'pw' } });
      await expect(blind.read({ remoteId: dnOf('blind') }, [], signal)).rejects.toMatchObject({
        kind: 'misconfigured',
      });
      await expect(drain(blind.scan('person', [], signal))).rejects.toMatchObject({ kind: 'misconfigured' });
      await blind.close();
    } finally {
      await hiding.close();
    }
  });

  test('of all entries is not claimed where their place is not shown', async () => {
    const entities = { person: { dn: 'uid={uid},ou=missing,dc=example,dc=org' } };
    const lost = createLdapTarget(directory, { entities });
    await expect(drain(lost.scan('person', [], signal))).rejects.toMatchObject({
      kind: 'misconfigured',
      message: expect.stringContaining('ou=missing'),
    });
    expect(await lost.find([{ key: '1', entity: 'person', where: { uid: 'a' } }], [], signal)).toEqual(new Map());
    await lost.close();
  });

  test('is not claimed where a search by stable id finds nothing it should', async () => {
    const hiding = await createDirectory({
      database: ['access to attrs=entryUUID by dn.exact="uid=blind,ou=people,dc=example,dc=org" none by * break'],
    });
    try {
      await hiding.add(
        `dn: uid=blind,${people}\nobjectClass: inetOrgPerson\nuid: blind\ncn: b\nsn: b\nuserPassword: pw\n`,
      );
      const blind = createLdapTarget({ ...hiding, bind: { dn: `uid=blind,${people}`, password: 'pw' } });
      const moved = { remoteId: dnOf('moved'), stableId: '00000000-0000-0000-0000-000000000000' };
      await expect(blind.read(moved, [], signal)).rejects.toMatchObject({
        kind: 'misconfigured',
        message: expect.stringContaining('entryUUID'),
      });
      await blind.close();
    } finally {
      await hiding.close();
    }
  });
});

describe('a search', () => {
  test('sees all of more entries than fit in a page', async () => {
    const many = Array.from(
      { length: 1200 },
      (_, at) => `dn: uid=p${at},${people}\nobjectClass: inetOrgPerson\nuid: p${at}\ncn: p\nsn: page\n`,
    );
    await directory.add(many.join('\n'));
    const seen = new Set<string>();
    for await (const { remoteId, attributes, stableId } of target.scan('person', ['sn'], signal)) {
      if (attributes.sn?.[0] === 'page' && stableId !== undefined) seen.add(remoteId);
    }
    expect(seen.size).toBe(1200);
    const matches = Array.from({ length: 250 }, (_, at) => ({
      key: `${at}`,
      entity: 'person',
      where: { uid: `P${at}` },
    }));
    const found = await target.find(matches, ['uid'], signal);
    expect(found.size).toBe(250);
    expect(found.get('249')?.[0]?.attributes).toEqual({ uid: ['p249'] });
  });

  test('that a limit cuts off fails instead of showing less, or asks less at once', async () => {
    const limited = await createDirectory({
      database: ['limits dn.exact="uid=limited,ou=people,dc=example,dc=org" size=2'],
    });
    try {
      const some = ['limited', 'a', 'b', 'c'].map(
        (uid) => `dn: uid=${uid},${people}\nobjectClass: inetOrgPerson\nuid: ${uid}\ncn: c\nsn: s\nuserPassword: pw\n`,
      );
      await limited.add(some.join('\n'));
      const few = createLdapTarget({ ...limited, bind: { dn: `uid=limited,${people}`, password: 'pw' } });
      await expect(drain(few.scan('person', [], signal))).rejects.toMatchObject({
        kind: 'unknown',
        message: expect.stringContaining('size limit'),
      });
      const each = ['limited', 'a', 'b', 'c'].map((uid) => ({ key: uid, entity: 'person', where: { uid } }));
      const found = await few.find([...each, { key: 'all', entity: 'person', where: { sn: 's' } }], [], signal);
      const counts = [...found].map(([key, states]) => [key, states.length]).sort();
      expect(counts).toEqual([
        ['a', 1],
        ['all', 2],
        ['b', 1],
        ['c', 1],
        ['limited', 1],
      ]);
      await few.close();
    } finally {
      await limited.close();
    }
  });

  test('tells several entries of one identity, and one entry of several', async () => {
    await create(dnOf('dup1'), person('dup1', { employeeNumber: ['4711'] }));
    await create(dnOf('dup2'), person('dup2', { employeeNumber: ['4711'], mail: ['Dup@x.org'] }));
    const where = { employeeNumber: '4711' };
    const found = await target.find(
      [
        { key: 'both', entity: 'person', where },
        { key: 'one', entity: 'person', where: { ...where, mail: 'dup@X.org' } },
        { key: 'none', entity: 'person', where: { ...where, mail: 'other@x.org' } },
        { key: 'empty', entity: 'person', where: { employeeNumber: '' } },
        { key: 'injection', entity: 'person', where: { employeeNumber: '*)(uid=*' } },
      ],
      ['uid'],
      signal,
    );
    expect([...found.keys()].sort()).toEqual(['both', 'one']);
    expect(
      found
        .get('both')
        ?.map((state) => state.attributes.uid?.[0])
        .sort(),
    ).toEqual(['dup1', 'dup2']);
    expect(found.get('one')?.map((state) => state.attributes)).toEqual([{ uid: ['dup2'] }]);
  });

  test('for an attribute that the server does not know is a mistake of the mapping', async () => {
    const find = target.find([{ key: '1', entity: 'person', where: { employeNumber: '1' } }], [], signal);
    await expect(find).rejects.toMatchObject({
      kind: 'misconfigured',
      message: expect.stringContaining('employeNumber'),
    });
  });
});

test('an entry is set aside under its own parent, with its own kind of name', () => {
  const aside = target.aside(`cn=A\\, B+uid=1,${people}`, '42');
  expect(formatRdn(parseDn(aside)[0] ?? [])).toMatch(/^cn=staffetta-[0-9a-f]{24}$/);
  expect(aside.endsWith(`,${people}`)).toBe(true);
});

async function drain(states: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of states);
}

/** A small certificate, as the DER that directories hold. */
async function createCertificate(): Promise<Value> {
  const pem = await readFile(directory.ca, 'utf8');
  return { base64: pem.replace(/-----.*-----|\s/g, '') };
}
