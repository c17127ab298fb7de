/** Reads answers of the API exposing function, in `fetch` mode and in `token` mode. */

export interface ApiAnswer {
  method: string
  url: string
  status: number
  statusText: string
  headers: [name: string, value: string][]
  /** Parsed JSON, or text for another type; `undefined` without a body. */
  body: unknown
}

export interface ApiRequest {
  method: 'GET' | 'POST' | 'DELETE'
  url: string
  body?: object
}

/** Reads a `Response` of the broker or of the browser. */
export async function readAnswer(
  { method, url }: ApiRequest,
  response: Response,
): Promise<ApiAnswer> {
  const text = await response.text()
  return {
    method,
    url,
    status: response.status,
    statusText: response.statusText,
    headers: [...response.headers],
    body: parseBody(text, response.headers.get('content-type')),
  }
}

/** Returns a header of an answer by its lower-case name. */
export function headerOf({ headers }: ApiAnswer, name: string): string | undefined {
  return headers.find(([known]) => known.toLowerCase() === name)?.[1]
}

function parseBody(text: string, contentType: string | null): unknown {
  if (text === '') return undefined
  const type = contentType?.split(';')[0]?.trim().toLowerCase() ?? ''
  if (type !== 'application/json' && !type.endsWith('+json')) return text
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
