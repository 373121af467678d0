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

export default [
  ...neostandard({ ts: true, ignores: resolveIgnoresFromGitignore() }),
  {
    rules: {
      'no-console': 'error',
      complexity: ['error', 10],
      'max-len': ['error', { code: 120, ignoreUrls: true }],
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
      'no-restricted-properties': ['error', { object: 'Date', property: 'now' }, {
        object: 'Math',
        property: 'random',
      }],
    },
  },
  {
    files: ['**/test/**'],
    rules: { '@typescript-eslint/no-floating-promises': 'off', 'max-lines-per-function': 'off', 'max-lines': 'off' },
  },
  { files: ['examples/**', 'bench/**'], rules: { 'no-console': 'off' } },
]
