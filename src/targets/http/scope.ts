/** What placeholders stand for in one operation. */
import { parseTemplate } from '../../config/template.ts';
import type { Json } from '../document.ts';
import { TargetError } from '../target.ts';

/** What a placeholder stands for; undefined: nothing. */
export type Scope = (name: string) => Json | undefined;

/** A template, read once and filled in often. */
export class Text {
  readonly #parts: ReturnType<typeof parseTemplate>['parts'];

  /** Throws TemplateError. */
  constructor(source: string) {
    this.#parts = parseTemplate(source).parts;
  }

  /** Whether it is the same whatever is filled in. */
  get isConstant(): boolean {
    return this.names.length === 0;
  }

  /** The placeholders in it. */
  get names(): string[] {
    return this.#parts.flatMap((part) => (typeof part === 'string' ? [] : [part.column]));
  }

  /** What it stands for, as it is: of exactly one placeholder a number, a list; else a text. */
  json(scope: Scope): Json | undefined {
    const [only, ...more] = this.#parts;
    if (more.length > 0 || only === undefined || typeof only === 'string') return this.text(scope);
    return scope(only.column) ?? (only.optional ? '' : undefined);
  }

  /**
   * The text; undefined where a placeholder stands for nothing, unless it is optional (`{x?}`). Throws `rejected` for a list
   * or a structure in it.
   */
  text(scope: Scope): string | undefined {
    let text = '';
    for (const part of this.#parts) {
      if (typeof part === 'string') {
        text += part;
        continue;
      }
      const value = scope(part.column) ?? (part.optional ? '' : undefined);
      if (value === undefined || value === null) return undefined;
      if (typeof value === 'object') {
        const message = `{${part.column}} has several values, and stands in the middle of a text; expected it by itself`;
        throw new TargetError('rejected', message);
      }
      text += String(value);
    }
    return text;
  }
}
