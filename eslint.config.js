// House rules for ESLint: neostandard's style, typed promise rules, and the size limits that keep functions readable.
import neostandard, { resolveIgnoresFromGitignore } from 'neostandard'
import tseslint from 'typescript-eslint'

const typed = {
  files: ['**/*.ts'],
  languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
  plugins: { '@typescript-eslint': tseslint.plugin },
  rules: {
    '@typescript-eslint/no-floating-promises': 'error',
    '@typescript-eslint/no-misused-promises': 'error',
    '@typescript-eslint/switch-exhaustiveness-check': 'error',
    '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
    '@typescript-eslint/no-explicit-any': 'error',
  },
}

const RANDOM = {
  object: 'Math',
  property: 'random',
  message: 'Draw from core/random.ts; make identifiers with adapters/identifiers.ts.',
}
const ENVIRONMENT = { object: 'process', property: 'env', message: 'adapters/settings/environment.ts reads it.' }

export default [
  ...neostandard({ ts: true, ignores: resolveIgnoresFromGitignore() }),
  {
    rules: {
      'no-console': 'error',
      complexity: ['error', 10],
      'max-len': ['error', { code: 120 }],
      'max-params': ['error', 4],
      'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
    },
  },
  typed,
  {
    // An import of types alone must vanish: as `import { type X }` it still loads its module, and a thread that scores
    // starts with what it needs.
    files: ['core/**/*.ts', 'adapters/**/*.ts', 'simulator/**/*.ts', 'model-serving/**/*.ts', 'start.ts'],
    ignores: ['**/test/**'],
    plugins: { '@typescript-eslint': tseslint.plugin },
    rules: { '@typescript-eslint/no-import-type-side-effects': 'error' },
  },
  {
    // Pages stay out: a browser draws its pause before it connects again.
    files: ['**/*.ts'],
    rules: { 'no-restricted-properties': ['error', RANDOM] },
  },
  {
    // One file reads the environment, and one makes identifiers.
    files: ['**/*.ts'],
    ignores: [
      'adapters/settings/environment.ts',
      'adapters/identifiers.ts',
      'bench/**',
      'examples/**',
      'scripts/**',
      '**/test/**',
    ],
    rules: {
      'no-restricted-properties': ['error', RANDOM, ENVIRONMENT],
      'no-restricted-imports': ['error', {
        paths: [
          { name: 'node:process', message: 'Use the global process; adapters/settings/environment.ts reads its env.' },
          {
            name: 'node:crypto',
            importNames: ['randomBytes', 'randomInt', 'randomUUID'],
            message: 'Make identifiers with adapters/identifiers.ts.',
          },
        ],
      }],
    },
  },
  {
    // The domain reads no clock, no environment and no network, and draws no number of its own.
    files: ['core/**/*.ts', 'simulator/**/*.ts'],
    ignores: ['**/test/**'],
    rules: {
      'no-restricted-globals': [
        'error',
        'process',
        'fetch',
        'performance',
        'setTimeout',
        'setInterval',
        'crypto',
        'console',
      ],
      'no-restricted-properties': ['error', RANDOM, { object: 'Date', property: 'now' }],
    },
  },
  {
    files: ['**/test/**'],
    rules: { '@typescript-eslint/no-floating-promises': 'off', 'max-lines-per-function': 'off', 'max-lines': 'off' },
  },
  { files: ['examples/**', 'bench/**'], rules: { 'no-console': 'off' } },
]
