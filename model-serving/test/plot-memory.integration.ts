// Plot after plot as a worker thread draws them: what they need must be given back. Slow, so it runs in suite models.
import t from 'tap'
import { renderPng } from '../plot/png.ts'
import { syntheticAnswer } from './synthetic-answer.ts'

const answer = syntheticAnswer()

t.test('plot after plot takes no memory', async (t) => {
  const rss = async (): Promise<number> => {
    for (let i = 0; i < 60; i++) {
      renderPng({ answer })
      // Buffers are freed between tasks, as in a worker thread.
      await new Promise((resolve) => { setImmediate(resolve) })
    }
    return process.memoryUsage.rss() / 1e6
  }
  await rss()
  const before = await rss()
  await rss()
  const growth = await rss() - before
  // The allocator may keep memory: the test only checks that canvases are not kept.
  const png = renderPng({ answer })
  const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)]
  const canvases = 120 * width * height * 4 / 1e6
  t.ok(growth < canvases / 3, `${growth.toFixed(0)} MB more after 120 canvases of ${canvases.toFixed(0)} MB in all`)
})
