import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseTemplate, type Template, TemplateError } from '../../src/config/template.ts';

const columnName = fc.string({ minLength: 1 }).filter((text) => !/[{}]|\?$/.test(text) && text.trim() === text);
const literal = fc.string({ unit: 'binary', minLength: 1 });
const template = fc
  .array(fc.oneof(literal, fc.record({ column: columnName, optional: fc.boolean() })))
  .map((parts) => parts.filter((part, index) => typeof part !== 'string' || typeof parts[index - 1] !== 'string'))
  .map((parts): Template => ({ parts }));

function write({ parts }: Template): string {
  return parts
    .map((part) => {
      if (typeof part === 'string') return part.replaceAll('{', '{{').replaceAll('}', '}}');
      return `{${part.column}${part.optional ? '?' : ''}}`;
    })
    .join('');
}

describe('a template', () => {
  test('is literal text and columns in turn', () => {
    expect(parseTemplate('uid={uid},ou={unit?}').parts).toEqual([
      'uid=',
      { column: 'uid', optional: false },
      ',ou=',
      { column: 'unit', optional: true },
    ]);
    expect(parseTemplate('').parts).toEqual([]);
    expect(parseTemplate('{{{x}}}').parts).toEqual(['{', { column: 'x', optional: false }, '}']);
  });

  test('is read back as it was written, whatever its texts and columns', () => {
    fc.assert(
      fc.property(template, (expected) => {
        expect(parseTemplate(write(expected))).toEqual(expected);
      }),
    );
  });

  test.each(['{', '}', '{a', 'a}', '{}', '{?}', '{ }', '{a{b}}', '{a}}', '{{a}', '{ a }', '{a }'])(
    'cannot be %s',
    (text) => {
      expect(() => parseTemplate(text)).toThrow(TemplateError);
    },
  );
});
