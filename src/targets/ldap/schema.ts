/**
 * What a server says of its attributes and object classes (RFC 4512 §4.1), with the built-in attribute types below it:
 * it answers before a server was asked, only less precisely.
 */
import { type AttributeType, attributeTypes, type Rule } from './attribute-types.ts';
import { remembering } from './remembering.ts';

/** A schema definition: `( 2.5.4.3 NAME ( 'cn' 'commonName' ) SUP name EQUALITY caseIgnoreMatch … )`. */
interface Definition {
  readonly oid: string;
  readonly names: readonly string[];
  /** What follows each keyword: nothing, one word, or a list. */
  readonly fields: ReadonlyMap<string, readonly string[]>;
}

const matchingRules: Readonly<Record<string, Rule>> = {
  caseignorematch: 'caseIgnore',
  caseignoreia5match: 'caseIgnore',
  caseexactmatch: 'caseExact',
  caseexactia5match: 'caseExact',
  caseignorelistmatch: 'caseIgnoreList',
  distinguishednamematch: 'dn',
  uniquemembermatch: 'nameAndUid',
  telephonenumbermatch: 'telephone',
  integermatch: 'integer',
  booleanmatch: 'boolean',
  generalizedtimematch: 'time',
  numericstringmatch: 'numeric',
  objectidentifiermatch: 'objectIdentifier',
  uuidmatch: 'uuid',
  octetstringmatch: 'bytes',
};

/** For types that name no matching rule: by the last arc of 1.3.6.1.4.1.1466.115.121.1 (RFC 4517 §3.3). */
const syntaxes: Readonly<Record<string, Rule>> = {
  '5': 'bytes',
  '7': 'boolean',
  '8': 'bytes',
  '9': 'bytes',
  '10': 'bytes',
  '12': 'dn',
  '15': 'caseIgnore',
  '23': 'bytes',
  '24': 'time',
  '27': 'integer',
  '28': 'bytes',
  '34': 'nameAndUid',
  '36': 'numeric',
  '38': 'objectIdentifier',
  '40': 'bytes',
  '41': 'caseIgnoreList',
  '50': 'telephone',
};

/** Syntaxes whose values are not text: audio, binary, certificates and lists of them, fax, JPEG. */
const binarySyntaxes = new Set(['4', '5', '8', '9', '10', '23', '28']);
/** Of those, what is transferred with `;binary` (RFC 4523 §2). */
const transferredSyntaxes = new Set(['8', '9', '10']);

const syntaxPrefix = '1.3.6.1.4.1.1466.115.121.1.';

/** Names of attributes: each is asked about for each entry. */
const rememberedAttributes = 1024;

export class Schema {
  readonly #types: ReadonlyMap<string, AttributeType>;
  readonly #classes: ReadonlyMap<string, readonly string[]>;

  readonly #binary: ReadonlySet<string>;
  readonly #typeOf = remembering((attribute) => this.#findType(attribute), rememberedAttributes);
  readonly #canonicalOf = remembering((attribute) => this.#canonicalise(attribute), rememberedAttributes);

  /**
   * `types` and `classes`: the values of `attributeTypes` and `objectClasses` of a subschema entry; what cannot be read
   * is left to the built-in types. `binary`: attributes that hold bytes whatever the schema says.
   */
  constructor(types: readonly string[] = [], classes: readonly string[] = [], binary: readonly string[] = []) {
    this.#types = readTypes(types.map(readDefinition));
    this.#classes = readClasses(classes.map(readDefinition));
    this.#binary = new Set(binary.map(bare));
  }

  /** Did the server name this attribute in its schema? Always true as long as no schema could be read. */
  knows(attribute: string): boolean {
    return this.#types.size === 0 || this.#types.has(bare(attribute));
  }

  /** The type of an attribute, by any of its names, with or without options. */
  type(attribute: string): AttributeType {
    return this.#typeOf(attribute);
  }

