/** Departments of the university, as rows of `registry.department`. */
export const departments = [
  { id: 1, code: 'CS', name: 'Computer Science' },
  { id: 2, code: 'MAT', name: 'Matematica "Guido Castelnuovo"' },
  { id: 3, code: 'LIT', name: 'Letters, Philosophy and History' },
  { id: 4, code: 'R+D', name: 'Research + Development' },
  { id: 5, code: 'JUR', name: 'Öffentliches Recht; Völkerrecht' },
  { id: 6, code: 'MED', name: 'Médecine & santé' },
  { id: 7, code: 'PHY/2', name: 'Физика' },
  { id: 8, code: 'ARC', name: 'Αρχαιολογία' },
  { id: 9, code: 'LAN', name: '言語学' },
  { id: 10, code: '#10', name: 'Library <services>' },
] as const;

/** Courses of study that careers are about. */
export const courses = [
  'Computer Science, bachelor',
  'Computer Science, master',
  'Mathematics',
  'Modern Philology',
  'Law; five years',
  'Medicine + Surgery',
  'Физика и астрономия',
  'Αρχαιολογία',
  '日本語学',
  'Architecture "old programme"',
] as const;
