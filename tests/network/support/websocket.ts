/** Opens a WebSocket and queues its messages for the test. */

import { WebSocket } from 'ws'

export async function openWebSocket(uri: string) {
  const socket = new WebSocket(uri)
  const received: { atMs: number; message: unknown }[] = []
  const waiting: (() => void)[] = []
  socket.on('message', (data) => {
    received.push({ atMs: performance.now(), message: JSON.parse(String(data)) })
    for (const wake of waiting.splice(0)) wake()
  })
  await new Promise<void>((resolve, reject) => {
    socket.once('open', () => resolve())
    socket.once('error', reject)
  })
  return {
    /** Returns the next message of the queue, and waits for it if necessary. */
    async next(): Promise<{ atMs: number; message: unknown }> {
      for (;;) {
        const first = received.shift()
        if (first) return first
        await new Promise<void>((resolve) => waiting.push(resolve))
      }
    },
    close: () => socket.terminate(),
  }
}
