// The service alone: serves the model packages of MODELS_DIR.
import { runService } from './run-service.ts'

await runService()
