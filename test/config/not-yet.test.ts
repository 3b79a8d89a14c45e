import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { notYet } from '../../src/config/not-yet.ts';
import { config } from '../../src/config/schema.ts';

const read = (text: string) =>
  notYet(config.parse({ version: 1, database: { url: 'postgres:' }, entities: {}, ...parse(text) }));

test('a plain configuration asks for nothing that this version lacks', () => {
  expect(
    read(`
      targets:
        directory:
          type: ldap
          url: ldaps://a
          entities: { person: { dn: x, deprovision: delete, removeAfter: 1m, attributes: { mail: { from: mail } } } }`),
  ).toEqual(new Map());
});

test('what is asked for but not acted on is named for each target', () => {
  expect(
    read(`
      targets:
        plain: { type: ldap, url: ldaps://a, entities: {} }
        directory:
          type: ldap
          url: ldaps://a
          guard: {}
          after: [plain]
          entities:
            person:
              dn: x
              deprovision: [disable, { after: 90d, do: delete }]
              revisit: select 1
              writeBack: f
              attributes: { mail: { from: mail, policy: merge }, cn: x, member: { ref: person, from: x }, owner: { ref: person, from: x, empty: keep } }`),
  ).toEqual(
    new Map([
      [
        'directory',
        [
          'guard',
          'after',
          'entities.person.revisit',
          'entities.person.writeBack',
          'entities.person.deprovision',
          'entities.person.attributes.mail.policy',
          'entities.person.attributes.owner.empty',
        ],
      ],
    ]),
  );
});

test('a time for reconciling is named with every target', () => {
  const text = 'targets: { plain: { type: ldap, url: ldaps://a, entities: {} } }\nschedule: { reconcile: "0 4 * * *" }';
  expect(read(text)).toEqual(new Map([['plain', ['schedule.reconcile']]]));
});
