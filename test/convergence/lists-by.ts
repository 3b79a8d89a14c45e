/** The people and teams of the target `lists`, for those who are told of them otherwise than by entries of a directory. */
import type { Means } from './conduct.ts';

/** For the backend that writes them into the directory. */
const played = `
      person:
        revisit: select person_id as key, ends as at from registry.contract
        id: "p{id}"
        only: "area = 'people'"
        attributes:
          inetOrgPerson.cn: { from: surname }
          inetOrgPerson.sn: { from: surname }
          inetOrgPerson.uid: { from: uid }
          inetOrgPerson.mail: { from: emails, as: list }
        deprovision: delete
        removeAfter: 300ms
      team:
        id: "t{id}"
        attributes:
          team.name: { from: name }
          team.members: { from: members, as: list }
        deprovision: delete
        removeAfter: 300ms
`;

/** For a service that keeps documents. */
const served = `
      person:
        revisit: select person_id as key, ends as at from registry.contract
        id: "{id}"
        idPath: id
        only: "area = 'people'"
        match: { number: id }
        attributes:
          id: "{id}"
          number: "{id}"
          surname: { from: surname }
          login: { from: uid }
          mail: { from: emails, as: list }
        operations:
          create: { path: /person }
          update: { path: "/person/{id}", json: merge }
          remove: { path: "/person/{id}" }
          read: { path: "/person/{id}" }
          find: { path: /person, query: { number: "{number}" }, items: /items }
          list: { path: /person, items: /items, total: /total, pages: { offset: offset } }
        deprovision: delete
        removeAfter: 300ms
      team:
        id: "{name}"
        idPath: id
        attributes:
          id: { from: name }
          number: "{id}"
          members: { from: members, as: list }
        operations:
          create: { path: /team }
          update: { path: "/team/{id}", json: merge }
          remove: { path: "/team/{id}" }
          read: { path: "/team/{id}" }
          list: { path: /team, items: /items, total: /total, pages: { offset: offset } }
        deprovision: delete
        removeAfter: 300ms
`;

/** For a SCIM service; members of a team are those who have a user there. */
const provisioned = `
      person:
        revisit: select person_id as key, ends as at from registry.contract
        resource: User
        id: "p{id}"
        only: "area = 'people'"
        match: { externalId: id }
        attributes:
          externalId: "{id}"
          name.familyName: { from: surname }
          nickName: { from: uid }
          emails: { from: emails }
        deprovision: delete
        removeAfter: 300ms
      team:
        resource: Group
        id: "{name}"
        attributes:
          externalId: "{id}"
          members: { ref: person, from: members }
        deprovision: delete
        removeAfter: 300ms
`;

/** The entities of `lists` by its means; undefined: those of a directory. */
export const listsBy: Readonly<Record<Means, string | undefined>> = {
  ldap: undefined,
  file: undefined,
  script: played,
  http: served,
  scim: provisioned,
};
