import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatRecord, formatTable, formatValue, widthOf } from '../../src/commands/table.ts';

describe('a table', () => {
  test('is aligned by what a terminal shows, numbers to the right', () => {
    const rows = [
      { name: 'Łukasz', last_done: 5, ok: true },
      { name: '山田', last_done: 1200, ok: false },
      { name: null, last_done: null, ok: null },
    ];
    expect(formatTable(rows)).toBe(
      ['name    last done  ok', 'Łukasz          5  yes', '山田         1200  no', ''].join('\n'),
    );
  });

  test('has every column that some row has', () => {
    expect(formatTable([{ a: 'x' }, { b: 'y' }])).toBe('a  b\nx\n   y');
  });

  test('without rows says so', () => {
    expect(formatTable([])).toBe('(none)');
  });

  test('never is wider than the terminal', () => {
    fc.assert(
      fc.property(fc.array(fc.dictionary(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }))), (rows) => {
        for (const line of formatTable(rows, 40).split('\n')) expect(widthOf(line)).toBeLessThanOrEqual(40);
      }),
    );
  });
});

test('a record is a line for each key', () => {
  expect(formatRecord({ state: 'pending', due_at: new Date(0), cause: ['a', 'b'] })).toBe(
    'state:   pending\ndue at:  1970-01-01T00:00:00.000Z\ncause:   a, b',
  );
});

test('a value stays on its line and cannot steer the terminal', () => {
  expect(formatValue('a\nb\u001b[2Jc\u202Ed')).toBe('a\\nb\\u001b[2Jc\\u202ed');
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(formatValue(text)).not.toMatch(/\p{Cc}/u);
      expect(stripVTControlCharacters(formatValue(text))).toBe(formatValue(text));
    }),
  );
});
