/**
 * The attribute types that Staffetta knows without asking a server: enough to compare names and common values before
 * the schema is read, and everywhere the same (RFC 4519, RFC 4524, RFC 2798, RFC 2307).
 */

/** How two values of an attribute are compared (RFC 4517 §4.2); `exact` is for what nobody told us about. */
export type Rule =
  | 'caseIgnore'
  | 'caseExact'
  | 'caseIgnoreList'
  | 'dn'
  | 'nameAndUid'
  | 'telephone'
  | 'integer'
  | 'boolean'
  | 'time'
  | 'numeric'
  | 'objectIdentifier'
  | 'uuid'
  | 'bytes'
  | 'exact';

/** An attribute type of a server's schema. */
export interface AttributeType {
  /** The first of its names, in lower case: what all its names and its OID come down to. */
  readonly name: string;
  readonly rule: Rule;
  /** Its values are bytes, never text. */
  readonly binary: boolean;
  /** It is always sent and named with `;binary` (RFC 4522 §3). */
  readonly transfer: boolean;
}

const table: Readonly<Record<Exclude<Rule, 'exact' | 'bytes'>, string>> = {
  caseIgnore: `
    cn commonName 2.5.4.3, sn surname 2.5.4.4, serialNumber 2.5.4.5, c countryName 2.5.4.6, l localityName 2.5.4.7,
    st stateOrProvinceName 2.5.4.8, street streetAddress 2.5.4.9, o organizationName 2.5.4.10,
    ou organizationalUnitName 2.5.4.11, title 2.5.4.12, description 2.5.4.13, businessCategory 2.5.4.15,
    postalCode 2.5.4.17, postOfficeBox 2.5.4.18, physicalDeliveryOfficeName 2.5.4.19, name 2.5.4.41,
    givenName gn 2.5.4.42, initials 2.5.4.43, generationQualifier 2.5.4.44, dnQualifier 2.5.4.46, houseIdentifier 2.5.4.51,
    uid userid 0.9.2342.19200300.100.1.1, mail rfc822Mailbox 0.9.2342.19200300.100.1.3, info 0.9.2342.19200300.100.1.4,
    drink favouriteDrink 0.9.2342.19200300.100.1.5, roomNumber 0.9.2342.19200300.100.1.6,
    userClass 0.9.2342.19200300.100.1.8, host 0.9.2342.19200300.100.1.9, dc domainComponent 0.9.2342.19200300.100.1.25,
    associatedDomain 0.9.2342.19200300.100.1.37, personalTitle 0.9.2342.19200300.100.1.40,
    co friendlyCountryName 0.9.2342.19200300.100.1.43, uniqueIdentifier 0.9.2342.19200300.100.1.44,
    carLicense 2.16.840.1.113730.3.1.1, departmentNumber 2.16.840.1.113730.3.1.2, employeeNumber 2.16.840.1.113730.3.1.3,
    employeeType 2.16.840.1.113730.3.1.4, preferredLanguage 2.16.840.1.113730.3.1.39,
    displayName 2.16.840.1.113730.3.1.241, gecos 1.3.6.1.1.1.1.2, eduPersonPrincipalName, eduPersonAffiliation,
    sAMAccountName, userPrincipalName, proxyAddresses`,
  caseExact: `
    labeledURI 1.3.6.1.4.1.250.1.57, homeDirectory 1.3.6.1.1.1.1.3, loginShell 1.3.6.1.1.1.1.4, memberUid 1.3.6.1.1.1.1.12`,
  caseIgnoreList: `
    postalAddress 2.5.4.16, registeredAddress 2.5.4.26, homePostalAddress 0.9.2342.19200300.100.1.39`,
  dn: `
    member 2.5.4.31, owner 2.5.4.32, roleOccupant 2.5.4.33, seeAlso 2.5.4.34, distinguishedName 2.5.4.49, memberOf,
    manager 0.9.2342.19200300.100.1.10, secretary 0.9.2342.19200300.100.1.21, aliasedObjectName 2.5.4.1`,
  nameAndUid: 'uniqueMember 2.5.4.50',
  telephone: `
    telephoneNumber 2.5.4.20, homePhone homeTelephoneNumber 0.9.2342.19200300.100.1.20,
    mobile mobileTelephoneNumber 0.9.2342.19200300.100.1.41, pager pagerTelephoneNumber 0.9.2342.19200300.100.1.42`,
  integer: `
    uidNumber 1.3.6.1.1.1.1.0, gidNumber 1.3.6.1.1.1.1.1, shadowLastChange 1.3.6.1.1.1.1.5, shadowMin 1.3.6.1.1.1.1.6,
    shadowMax 1.3.6.1.1.1.1.7, shadowWarning 1.3.6.1.1.1.1.8, shadowInactive 1.3.6.1.1.1.1.9,
    shadowExpire 1.3.6.1.1.1.1.10, shadowFlag 1.3.6.1.1.1.1.11, userAccountControl`,
  boolean: 'hasSubordinates 2.5.18.9',
  time: 'createTimestamp 2.5.18.1, modifyTimestamp 2.5.18.2',
  numeric: 'x121Address 2.5.4.24, internationalISDNNumber 2.5.4.25',
  objectIdentifier: 'objectClass 2.5.4.0, structuralObjectClass 2.5.21.9',
  uuid: 'entryUUID 1.3.6.1.1.16.4',
};

const bytes = `
  userPassword 2.5.4.35, jpegPhoto 0.9.2342.19200300.100.1.60, photo 0.9.2342.19200300.100.1.7,
  audio 0.9.2342.19200300.100.1.55, userPKCS12 2.16.840.1.113730.3.1.216, userSMIMECertificate 2.16.840.1.113730.3.1.40,
  thumbnailPhoto 1.3.6.1.4.1.1466.101.120.35, thumbnailLogo, objectGUID, objectSid, unicodePwd, mS-DS-ConsistencyGuid,
  sshPublicKey 1.3.6.1.4.1.24552.500.1.1.1.13`;

const transferred = `
  userCertificate 2.5.4.36, cACertificate 2.5.4.37, authorityRevocationList 2.5.4.38, certificateRevocationList 2.5.4.39,
  crossCertificatePair 2.5.4.40`;

/** Compared by bytes, but written and shown as text. */
const textual = new Set(['userpassword', 'sshpublickey']);

function* read(list: string, rule: Rule, transfer = false): Generator<[string, AttributeType]> {
  for (const line of list.split(',')) {
    const names = line.trim().toLowerCase().split(/\s+/);
    const name = names[0] ?? '';
    const type: AttributeType = { name, rule, binary: rule === 'bytes' && !textual.has(name), transfer };
    for (const alias of names) yield [alias, type];
  }
}

function* all(): Generator<[string, AttributeType]> {
  yield* read(table.caseIgnore, 'caseIgnore');
  yield* read(table.caseExact, 'caseExact');
  yield* read(table.caseIgnoreList, 'caseIgnoreList');
  yield* read(table.dn, 'dn');
  yield* read(table.nameAndUid, 'nameAndUid');
  yield* read(table.telephone, 'telephone');
  yield* read(table.integer, 'integer');
  yield* read(table.boolean, 'boolean');
  yield* read(table.time, 'time');
  yield* read(table.numeric, 'numeric');
  yield* read(table.objectIdentifier, 'objectIdentifier');
  yield* read(table.uuid, 'uuid');
  yield* read(bytes, 'bytes');
  yield* read(transferred, 'bytes', true);
}

/** Name, alias or OID, in lower case → the attribute type. */
export const attributeTypes: ReadonlyMap<string, AttributeType> = new Map(all());
