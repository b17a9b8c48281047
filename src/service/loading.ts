import { bulkheadError } from '../errors/bulkhead-error.ts'

let loadingModule: string | undefined

/** Set by a thread around the import of its service module, during which nothing may start. */
export function setLoadingModule(module: string | undefined): void {
  loadingModule = module
}

/** @throws `ERR_STARTED_WHILE_LOADING`: one file that holds the class and starts the program would start itself again. */
export function refuseWhileLoading(): void {
  if (loadingModule !== undefined) throw bulkheadError('ERR_STARTED_WHILE_LOADING', { module: loadingModule })
}
