/** The path of an operation: each part of it between slashes is a template. */
import { TargetError } from '../target.ts';
import { type Scope, Text } from './scope.ts';

export class Path {
  readonly #source: string;
  readonly #segments: readonly Text[];

  constructor(source: string) {
    this.#source = source;
    this.#segments = source.split('/').map((segment) => new Text(segment));
  }

  get names(): string[] {
    return this.#segments.flatMap(({ names }) => names);
  }

  /** Whether everything that it needs is there. */
  isFilled(scope: Scope): boolean {
    return this.#segments.every((segment) => segment.text(scope) !== undefined);
  }

  /**
   * What was filled in, encoded, so that each part stays one (RFC 3986 §3.3). Throws `rejected` where one would be empty or
   * lead elsewhere.
   */
  fill(scope: Scope): string {
    return this.#segments
      .map((segment) => {
        const text = segment.text(scope);
        if (segment.isConstant) return text ?? '';
        if (text === undefined || ['', '.', '..'].includes(text) || !text.isWellFormed()) {
          const found = text === undefined ? 'nothing' : JSON.stringify(text);
          const names = segment.names.map((name) => `{${name}}`).join(', ');
          throw new TargetError(
            'rejected',
            `${names} in the path ${this.#source}: found ${found}, expected a name that can stand there`,
          );
        }
        return encodeURIComponent(text);
      })
      .join('/');
  }
}
