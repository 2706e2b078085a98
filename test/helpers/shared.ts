/** The reference data beside the project; see the conformance suites. */

/** A file of the reference data. Throws, naming the file, where the data do not stand beside the project. */
export async function sharedFile(path: string): Promise<Response> {
  const response = await fetch(`/__shared__/${path}`);
  if (!response.ok)
    throw new Error(`reference file ${path} not found: conformance needs ../shared beside the project`);
  return response;
}

export async function sharedJson<T>(path: string): Promise<T> {
  return (await (await sharedFile(path)).json()) as T;
}
