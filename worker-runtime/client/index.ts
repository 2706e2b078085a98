/** The headless API, `gguf-chat/runtime`: no Lit, no DOM. */
export {GgufRuntime} from './gguf-runtime.ts';
export type {BootOptions, GenerateOptions, InspectOptions, LoadOptions} from './gguf-runtime.ts';
export type {StoredModels} from './stored-models.ts';
export {GenerationRun} from './generation-run.ts';
export {GgufError, errorRegistry} from '../errors.ts';
export type {ErrorData, ErrorName, ErrorStage} from '../errors.ts';
export {defaultSampling, protocolVersion} from '../protocol.ts';
export type * from '../protocol.ts';
