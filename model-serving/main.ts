// The service without the stream.
import { runService } from './serve.ts'

await runService()
