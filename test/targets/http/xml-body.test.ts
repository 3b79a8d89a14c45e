import fc from 'fast-check';
import { XMLParser } from 'fast-xml-parser';
import { describe, expect, test } from 'vitest';
import type { Json } from '../../../src/targets/document.ts';
import { XmlBody } from '../../../src/targets/http/xml-body.ts';

const fill = (source: string, values: Readonly<Record<string, Json>>) =>
  new XmlBody(source).fill((name) => values[name]).replace(/^<\?xml.*\?>\n/, '');

describe('a body of XML', () => {
  test('has values where its placeholders stand, and keeps what is constant', () => {
    const source = `<?xml version="1.0"?>
<s:Envelope xmlns:s="urn:soap"><s:Body><!-- of ours --><add kind="{kind}" note="a &amp; b">
  <name>{name}</name><age>{age}</age><full>{name} {surname?}!</full><![CDATA[<x>]]></add></s:Body></s:Envelope>`;
    expect(fill(source, { name: 'Zoë <b>', kind: '"q"', age: 4 })).toBe(
      '<s:Envelope xmlns:s="urn:soap"><s:Body><add kind="&quot;q&quot;" note="a &amp; b">' +
        '<name>Zoë &lt;b&gt;</name><age>4</age><full>Zoë &lt;b&gt; !</full>&lt;x&gt;</add></s:Body></s:Envelope>',
    );
  });

  test('leaves out elements and attributes of what stands for nothing', () => {
    expect(fill('<a x="{no}"><b>{no}</b><c>{no?}</c><d/></a>', {})).toBe('<a><c/><d/></a>');
  });

  test('has an element for each value of a list', () => {
    expect(fill('<a><mail kind="w">{mails}</mail></a>', { mails: ['x@y', '<'] })).toBe(
      '<a><mail kind="w">x@y</mail><mail kind="w">&lt;</mail></a>',
    );
  });

  test.each(['a\0b', '\x1b', '\ud800'])('cannot hold %j', (name) => {
    expect(() => fill('<a>{name}</a>', { name })).toThrow(expect.objectContaining({ kind: 'rejected' }));
  });

  test('says what was meant, whatever is in the values', () => {
    const parser = new XMLParser({
      ignoreAttributes: false,
      parseTagValue: false,
      trimValues: false,
      htmlEntities: true,
    });
    const text = fc
      .string({ unit: 'grapheme', minLength: 1 })
      .map((given) => given.replaceAll(/[^\P{Cc}\t\n\r]|[\ufffe\uffff]/gu, '·'));
    fc.assert(
      fc.property(text, text, (one, other) => {
        const body = new XmlBody('<a x="{one}"><b>{other}</b></a>');
        const written = body.fill((name) => (name === 'one' ? one : other));
        expect(parser.parse(written).a).toEqual({ '@_x': one, b: other });
      }),
    );
  });

  test.each(['<a>', 'text', '<a><b></a>', ''])('is not made of %j', (source) => {
    expect(() => new XmlBody(source)).toThrow();
  });
});
