// Which files a test must cover completely: the domain's tests cover the domain, all others nothing. Adapters, routes
// and programs are tested through what they do: a figure that forces tests of unreachable lines would only make them
// worse.
export default (test) => COVERS[test] ?? null

/** core/ROOM/test/TEST.test.ts → the files of core/ that it covers. */
const COVERS = Object.fromEntries(
  Object.entries({
    'table/csv': [
      'table',
      'csv',
      'cells',
      'channels',
      'delimiter',
      'numbers',
      'time-column',
      'timestamps',
      'iso-time',
      'duration',
    ],
    'series/series': ['series', 'series', 'resample', 'impute', 'window', '../table/channels'],
    'linear/kernel': [
      'linear',
      'kernel/kernel-memory',
      'kernel/leading-eigenvectors',
      'linear-kernel',
      'pack',
      'subspace',
    ],
    'linear/masked': ['linear', 'masked', 'linear'],
    'scoring/combine': ['scoring', 'combine', 'score'],
    'scoring/detector': [
      'scoring',
      'detector',
      'detector-state',
      'hindsight',
      'score',
      'reconstruction-error',
      'detection',
      'threshold',
    ],
    'scoring/level': ['scoring', 'level'],
    'scoring/tail': ['scoring', 'tail'],
    'verdicts/anomalies': ['verdicts', 'anomalies', '../package/golden', '../errors'],
    'verdicts/changepoints': ['verdicts', 'changepoints', 'robust'],
    'verdicts/drift': ['verdicts', 'drift'],
    'verdicts/verdicts': ['verdicts', 'verdicts'],
    'fitting/ad-hoc': ['fitting', 'ad-hoc'],
    'fitting/fit': [
      'fitting',
      'fit',
      'calibration',
      '../linear/subspace',
      '../scoring/threshold',
      '../quantile',
      '../series/scaler',
    ],
    'metrics/metrics': ['metrics', 'index', 'confusion', 'delays', 'nab', 'period', 'range', 'ranking', 'runs', 'vus'],
  }).map(([test, [room, ...files]]) => [
    `core/${test.replace('/', '/test/')}.test.ts`,
    files.map((file) => file.startsWith('../') ? `core/${file.slice(3)}.ts` : `core/${room}/${file}.ts`),
  ])
)
