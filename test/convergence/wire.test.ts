import fc from 'fast-check';
import {
  AddRequest,
  Attribute,
  BindRequest,
  Change,
  DeleteRequest,
  ModifyDNRequest,
  ModifyRequest,
  PresenceFilter,
  SearchRequest,
} from 'ldapts';
import { describe, expect, test } from 'vitest';
import { listenTo, type Request } from './wire.ts';

const dn = 'uid=jo\\2C ann,ou=people,dc=example,dc=org';
const attribute = (type: string, ...values: string[]) => new Attribute({ type, values });

/** As ldapts writes them, with what is to be read of them. */
const requests: readonly (readonly [bytes: Buffer, read: Request | undefined])[] = [
  [new BindRequest({ messageId: 1, dn, password: 'secret' }).write(), undefined],
  [
    new SearchRequest({ messageId: 2, baseDN: dn, filter: new PresenceFilter({ attribute: 'uid' }) }).write(),
    undefined,
  ],
  [
    new AddRequest({
      messageId: 300,
      dn,
      attributes: [attribute('uid', 'jo, ann'), attribute('mail', 'a@b.it', 'x'.repeat(300))],
    }).write(),
    {
      operation: 'add',
      dn,
      changes: [
        { action: 'add', attribute: 'uid', values: ['jo, ann'] },
        { action: 'add', attribute: 'mail', values: ['a@b.it', 'x'.repeat(300)] },
      ],
    },
  ],
  [
    new ModifyRequest({
      messageId: 4,
      dn,
      changes: [
        new Change({ operation: 'replace', modification: attribute('mail') }),
        new Change({ operation: 'delete', modification: attribute('cn', 'jo') }),
      ],
    }).write(),
    {
      operation: 'modify',
      dn,
      changes: [
        { action: 'replace', attribute: 'mail', values: [] },
        { action: 'delete', attribute: 'cn', values: ['jo'] },
      ],
    },
  ],
  [
    new ModifyDNRequest({ messageId: 5, dn, newRdn: 'cn=1', deleteOldRdn: true, newSuperior: 'ou=left' }).write(),
    { operation: 'rename', dn, changes: [], below: 'ou=left' },
  ],
  [new DeleteRequest({ messageId: 6, dn }).write(), { operation: 'delete', dn, changes: [] }],
];

/** The answer to a request to delete, by its number and result code (RFC 4511 §4.1.9, §4.8). */
const answer = (id: number, code: number) =>
  Buffer.from([0x30, 12, 0x02, 1, id, 0x6b, 7, 0x0a, 1, code, 0x04, 0, 0x04, 0]);

describe('changes are read from the bytes of a connection', () => {
  test('however these are cut into pieces', () => {
    const bytes = Buffer.concat(requests.map(([request]) => request));
    fc.assert(
      fc.property(fc.array(fc.nat({ max: bytes.length })), (cuts) => {
        const heard: Request[] = [];
        const { up } = listenTo({ asked: (request) => heard.push(request) });
        const places = [0, ...cuts.toSorted((left, right) => left - right), bytes.length];
        for (const [index, from] of places.entries()) up(bytes.subarray(from, places[index + 1]));
        expect(heard).toEqual(requests.flatMap(([, read]) => read ?? []));
      }),
    );
  });

  test('and those that the directory grants are told from those that it refuses', () => {
    const done: Request[] = [];
    const { up, down } = listenTo({ done: (request) => done.push(request) });
    up(Buffer.concat([7, 8].map((messageId) => new DeleteRequest({ messageId, dn: `cn=${messageId}` }).write())));
    down(Buffer.concat([answer(8, 0), answer(7, 32), answer(9, 0)]));
    expect(done).toEqual([{ operation: 'delete', dn: 'cn=8', changes: [] }]);
  });
});
