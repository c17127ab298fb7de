/** Response of a server, read to its end within the limits of `http.ts`. */
export interface ServerResponse {
  readonly status: number
  readonly headers: Headers
  /** The body; its length is limited by `RESPONSE_LIMIT_BYTES`. */
  readonly octets: Uint8Array<ArrayBuffer>
}
