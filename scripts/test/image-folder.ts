// A folder with what an image of the Dockerfile holds, made by its own COPY and RUN lines: for people and machines
// without Docker.
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { z } from 'zod'

const root = resolve(import.meta.dirname, '../..')

export interface Instruction { readonly name: string, readonly rest: string }

/** Of the Dockerfile, by stage; lines that go on are one. */
export function readStages (): ReadonlyMap<string, readonly Instruction[]> {
  const text = readFileSync(join(root, 'Dockerfile'), 'utf8')
  const stages = new Map<string, Instruction[]>()
  let stage: Instruction[] = []
  for (const line of text.replace(/^#.*\n/gm, '').replace(/\\\n\s*/g, ' ').split('\n')) {
    const [, name, rest] = /^([A-Z]+) (.*)$/.exec(line.trim()) ?? []
    if (name === undefined || rest === undefined) continue
    if (name === 'FROM') stages.set(/ AS (\w+)$/.exec(rest)![1]!, stage = [])
    stage.push({ name, rest })
  }
  return stages
}

/** What an instruction says, each time it is there. */
export const instructionsOf = (stage: string, name: string): string[] =>
  readStages().get(stage)!.filter((one) => one.name === name).map(({ rest }) => rest)

/** The command that a container runs. */
export const commandOf = (stage: string): string[] =>
  z.array(z.string()).parse(JSON.parse(instructionsOf(stage, 'CMD').at(-1)!))

export interface Image {
  readonly folder: string
  /** Program and arguments. */
  readonly command: readonly [string, ...string[]]
}

/**
 * The image of the service, of what `npm run build` made. Dependencies of development are left out as there; native
 * TensorFlow is in it where the project has it.
 * @param folder does not exist yet
 */
export function makeServiceImage (folder: string): Image {
  const build = `${folder}-build`
  mkdirSync(build, { recursive: true })
  mkdirSync(folder, { recursive: true })
  const copied = instructionsOf('service', 'COPY').map((rest) =>
    rest.split(' ').slice(1, -1).map((path) => path.replace('/app/', ''))
  )
  for (const name of ['package.json', 'package-lock.json', '.npmrc', ...new Set(copied.flat())]) {
    // Linked: pruning takes names away, and changes no file.
    if (name === 'node_modules') execFileSync('cp', ['-al', join(root, name), join(build, name)])
    else cpSync(join(root, name), join(build, name), { recursive: true })
  }
  const prune = instructionsOf('build', 'RUN').at(-1)!
  execFileSync('bash', ['-ec', prune], { cwd: build, stdio: ['ignore', 'ignore', 'inherit'], timeout: 120_000 })
  for (const name of copied.flat()) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    renameSync(join(build, name), join(folder, name))
  }
  if (existsSync(join(folder, 'node_modules/typescript'))) throw new Error('the image holds a compiler')
  const [program, ...args] = commandOf('service')
  return { folder, command: [program === 'node' ? process.execPath : program!, ...args] }
}
