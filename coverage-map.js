// Which files a test must cover completely: the tests of core/ cover core/, all others nothing. Adapters, routes and
// programs are tested through what they do: a figure that forces tests of unreachable lines would make them worse.
export default (test) =>
  COVERS[test.replace(/^core\/|test\/|\.test\.ts$/g, '')]?.map((file) => `core/${file}.ts`) ?? null

/** ROOM/TEST, for core/ROOM/test/TEST.test.ts → files of core/. */
const COVERS = {
  'table/csv': ['csv', 'cells', 'delimiter', 'duration', 'iso-time', 'numbers', 'time-column', 'timestamps']
    .map((file) => `table/${file}`),
  'series/series': ['series/series', 'series/resample', 'series/impute', 'series/window', 'table/channels', 'random'],
  'linear/kernel': [
    ...['kernel-memory', 'leading-eigenvectors'].map((file) => `linear/kernel/${file}`),
    ...['linear-kernel', 'pack', 'single-window', 'subspace'].map((file) => `linear/${file}`),
  ],
  'linear/masked': ['linear/masked', 'linear/linear', 'fitting/members'],
  'detector/detector': ['detector/detector'],
  'detector/detector-state': ['detector/detector-state'],
  'detector/laws': ['detector/hindsight'],
  'detector/smears': ['detector/hindsight', 'detector/remainder', 'detector/smears'],
  'detector/union': ['detector/union'],
  'evidence/fit/baseline': ['evidence/fit/baseline'],
  'evidence/fit/fit': ['fit', 'included', 'relations', 'robust', 'thresholds'].map((file) => `evidence/fit/${file}`),
  'evidence/fit/held-out': ['evidence/fit/held-out'],
  'evidence/fit/curve': ['evidence/fit/curve', 'evidence/fit/baseline'],
  'evidence/fit/periods': ['evidence/fit/periods'],
  'evidence/hindsight': ['evidence/hindsight', 'evidence/model'],
  'evidence/parts': [
    'departures', 'guard', 'ring', 'rows', 'running-level', 'season', 'sustained', 'trust',
  ].map((file) => `evidence/${file}`),
  'evidence/prediction': ['evidence/prediction'],
  'evidence/residuals': ['evidence/residuals'],
  'evidence/stillness': ['evidence/stillness', 'evidence/fit/stillness'],
  'evidence/fit/tail-threshold': ['evidence/fit/tail-threshold', 'pareto'],
  'evidence/stream': ['evidence/stream', 'evidence/channel-stream'],
  'features/features': ['features/filters', 'features/deviation', 'features/split-squares'],
  elementary: ['elementary'],
  quantile: ['quantile'],
  'scoring/combine': ['scoring/combine', 'scoring/score'],
  'scoring/pattern': [
    ...['combine', 'errors-by-run', 'pattern', 'pattern-hindsight', 'pattern-state', 'reconstruction-error', 'score']
      .map((file) => `scoring/${file}`),
    'series/runs',
  ],
  'scoring/level': ['scoring/level'],
  'scoring/tail': ['scoring/tail'],
  'sensitivity/probes': ['sensitivity/probes'],
  'sensitivity/sheet': ['cells', 'held-out', 'inject', 'judge', 'sheet', 'words'].map((file) => `sensitivity/${file}`),
  'verdicts/anomalies': ['verdicts/anomalies', 'package/golden', 'errors'],
  'verdicts/changepoints': ['verdicts/changepoints', 'robust'],
  'verdicts/drift': ['verdicts/drift'],
  'verdicts/explanation': ['account', 'explanation', 'kinds', 'sentence'].map((file) => `verdicts/${file}`),
  'verdicts/verdicts': ['verdicts/verdicts'],
  'verdicts/words': ['verdicts/words'],
  'fitting/ad-hoc': ['fitting/ad-hoc', 'fitting/fit', 'fitting/members', 'fitting/calibration'],
  'fitting/fit': [
    ...['fit', 'calibration', 'normal-scores'].map((file) => `fitting/${file}`),
    'linear/subspace',
    'scoring/threshold',
    'series/scaler',
  ],
  'metrics/metrics': ['index', 'confusion', 'delays', 'nab', 'period', 'range', 'ranking', 'runs', 'vus']
    .map((file) => `metrics/${file}`),
}
