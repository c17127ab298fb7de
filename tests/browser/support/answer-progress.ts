/**
 * Reports the progress of a response that a server of this process sends. The log of the network records only
 * its end.
 */

import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { onTestFinished } from 'vitest'

const REQUEST_START = 'http.server.request.start'

interface RequestStart {
  request: IncomingMessage
  socket: Socket
}

/**
 * Returns a function that returns the number of bytes sent so far in response to the first request with this
 * method and path.
 */
export function watchAnswer(method: string, path: string): () => number {
  let sentBytes = () => 0
  const handleRequest = (message: unknown) => {
    const { request, socket } = message as RequestStart
    if (request.method !== method || request.url !== path) return
    unsubscribe(REQUEST_START, handleRequest)
    const before = socket.bytesWritten
    sentBytes = () => socket.bytesWritten - before
  }
  subscribe(REQUEST_START, handleRequest)
  onTestFinished(() => {
    unsubscribe(REQUEST_START, handleRequest)
  })
  return () => sentBytes()
}
