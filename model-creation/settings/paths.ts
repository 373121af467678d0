// The paths that the stages read and write, for the farm's pipeline and for other data.
import { join } from 'node:path'

export interface PipelinePaths {
  /** A CSV file, or a folder of CSV files: one series each. */
  readonly raw: string
  /** Labels of the raw series (CSV), or undefined. */
  readonly labels: string | undefined
  /** Feedback on intervals of the raw series (CSV), or undefined. */
  readonly feedback: string | undefined
  /** Series on their grid, in train/ and test/. */
  readonly prepared: string
  /** Fitted detector and weights. */
  readonly model: string
  /** Data quality, metrics and plots. */
  readonly reports: string
  /** The finished model package. */
  readonly package: string
}

const OUT = join('model-creation', 'out')

/** The paths that dvc.yaml names. */
export const FARM_PATHS: PipelinePaths = {
  raw: join('data', 'turbines'),
  labels: join('data', 'labels.csv'),
  feedback: join('data', 'feedback.csv'),
  prepared: join(OUT, 'prepared'),
  model: join(OUT, 'model'),
  reports: join(OUT, 'reports'),
  package: join(OUT, 'models', 'wind-turbine'),
}

export const FARM_PARAMS = join('model-creation', 'params.yaml')
