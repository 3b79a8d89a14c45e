/** Mistakes that only a scim target can have. */
import { afterAll, expect, test } from 'vitest';
import { remoteIdOf } from '../../src/config/remote-id.ts';
import { createWritten } from './written.ts';

const { load, mistakesIn, remove } = createWritten();
afterAll(remove);

const good = `version: 1
database: { url: postgres://localhost/x }
passwords: { key: x }
entities:
  person: { view: registry.v_person, key: id, sources: {} }
  guest: { view: registry.v_guest, key: id, sources: {} }
  group: { view: registry.v_group, key: id, sources: {} }
targets:
  service:
    type: scim
    url: https://scim.example.org/v2
    entities:
      person:
        resource: User
        id: "{uid}"
        attributes:
          name.familyName: "{surname}"
          phoneNumbers: { from: telephones, as: list }
        deprovision: [disable, { after: 90d, do: delete }]
      guest: { resource: User, id: "{uid}", attributes: { active: "{active}" } }
      group: { resource: Group, id: "{name}", attributes: { members: { ref: person, from: members } } }
`;

test('a scim target has defaults, which depend on the resource type', () => {
  const { service } = load(good).config.targets;
  if (service?.type !== 'scim') throw new Error('it is a scim target');
  const { person, guest, group } = service.entities;
  expect(service).toMatchObject({
    ...{ pageSize: 100, membersPerRequest: 100, removeMembers: 'filter', bulk: false },
    features: { attributes: true },
  });
  expect(person).toMatchObject({
    ...{ naming: 'userName', caseSensitive: false, disable: { attributes: { active: 'false' } } },
    attributes: {
      active: { kind: 'values', values: ['true'], policy: 'initial' },
      'name.familyName': { as: undefined },
    },
  });
  expect(guest?.attributes.active).toMatchObject({ kind: 'template', policy: 'replace' });
  expect(group).toMatchObject({ naming: 'displayName', disable: undefined });
  expect(Object.keys(group?.attributes ?? {})).toEqual(['members']);
  expect([person, group].map((mapping) => mapping && remoteIdOf(mapping))).toEqual([
    { key: 'id', template: 'User/{uid}' },
    { key: 'id', template: 'Group/{name}' },
  ]);
});

const above = 'targets.service.entities.person';

test.each([
  [
    'name.familyName:',
    'name..familyName:',
    `17:11: ${above}.attributes["name..familyName"]: found "name..familyName", expected a path such as displayName, name.familyName or emails[type eq "work"].value`,
  ],
  [
    'name.familyName:',
    'emails[type co "work"].value:',
    `17:11: ${above}.attributes["emails[type co \\"work\\"].value"]: found "emails[type co \\"work\\"].value", expected a filter such as [type eq "work"] or [type eq "work" and primary eq true]`,
  ],
  [
    'name.familyName:',
    'phoneNumbers[type eq "work"].value:',
    `18:11: ${above}.attributes.phoneNumbers: found a value for "phoneNumbers", while "phoneNumbers[type eq \\"work\\"].value" stands inside it; expected one of the two`,
  ],
  [
    'name.familyName:',
    'UserName:',
    `17:11: ${above}.attributes.UserName: found "UserName", which is what \`id:\` says; leave it out`,
  ],
  [
    'name.familyName:',
    'meta.version:',
    `17:11: ${above}.attributes["meta.version"]: found "meta.version", which the service gives itself; leave it out`,
  ],
  [
    'resource: User\n        id: "{uid}"\n',
    'resource: User\n        id: "{uid}"\n        naming: externalId\n',
    `21:7: targets.service.entities.guest: User is named by userName here, and by externalId as person; expected the same: a service has one name for each`,
  ],
  [
    'resource: User\n',
    'resource: "/Users"\n',
    `14:19: ${above}.resource: found "/Users", expected User, Group or the name of another resource type`,
  ],
  [
    'phoneNumbers: { from: telephones, as: list }\n',
    'password: { from: hash, secret: true }\n        password: true\n',
    `19:19: ${above}.password: password is written from the view, too, which would take back what was handed over: expected \`policy: initial\` for it, or only one of the two`,
  ],
  [
    'resource: Group, id: "{name}"',
    'resource: Group, id: "{name}", deprovision: disable',
    '21:60: targets.service.entities.group.deprovision: found disable, expected `disable:` beside it to say what is written',
  ],
  [
    'as: list',
    'as: array',
    `18:49: ${above}.attributes.phoneNumbers.as: found "array", expected text, number, boolean or list`,
  ],
])('with %j written %j has one message', (passage, instead, message) => {
  expect(good).toContain(passage);
  expect(mistakesIn(good.replace(passage, instead))).toEqual([message]);
});

test('a token that travels in the open is warned of', () => {
  const open = good.replace(
    'https://scim.example.org/v2',
    'http://scim.example.org/v2\n    auth: { type: bearer, token: x }',
  );
  expect(load(open).warnings.map(({ message }) => message)).toEqual([
    'found http://: what says who we are travels unencrypted; use https://',
  ]);
});