  #findType(attribute: string): AttributeType {
    const name = bare(attribute);
    const known = this.#types.get(name) ??
      attributeTypes.get(name) ?? { name, rule: 'exact', binary: false, transfer: false };
    const binary = known.binary || isTransferred(attribute) || this.#binary.has(name);
    return binary === known.binary ? known : { ...known, binary };
  }

  /** One name for all names of an attribute: first name and options, in lower case; `;binary` does not count. */
  canonical(attribute: string): string {
    return this.#canonicalOf(attribute);
  }

  #canonicalise(attribute: string): string {
    const options = attribute
      .toLowerCase()
      .split(';')
      .slice(1)
      .filter((option) => option !== 'binary');
    return [this.type(attribute).name, ...options.sort()].join(';');
  }

  /** The name under which an attribute is sent. */
  sent(attribute: string): string {
    return this.type(attribute).transfer && !isTransferred(attribute) ? `${attribute};binary` : attribute;
  }

  /** An object class, by its first name in lower case, with all classes above it. */
  withSuperiors(objectClass: string): string[] {
    const found = new Set<string>();
    const visit = (name: string): void => {
      const [first = name.toLowerCase(), ...superiors] = this.#classes.get(name.toLowerCase()) ?? [];
      if (found.has(first)) return;
      found.add(first);
      for (const superior of superiors) visit(superior);
    };
    visit(objectClass);
    return [...found];
  }
}

/** Does the name itself say that its values are bytes? */
function isTransferred(attribute: string): boolean {
  return /;binary(;|$)/i.test(attribute);
}

function bare(attribute: string): string {
  return attribute.toLowerCase().replace(/;.*/, '');
}

function readTypes(definitions: readonly (Definition | undefined)[]): Map<string, AttributeType> {
  const byName = new Map<string, Definition>();
  for (const definition of definitions) {
    if (definition === undefined) continue;
    for (const name of [definition.oid, ...definition.names]) byName.set(name.toLowerCase(), definition);
  }
  const types = new Map<string, AttributeType>();
  for (const definition of byName.values()) {
    const type = resolve(definition, byName);
    for (const name of [definition.oid, ...definition.names]) types.set(name.toLowerCase(), type);
  }
  return types;
}

/** The first name that the built-in table uses wins, so that both agree on what a name comes down to. */
function resolve(definition: Definition, byName: ReadonlyMap<string, Definition>): AttributeType {
  const names = [...definition.names, definition.oid].map((name) => name.toLowerCase());
  const builtIn = names.map((name) => attributeTypes.get(name)).find((type) => type !== undefined);
  const equality = inherited(definition, 'EQUALITY', byName)?.toLowerCase();
  const syntax =
    inherited(definition, 'SYNTAX', byName)
      ?.replace(/['"]|\{.*/g, '')
      .replace(syntaxPrefix, '') ?? '';
  const rule =
    matchingRules[equality ?? ''] ?? builtIn?.rule ?? (equality === undefined ? syntaxes[syntax] : undefined);
  return {
    name: builtIn?.name ?? names[0] ?? '',
    rule: rule ?? 'exact',
    binary: builtIn?.binary ?? binarySyntaxes.has(syntax),
    transfer: transferredSyntaxes.has(syntax),
  };
}

/** A field of a type, or of the nearest type above that has it. */
function inherited(start: Definition, field: string, byName: ReadonlyMap<string, Definition>): string | undefined {
  const seen = new Set<Definition>();
  for (let at: Definition | undefined = start; at !== undefined && !seen.has(at); ) {
    const value = at.fields.get(field)?.[0];
    if (value !== undefined) return value;
    seen.add(at);
    at = byName.get(at.fields.get('SUP')?.[0]?.toLowerCase() ?? '');
  }
  return undefined;
}

function readClasses(definitions: readonly (Definition | undefined)[]): Map<string, readonly string[]> {
  const classes = new Map<string, readonly string[]>();
  for (const definition of definitions) {
    if (definition === undefined) continue;
    const first = (definition.names[0] ?? definition.oid).toLowerCase();
    const entry = [first, ...(definition.fields.get('SUP') ?? [])];
    for (const name of [definition.oid, ...definition.names]) classes.set(name.toLowerCase(), entry);
  }
  return classes;
}

const keyword = /^(?:[A-Z]+(?:-[A-Z]+)*|X-.*)$/;

function readDefinition(text: string): Definition | undefined {
  const tokens = text.match(/'[^']*'|[()$]|[^\s()$']+/g) ?? [];
  const oid = tokens[1];
  if (tokens[0] !== '(' || oid === undefined) return undefined;
  const fields = new Map<string, string[]>();
  let field: string[] = [];
  let inList = false;
  for (const token of tokens.slice(2)) {
    if (token === '(') inList = true;
    else if (token === ')') inList = false;
    else if (token === '$') continue;
    else if (token.startsWith("'")) field.push(token.slice(1, -1));
    else if (inList || !keyword.test(token)) field.push(token);
    else {
      field = [];
      fields.set(token, field);
    }
  }
  return { oid, names: fields.get('NAME') ?? [], fields };
}
