import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { entryXml, outcomeXml, resultXml } from '../../src/hooks/entry-xml.ts';

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"' };

/** The text that XML stands for. */
const read = (xml: string) =>
  xml.replaceAll(/&(?:#(\d+)|(\w+));/g, (_, number?: string, name = '') =>
    number === undefined ? (entities[name] ?? '') : String.fromCodePoint(Number(number)),
  );

describe('the XML of an entry', () => {
  test('has every attribute with its values, and of secret ones only those that may be seen', () => {
    const attributes = [
      { name: 'sn', action: 'add' as const, values: ['User', 'User2'] },
      { name: 'userPassword', action: 'add' as const, values: [], secret: true as const },
      { name: 'carLicense', action: 'replace' as const, values: ['ZG 1'], secret: true as const },
      { name: 'mail', action: 'delete' as const, values: [] },
    ];
    expect(entryXml('uid=user,dc=domena,dc=hr', undefined, attributes)).toBe(
      [
        '<entry dn="uid=user,dc=domena,dc=hr">',
        '    <attribute ldapname="sn">',
        '        <value>User</value>',
        '        <value>User2</value>',
        '    </attribute>',
        '    <attribute ldapname="carLicense">',
        '        <value>ZG 1</value>',
        '    </attribute>',
        '    <attribute ldapname="mail">',
        '    </attribute>',
        '</entry>',
      ].join('\n'),
    );
  });

  test('has bytes, and what XML cannot say, as base64', () => {
    const values = [{ base64: 'AAH/' }, 'bell \u0007', 'lone \ud800', 'well'];
    const xml = entryXml('uid=a', 'uid=b', [{ name: 'x', action: 'add', values }]);
    expect(xml).toContain('<entry dn="uid=a" newdn="uid=b">');
    expect([...xml.matchAll(/<value.*<\/value>/g)].map(([line]) => line)).toEqual([
      '<value encoding="base64">AAH/</value>',
      '<value encoding="base64">YmVsbCAH</value>',
      '<value encoding="base64">bG9uZSDvv70=</value>',
      '<value>well</value>',
    ]);
  });

  test('says any text so that it is read as it was, and nothing of it is taken for XML', () => {
    const anything = fc.string({ unit: 'binary', maxLength: 30 });
    fc.assert(
      fc.property(anything, anything, (dn, value) => {
        const xml = entryXml(dn, undefined, [{ name: 'cn', action: 'add', values: [value] }]);
        const [, named = '', base64, text = ''] =
          /^<entry dn="([^"<>]*)">\n {4}<attribute ldapname="cn">\n {8}<value( encoding="base64")?>([^<>"]*)<\/value>\n {4}<\/attribute>\n<\/entry>$/.exec(
            xml,
          ) ?? [];
        const plain = dn.toWellFormed().replaceAll(/[^\P{Cc}\t\n\r\u007f-\u009f]|[\ufffe\uffff]/gu, '\ufffd');
        expect(read(named)).toBe(plain);
        expect(base64 ? Buffer.from(text, 'base64').toString() : read(text)).toBe(value.toWellFormed());
      }),
    );
  });
});

test('the XML of a result is that of AOSI', () => {
  expect(
    outcomeXml({ done: false, code: -81, message: 'User does not exist!', remoteId: 'uid=user,dc=domain,dc=hr' }),
  ).toBe('<entry dn="uid=user,dc=domain,dc=hr">\n    <status code="-81">User does not exist!</status>\n</entry>');
  expect(resultXml('uid="x"', [{ element: 'before_plugin_status', name: 'A&B', code: 0, message: '<OK>' }])).toBe(
    '<entry dn="uid=&quot;x&quot;">\n    <before_plugin_status name="A&amp;B" code="0">&lt;OK&gt;</before_plugin_status>\n</entry>',
  );
});
