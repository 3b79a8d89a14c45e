/** The tables are not those that this version of Staffetta knows. */
export class SchemaMismatch extends Error {
  override readonly name = 'SchemaMismatch';
}
