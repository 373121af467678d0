// What code of our own saves over the package that does the same:
// `npm run -s bench:own-code [-- --rounds 41 --only csv]`. What both must agree on is checked before anything is timed.
import { availableParallelism, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { rounds } from './own-code/compare.ts'
import { checks } from './own-code/messages.ts'
import { plots } from './own-code/plots.ts'
import { base64, csv, times } from './own-code/text.ts'

const { values: flags } = parseArgs({
  options: { rounds: { type: 'string', default: '41' }, only: { type: 'string' } },
})
rounds.count = Number(flags.rounds)

const TOPICS = { csv, times, base64, checks, plots }
const load = loadavg()[0]!.toFixed(1)
console.log(`Node ${process.version}, ${availableParallelism()} processors, load ${load}, ${flags.rounds} rounds\n`)
console.log('| what | by | CPU | ÷ ours | size |\n|---|---|--:|--:|--:|')
for (const [name, topic] of Object.entries(TOPICS)) {
  if (flags.only === undefined || flags.only === name) await topic()
}
