/** A column's value inside a template. `optional` (`{x?}`): NULL counts as empty instead of emptying the whole template. */
export interface TemplateColumn {
  readonly column: string;
  readonly optional: boolean;
}

/** A template such as `uid={uid},ou=people`: literal text and columns in turn (PROTOCOL D4). */
export interface Template {
  readonly parts: readonly (string | TemplateColumn)[];
}

/** A template that cannot be read. The message repeats nothing of the template: it may hold values of `${ENV}`. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
}

/**
 * Reads a template: `{x}` is the column x, `{x?}` the same but optional, `{{` and `}}` are literal braces.
 * Two literals never follow each other, and none is empty. Throws TemplateError.
 */
export function parseTemplate(text: string): Template {
  const parts: (string | TemplateColumn)[] = [];
  let literal = '';
  for (const [token] of text.matchAll(/\{\{|\}\}|\{[^{}]*\}|[{}]|[^{}]+/g)) {
    if (token === '{{' || token === '}}') {
      literal += token.charAt(0);
    } else if (token === '{') {
      throw new TemplateError('a "{" is not followed by a column and "}"; a literal brace is written "{{"');
    } else if (token === '}') {
      throw new TemplateError('a "}" has no "{" before it; a literal brace is written "}}"');
    } else if (token.startsWith('{')) {
      if (literal !== '') parts.push(literal);
      literal = '';
      parts.push(parseColumn(token.slice(1, -1)));
    } else {
      literal += token;
    }
  }
  if (literal !== '') parts.push(literal);
  return { parts };
}

function parseColumn(inside: string): TemplateColumn {
  const optional = inside.endsWith('?');
  const column = optional ? inside.slice(0, -1) : inside;
  if (column.trim() === '') throw new TemplateError('"{}" names no column');
  if (column.trim() !== column) throw new TemplateError('a column is written without spaces between it and its braces');
  return { column, optional };
}
