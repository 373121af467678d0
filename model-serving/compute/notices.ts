// What a caller should know of a model that was fitted on the posted series: what it cannot tell, and what it left out.
import type { AdHocDetector } from '../../core/fitting/ad-hoc.ts'

const DAY = 86_400_000
const CYCLES = [['day', DAY], ['week', 7 * DAY]] as const

/** Fewer observations hold no period. */
const LEAST_FOR_PERIODS = 24
/** Observations in a cycle that a season needs. */
const LEAST_PHASES = 4
/** Anomalous observations that a robust fit bears, and half of them: from there on a notice says so. */
const MOST_SUSPECT = 0.1
const NOTABLE = 0.05

/** @param numbered whether times are made up: then they know no calendar */
export function noticesOf (fitted: AdHocDetector, numbered: boolean): string[] {
  return [fewRows(fitted), ...numbered ? [] : [fewCycles(fitted)], suspects(fitted)].filter((one) => one !== undefined)
}

function fewRows ({ model, rows }: AdHocDetector): string | undefined {
  if (rows < LEAST_FOR_PERIODS) return `${rows} observations: spread and trend only.`
  return model.members.length > 0
    ? undefined
    : `${rows} observations: spread, trend and seasons only; more are needed to learn shapes.`
}

/** The shortest cycle of the calendar that the series is too short for. */
function fewCycles ({ model: { interval, evidence }, rows }: AdHocDetector): string | undefined {
  const { channels } = (evidence.batch ?? evidence.causal)!
  for (const [name, length] of CYCLES) {
    if (length % interval !== 0 || length < LEAST_PHASES * interval || rows * interval >= 2 * length) continue
    // A week without a season of a day is not worth a word.
    const isDaily = channels.some(({ baseline: { period } }) => period > 1 && DAY % (period * interval) === 0)
    return name === 'day' || isDaily
      ? `Less than two ${name}s to fit on: what is usual at a time of the ${name} is not known.`
      : undefined
  }
  return undefined
}

function suspects ({ suspectShare }: AdHocDetector): string | undefined {
  if (suspectShare < NOTABLE) return undefined
  return `${Math.round(100 * suspectShare)} % of the observations look anomalous and were left out of the fit. ` +
    `If more than ${100 * MOST_SUSPECT} % are, name a part that is normal (options.fit).`
}
