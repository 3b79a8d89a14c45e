/**
 * Names that have broken other products: every character that means something in a distinguished name, a filter, a
 * template, SQL or a shell; spaces at the ends; two spellings of one letter; one name only; two hundred characters.
 */

/** What is hard about a person; the generator invents the rest. `null`: has none. */
export interface HardPerson {
  readonly given: string | null;
  readonly family: string | null;
  readonly uid?: string;
  readonly emails?: readonly string[];
}

const repeat = (text: string, length: number): string => Array.from(text.repeat(length)).slice(0, length).join('');

export const hardPeople: readonly HardPerson[] = [
  // Characters with a meaning in distinguished names, in names and in logins
  { given: 'Martin Luther', family: 'King, Jr.', uid: 'king,jr' },
  { given: 'Dwayne "The Rock"', family: 'Johnson', uid: '"rock"' },
  { given: 'Anne+Marie', family: 'Plus+Minus', uid: 'a+b' },
  { given: '#Hashtag', family: '#Number#5', uid: '#hash' },
  { given: 'Back\\slash', family: 'Ends in\\', uid: 'back\\slash' },
  { given: 'Escaped\\, comma', family: '\\2C\\', uid: 'ends\\' },
  { given: '  Leading', family: ' Spaces', uid: ' leading' },
  { given: 'Trailing ', family: 'Spaces  ', uid: 'trailing ' },
  { given: ' Both ', family: 'Two  inside', uid: 'two words' },
  { given: '<b>Angle</b>', family: '<script>alert(1)</script>', uid: '<angle>' },
  { given: 'Semi;colon', family: 'Last;', uid: 'semi;colon' },
  { given: 'Key=Value', family: 'ou=people', uid: 'uid=root,ou=people' },
  // … in filters, templates, SQL, shells and programs
  { given: 'Star*', family: '(|(uid=*))', uid: 'star*(paren)' },
  { given: '{uid}', family: '{given_name?}', uid: '{uid}' },
  { given: '$'.concat('{LDAP_PASSWORD}'), family: '$1', uid: '$(id)' },
  { given: 'Robert', family: "'); DROP TABLE registry.person; --", uid: "o'bobby" },
  { given: '%s %I', family: '100%', uid: '100%' },
  { given: 'Null', family: 'undefined', uid: 'null' },
  { given: '0', family: 'false', uid: '0' },
  // One name
  { given: 'Sukarno', family: null },
  { given: null, family: 'Teller', uid: 'teller' },
  { given: null, family: ' Prince, "the Artist"' },
  // Length
  { given: 'Wolfeschlegel', family: repeat('steinhausenbergerdorff ', 199).concat('n') },
  { given: repeat('पाब्लोदिएगोहोसेफ्रांसिस्को', 200), family: 'Picasso' },
  { given: repeat('寿限無五劫の擦り切れ', 200), family: repeat('長久命', 200) },
  // One letter, two spellings; letters without a counterpart; what normalisation would merge
  { given: 'Anders', family: '\u00c5ngstr\u00f6m', uid: 'angstrom' },
  { given: 'Anders', family: 'A\u030angstro\u0308m', uid: 'zoe\u0301' },
  { given: 'Ays\u0327e', family: '\u0130\u0049\u0131\u0069', uid: '\u0131\u015f\u0131l' },
  { given: 'Max', family: 'Wei\u00df', uid: 'wei\u00df' },
  { given: 'Max', family: 'Weiss', uid: 'weiss' },
  { given: '\uff21\uff4c\uff49\uff43\uff45', family: '\ufb01\ufb02\u2460', uid: '\uff41lice' },
  { given: '\u00a0No-break', family: 'Space\u2003em' },
  // Direction and joining
  { given: '\u200fדוד\u200f', family: 'בן־גוריון', uid: 'דוד' },
  { given: '\u202bعلي\u202c', family: 'Mixed العربية left', uid: 'علي.mixed' },
  { given: 'پهلوان\u200cزاده', family: 'क्\u200dष', uid: '佐々木.翔' },
  // Beyond the basic plane
  { given: '𠮷郎', family: '𠮷野', uid: '𠮷野' },
  // Addresses
  {
    given: 'Many',
    family: 'Addresses',
    emails: ['z@example.edu', 'a@example.edu', 'A.2@example.edu', 'm@students.example.edu'],
  },
  { given: 'No', family: 'Address', emails: [] },
  { given: 'Bücher', family: 'Wurm', emails: ['wurm@xn--bcher-kva.example'] },
  {
    given: 'Odd',
    family: 'Mailbox',
    emails: ['"a,b"@example.edu', "o'neil+list=x@example.edu", '#!$%&*/?^_`{|}~@example.edu'],
  },
  // The same name, several people
  { given: 'Maria', family: 'Rossi' },
  { given: 'Maria', family: 'Rossi' },
  { given: 'Maria', family: 'Rossi' },
];

export const hardTeamNames: readonly string[] = [
  'Everybody',
  'Nobody',
  'Not in the directory',
  'Research, development and innovation',
  'C++ user group',
  '#1 robotics',
  'Back\\slash',
  'Ends in \\',
  'The "Quoted" Society',
  '<Angle> brackets',
  'Semi; colon',
  'a=b',
  ' leading space',
  'trailing space ',
  'two  spaces',
  '*(wildcards)*',
  '{name}',
  'Università degli Studi – Orchestra',
  'Straßenfußball',
  'İstanbul öğrencileri',
  '围棋社',
  'サークル「空」',
  'خوارزمية النخبة',
  '\u200fמקהלה',
  'Любители Ёжиков',
  'Cafe\u0301 philosophique',
  'O’Neill & "Sons", Ltd. + Co. #5; <x=y> \\',
  repeat('A team with a very long name ', 199).concat('!'),
];
