// The layers of ARCHITECTURE.md as rules; `npm run boundaries` fails on every import that crosses one.
const components = ['model-creation', 'model-serving', 'pipelines']
const programs = '^(bench|examples|scripts)/|^start\\.ts$'

/** Pure computation libraries that the domain may use: no I/O, no clock, no randomness of their own. */
const pureLibraries = '(zod|papaparse|luxon|tinyduration|fft\\.js)'

module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'core-is-pure',
      comment: 'core/ and simulator/ compute: of npm they see pure libraries only, of Node nothing.',
      severity: 'error',
      from: { path: '^(core|simulator)/', pathNot: '/test/' },
      to: {
        dependencyTypes: ['npm', 'npm-dev', 'npm-optional', 'core', 'unknown'],
        pathNot: `node_modules/(@types/)?${pureLibraries}(/|$)`,
      },
    },
    {
      name: 'core-knows-nobody',
      comment: 'The domain imports nothing but itself.',
      severity: 'error',
      from: { path: '^core/', pathNot: '/test/' },
      to: { path: `^(adapters|simulator|${components.join('|')})/|${programs}` },
    },
    {
      name: 'adapters-serve-components',
      comment: 'Adapters and the simulator know the domain, and no component.',
      severity: 'error',
      from: { path: '^(adapters|simulator)/', pathNot: '/test/' },
      to: { path: `^(${components.join('|')})/|${programs}` },
    },
    {
      name: 'tensors-stay-behind-the-adapter',
      comment: 'Only adapters/tfjs and the architectures see a tensor.',
      severity: 'error',
      from: { pathNot: '^(adapters/tfjs/|model-creation/architectures/)' },
      to: { path: 'node_modules/@tensorflow/' },
    },
    ...components.map((name) => ({
      name: `${name}-stands-alone`,
      comment: 'Components meet through the model package, records and HTTP; never by import.',
      severity: 'error',
      from: { path: `^${name}/` },
      to: { path: `^(${components.filter((other) => other !== name).join('|')})/` },
    })),
    {
      name: 'nobody-imports-programs',
      comment: 'start.ts, bench/, examples/ and scripts/ use the components, never the other way round.',
      severity: 'error',
      from: { path: `^(${components.join('|')})/`, pathNot: '/test/' },
      to: { path: programs },
    },
    {
      name: 'not-to-unresolvable',
      comment: 'The page loads vendor files by their URL.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true, pathNot: '^/(live/)?vendor/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
}
