/**
 * Reads the body of a request. A GET or HEAD request has none (Fetch Standard, constructor of Request), and to read
 * nothing took Firefox as long as a small call.
 */

/** @returns `undefined` for an empty body. */
export async function readRequestBody(request: Request): Promise<ArrayBuffer | undefined> {
  if (/^(GET|HEAD)$/.test(request.method)) return undefined
  const body = await request.arrayBuffer()
  return body.byteLength > 0 ? body : undefined
}
