// Metrics of the work: answers, requests that wait for a thread, and tasks of engines.
import type { Tasks } from '../tasks/tasks.ts'
import type { AnswerCount, AnswerCounts } from '../workers/answer-counts.ts'
import type { Scorer } from '../workers/scorer.ts'
import { type MetricSource, single } from './metric-source.ts'
import type { RequestTimes } from './request-times.ts'

/** What the service does besides serving models. */
export interface Work {
  readonly answers: AnswerCounts
  readonly requests: RequestTimes
  readonly scorer: Pick<Scorer, 'load'>
  readonly tasks: Pick<Tasks, 'answers' | 'ended' | 'active' | 'describe'> | undefined
}

export function workMetrics ({ answers, scorer, tasks }: Work): MetricSource[] {
  const counts = tasks === undefined ? [answers] : [answers, tasks.answers]
  return [...answerMetrics(counts), ...loadMetrics(scorer), ...tasks === undefined ? [] : taskMetrics(tasks)]
}

function answerMetrics (answers: readonly AnswerCounts[]): MetricSource[] {
  const counted = (member: keyof AnswerCount): MetricSource['values'] => () =>
    answers.flatMap(({ byModel }) => [...byModel].map(([model, count]) => [{ model }, count[member]] as const))
  return [
    {
      name: 'answer_series_total',
      help: 'Series that were scored.',
      kind: 'counter',
      labels: ['model'],
      values: counted('series'),
    },
    {
      name: 'answer_observations_total',
      help: 'Observations of the scored series.',
      kind: 'counter',
      labels: ['model'],
      values: counted('observations'),
    },
    {
      name: 'answer_anomalous_observations_total',
      help: 'Observations that are anomalous.',
      kind: 'counter',
      labels: ['model'],
      values: counted('anomalous'),
    },
  ]
}

function loadMetrics (scorer: Work['scorer']): MetricSource[] {
  return [
    {
      name: 'compute_waiting',
      help: 'Requests that wait for a thread.',
      kind: 'gauge',
      labels: [],
      values: single(() => scorer.load().waiting),
    },
    {
      name: 'compute_running',
      help: 'Threads that score.',
      kind: 'gauge',
      labels: [],
      values: single(() => scorer.load().running),
    },
    {
      name: 'compute_refused_total',
      help: 'Requests refused because the queue was full.',
      kind: 'counter',
      labels: [],
      values: single(() => scorer.load().refused),
    },
  ]
}

function taskMetrics (tasks: NonNullable<Work['tasks']>): MetricSource[] {
  return [
    {
      name: 'tasks_unfinished',
      help: 'Tasks of engines that wait or run.',
      kind: 'gauge',
      labels: [],
      values: single(() => tasks.describe().unfinished),
    },
    {
      name: 'tasks_active',
      help: 'Unfinished tasks that are being worked on.',
      kind: 'gauge',
      labels: [],
      values: single(() => tasks.active),
    },
    {
      name: 'tasks_limit',
      help: 'Most tasks that may be unfinished; further ones are refused.',
      kind: 'gauge',
      labels: [],
      values: single(() => tasks.describe().limit),
    },
    {
      name: 'tasks_untold',
      help: 'Ended tasks whose outcome the engine has not taken yet.',
      kind: 'gauge',
      labels: [],
      values: single(() => tasks.describe().untold),
    },
    {
      name: 'tasks_ended_total',
      help: 'Tasks that ended, by outcome.',
      kind: 'counter',
      labels: ['outcome'],
      values: () => [[{ outcome: 'finished' }, tasks.ended.finished], [{ outcome: 'failed' }, tasks.ended.failed]],
    },
  ]
}
