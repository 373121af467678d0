// Which files a test must cover completely: the domain's tests the domain, all others nothing. Adapters, routes and programs are
// tested through what they do; a figure that forces tests of unreachable lines there would only make them worse.
export default (test) => {
  if (!test.startsWith('core/test/')) return null
  const name = test.slice('core/test/'.length, -'.test.ts'.length)
  return COVERS[name] ?? null
}

const COVERS = {
  'ad-hoc': ['core/ad-hoc.ts'],
  anomalies: ['core/anomalies.ts', 'core/golden.ts', 'core/errors.ts'],
  changepoints: ['core/changepoints.ts', 'core/robust.ts'],
  combine: ['core/combine.ts', 'core/score.ts'],
  csv: ['core/csv.ts', 'core/cells.ts', 'core/delimiter.ts', 'core/numbers.ts', 'core/time-column.ts', 'core/timestamps.ts', 'core/iso-time.ts', 'core/duration.ts'],
  detector: ['core/detector.ts', 'core/detector-state.ts', 'core/base64.ts', 'core/hindsight.ts', 'core/score.ts', 'core/reconstruction-error.ts', 'core/detection.ts'],
  drift: ['core/drift.ts'],
  fit: ['core/fit.ts', 'core/calibration.ts', 'core/subspace.ts', 'core/threshold.ts', 'core/scaler.ts'],
  kernel: ['core/kernel/kernel-memory.ts', 'core/kernel/leading-eigenvectors.ts', 'core/kernel/linear-kernel.ts', 'core/kernel/pack.ts', 'core/subspace.ts'],
  level: ['core/level.ts'],
  masked: ['core/masked.ts', 'core/members.ts', 'core/linear.ts'],
  metrics: ['core/metrics.ts', 'core/metrics/confusion.ts', 'core/metrics/delays.ts', 'core/metrics/nab.ts', 'core/metrics/period.ts',
    'core/metrics/range.ts', 'core/metrics/ranking.ts', 'core/metrics/runs.ts', 'core/metrics/vus.ts'],
  tail: ['core/tail.ts'],
  verdicts: ['core/verdicts.ts'],
  series: ['core/series.ts', 'core/resample.ts', 'core/impute.ts', 'core/window.ts', 'core/random.ts'],
}
