// The service alone: serves the model packages of MODELS_DIR.
import { runService } from './serve.ts'

await runService()
