// The laws of core/test/checks.ts over every architecture, after very few steps of training. The integration test runs
// them after more steps and over ensembles, with what else an architecture promises.
import t from 'tap'
import { runChecks } from '../../core/test/checks.ts'
import { ARCHITECTURE_NAMES } from '../architectures/index.ts'
import { QUICK, subjectOf } from './architecture-laws.ts'

/** Enough steps to move the weights. `dense` starts at random weights, and needs all its steps for a useful model. */
const STEPS = 3

const QUICKER = {
  ...QUICK,
  residual: { ...QUICK.residual, steps: STEPS },
  convolutional: { ...QUICK.convolutional, steps: STEPS },
  recurrent: { ...QUICK.recurrent, steps: STEPS },
}

for (const name of ARCHITECTURE_NAMES) runChecks(t, name, subjectOf([name], QUICKER))
