import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import type { Environment } from '../../src/config/env.ts';
import { loadConfig } from '../../src/config/load.ts';
import { ConfigError } from '../../src/config/problem.ts';
import type { Config } from '../../src/config/schema.ts';
import { readSecret, type Secret } from '../../src/config/secret.ts';

const folder = mkdtempSync(join(tmpdir(), 'staffetta-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

const env: Environment = {
  DATABASE_URL: 'postgres://app:geheim1@db.example.org/university',
  LDAP_URL: 'ldaps://ldap.example.org',
  LDAP_PASSWORD: 'geheim2',
  SUFFIX: 'dc=example,dc=org',
  EMPTY: '',
  SLOTS: '4',
  MANY: 'geheim3',
};

/** The password of the ldap target. */
function bindPassword({ targets: { directory } }: Config): Secret {
  return (directory?.type === 'ldap' && directory.bind?.password) || '';
}

// A file without mistakes, and mistakes: a passage of it, what is written instead, and the line that answers it.
const good = `version: 1
database: { url: \${DATABASE_URL} }
entities:
  person:
    view: registry.v_person
    key: id
    sources:
      registry.person: id
      registry.career: { key: person_id, columns: [status] }
  group: { view: registry.v_group, key: id, sources: { registry.team: id } }
targets:
  directory:
    type: ldap
    url: \${LDAP_URL}
    bind: { dn: "cn=admin,\${SUFFIX}", password: \${LDAP_PASSWORD} }
    entities:
      person:
        dn: "uid={uid},ou=people,\${SUFFIX}"
        attributes:
          objectClass: { values: [inetOrgPerson] }
          cn: "{given_name?} {surname?}"
          mail: { from: emails }
        deprovision: keep
      group:
        dn: "cn={name},ou=groups,\${SUFFIX}"
        attributes: { member: { ref: person, from: members } }
`;
const mistakes = z
  .array(z.object({ mistake: z.string(), passage: z.string(), instead: z.string(), answer: z.string() }))
  .parse(parse(readFileSync(join(import.meta.dirname, 'mistakes.yml'), 'utf8')));

function load(text: string, variables = env) {
  const file = join(folder, 'staffetta.yml');
  writeFileSync(file, text);
  return loadConfig(file, variables);
}

/** The lines that a file is refused with; none if it is accepted. */
function mistakesIn(text: string, variables = env): string[] {
  try {
    load(text, variables);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message.split('\n').map((line) => line.replace(`${folder}/`, ''));
  }
}

/** The good file with one passage written otherwise. */
function changed(passage: string, instead: string): string {
  if (!good.includes(passage)) throw new Error(`the example has no ${passage}`);
  return good.replace(passage, () => instead);
}

describe('every mistake is told with its place, what was found and what was expected:', () => {
  test.each(mistakes)('$mistake', ({ passage, instead, answer }) => {
    expect(mistakesIn(changed(passage, instead))).toEqual([`staffetta.yml:${answer}`]);
  });

  test('a password that the view would take back', () => {
    const written = (attribute: string) =>
      changed('mail: { from: emails }', `${attribute}\n        password: ssha512`).replace(
        'targets:',
        'passwords: { key: x }\ntargets:',
      );
    expect(mistakesIn(written('userpassword: { from: hash, secret: true }'))).toEqual([
      'staffetta.yml:24:19: targets.directory.entities.person.password: userpassword is written from the view, too, which would take back what was handed over: expected `policy: initial` for it, or only one of the two',
    ]);
    expect(mistakesIn(written('userPassword: { from: hash, secret: true, policy: initial }'))).toEqual([]);
  });

  test('targets that wait for each other', () => {
    const second = '\n  mail: { type: ldap, url: ldaps://x.org, after: [directory], entities: {} }\n';
    expect(
      mistakesIn(changed('type: ldap', 'type: ldap\n    after: [mail]') + second.trimStart().replace(/^/, '  ')),
    ).toEqual([
      'staffetta.yml:14:13: targets.directory.after[0]: found "mail": a circle, directory after mail after directory',
      'staffetta.yml:28:51: targets.mail.after[0]: found "directory": a circle, mail after directory after mail',
    ]);
  });
});

describe('a file that is none', () => {
  test.each([
    [
      'nothing in it',
      '# only a comment\n',
      'staffetta.yml:1:1: found nothing in the file; `staffetta init --force` writes one to begin with',
    ],
    ['a list', '- version', 'staffetta.yml:1:1: found a list, expected a mapping'],
    [
      'another version',
      'version: 2\nnews: 1',
      'staffetta.yml:1:10: version: found 2, expected 1: this Staffetta knows no other version of the file',
    ],
    ['tabs', 'version: 1\ndatabase:\n\turl: x', 'staffetta.yml:3:1: not YAML: Tabs are not allowed as indentation'],
    [
      'an alias within itself',
      good.replace('group: {', 'group: &g { again: *g,'),
      'staffetta.yml:10:22: entities.group.again: found an alias of a part that it stands in itself',
    ],
  ])('%s', (_, text, line) => {
    expect(mistakesIn(text)).toContain(line);
  });

  test('missing', () => {
    expect(() => loadConfig(join(folder, 'none.yml'), env)).toThrow(
      /none\.yml:1:1: there is no such file; `staffetta init` writes one to begin with/,
    );
  });

  test('a directory', () => {
    mkdirSync(join(folder, 'folder.yml'));
    expect(() => loadConfig(join(folder, 'folder.yml'), env)).toThrow(
      /folder\.yml:1:1: found a directory, expected a file/,
    );
  });
});

test('all mistakes are told at once, in the order of the file, also where one hides the others', () => {
  const text = good
    .replace('view: registry.v_person', 'view: 5')
    .replace('dn: "uid=', 'dnn: "uid=')
    .replace('cn: "{given', 'cn: "{{given')
    .replace('ref: person', 'ref: staff, many: 1')
    .replace(`\${LDAP_PASSWORD}`, `\${A}, realm: \${B}`);
  expect(mistakesIn(text).map((line) => line.replace(/(; did|\. Known).*/, ''))).toEqual([
    'staffetta.yml:5:11: entities.person.view: found the number 5, expected text: put it in quotes',
    'staffetta.yml:15:49: targets.directory.bind.password: the environment variable A is not set',
    'staffetta.yml:15:55: targets.directory.bind.realm: unknown key',
    'staffetta.yml:15:62: targets.directory.bind.realm: the environment variable B is not set',
    'staffetta.yml:18:9: targets.directory.entities.person.dnn: unknown key',
    'staffetta.yml:21:15: targets.directory.entities.person.attributes.cn: not a template: a "}" has no "{" before it; a literal brace is written "}}"',
    'staffetta.yml:26:38: targets.directory.entities.group.attributes.member.ref: found "staff", expected one of this target\'s entities (person, group)',
    'staffetta.yml:26:45: targets.directory.entities.group.attributes.member.many: unknown key',
  ]);
});

test('no message shows what a variable holds, or what stands where a password does', () => {
  const secrets = /geheim\d/;
  for (const { passage, instead } of mistakes)
    expect(mistakesIn(changed(passage, instead)).join()).not.toMatch(secrets);
  const literal = good.replace(`\${LDAP_PASSWORD}`, '[geheim4]').replace(`\${DATABASE_URL}`, 'geheim5');
  expect(mistakesIn(literal)).toHaveLength(2);
  expect(mistakesIn(literal).join()).not.toMatch(secrets);
});

describe('a good file', () => {
  test('is read with its defaults', () => {
    const { config, file, warnings } = load(good);
    expect(file).toBe(join(folder, 'staffetta.yml'));
    expect(warnings).toEqual([]);
    expect(config.entities.person?.sources['registry.person']).toEqual({ key: 'id', capture: 'statement' });
    expect(config.targets.directory).toMatchObject({
      mode: 'live',
      url: ['ldaps://ldap.example.org'],
      slots: 2,
      batch: 500,
      concurrency: 8,
      timeout: 10_000,
      after: [],
    });
    expect(config.targets.directory?.entities.person).toMatchObject({
      dn: 'uid={uid},ou=people,dc=example,dc=org',
      removeAfter: 10_000,
      deprovision: [{ after: 0, do: 'keep' }],
      attributes: {
        objectClass: { kind: 'values', values: ['inetOrgPerson'] },
        cn: { kind: 'template', template: '{given_name?} {surname?}' },
        mail: { kind: 'column', from: 'emails', secret: false, unique: false, policy: 'replace' },
      },
    });
    expect(config.targets.directory?.entities.group?.attributes?.member).toEqual({
      kind: 'reference',
      ref: 'person',
      from: 'members',
      empty: 'placeholder',
    });
    expect(config.schedule).toEqual({ sweep: '* * * * *', rescan: '*/15 * * * *', reconcile: '15 3 * * *' });
  });

  test('may take numbers from the environment, while a password of digits stays a text', () => {
    const { config } = load(changed('type: ldap', `type: ldap\n    slots: \${SLOTS}`), {
      ...env,
      LDAP_PASSWORD: '0123',
    });
    expect(config.targets.directory?.slots).toBe(4);
    expect(readSecret(bindPassword(config))).toBe('0123');
  });

  test('finds the file of a secret beside itself', () => {
    writeFileSync(join(folder, 'password'), 'from a file\n');
    const { config } = load(changed(`\${LDAP_PASSWORD}`, '{ file: password }'));
    expect(readSecret(bindPassword(config))).toBe('from a file');
  });

  test('has one revision whatever its variables hold', () => {
    const other = { ...env, LDAP_PASSWORD: 'changed', SUFFIX: 'dc=other' };
    expect(load(good, other).revision).toBe(load(good).revision);
    expect(load(changed('deprovision: keep', 'deprovision: delete')).revision).not.toBe(load(good).revision);
  });

  test('can be printed without its bind password', () => {
    const { config } = load(good);
    expect(inspect(config, { depth: null }) + JSON.stringify(config) + String(bindPassword(config))).not.toContain(
      'geheim2',
    );
  });

  test('warns of a password that travels openly, and of settings without effect', () => {
    const { warnings } = load(
      changed(`url: \${LDAP_URL}`, 'url: [ldap://far.org, ldap://127.0.0.1:3389]\n    tls: { ca: ca.pem }'),
    );
    expect(warnings.map(({ line, column, message }) => `${line}:${column}: ${message}`)).toEqual([
      '14:11: found "ldap://far.org": the bind password travels unencrypted; use ldaps:// or startTls: true',
      '15:5: has no effect without ldaps:// or startTls: true',
    ]);
  });

  test('says where a mistake stands that somebody else found', () => {
    const { locate } = load(good);
    const at = (path: (string | number)[]) => locate({ path, message: '' }).replace(`${folder}/`, '');
    expect(at(['targets', 'directory', 'entities', 'person', 'dn'])).toBe('staffetta.yml:18:13');
    expect(at(['targets', 'directory', 'entities', 'person', 'only'])).toBe('staffetta.yml:17:7');
    expect(at(['entities', 'person', 'sources', 'registry.career', 'columns', 0])).toBe('staffetta.yml:9:52');
  });
});
