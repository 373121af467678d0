// The layers of ARCHITECTURE.md as rules; `npm run boundaries` fails on every import that crosses one.
const components = ['model-creation', 'model-serving', 'pipelines']

/** Pure computation libraries that the domain may use: no I/O, no clock, no randomness of their own. */
const pureLibraries = '(zod|ml-matrix|papaparse|luxon|tinyduration)'

module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'core-is-pure',
      comment: 'core/*.ts computes: of npm it sees pure libraries only, of Node nothing; tfjs/, registry/, telemetry/ and the environment are adapters.',
      severity: 'error',
      from: { path: '^core/', pathNot: '^core/(tfjs|registry|telemetry|test|wind-farm/test)/|^core/settings/environment' },
      to: { dependencyTypes: ['npm', 'npm-dev', 'npm-optional', 'core', 'unknown'], pathNot: `node_modules/(@types/)?${pureLibraries}(/|$)` },
    },
    {
      name: 'core-knows-nobody',
      comment: 'The domain imports no component.',
      severity: 'error',
      from: { path: '^core/', pathNot: '/test/' },
      to: { path: `^(${components.join('|')}|bench|examples|scripts|start\\.ts)` },
    },
    {
      name: 'tensors-stay-behind-the-adapter',
      comment: 'Only core/tfjs and the architectures see a tensor.',
      severity: 'error',
      from: { pathNot: '^(core/tfjs/|model-creation/architectures/)' },
      to: { path: 'node_modules/@tensorflow/' },
    },
    {
      name: 'domain-modules-do-not-reach-into-the-adapter',
      severity: 'error',
      from: { path: '^core/', pathNot: '^core/(tfjs|registry|telemetry|test)/' },
      to: { path: '^core/tfjs/' },
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
      to: { path: '^(bench|examples|scripts)/|^start\\.ts$' },
    },
    { name: 'not-to-unresolvable', comment: 'The page loads vendor files by their URL.', severity: 'error', from: {}, to: { couldNotResolve: true, pathNot: '^/(live/)?vendor/' } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'require', 'node', 'default', 'types'] },
  },
}
