/**
 * Opens a WebSocket that receives notifications, with limits for the size and the rate of its messages. The first
 * message beyond a limit closes the connection, and no further message of it is read.
 *
 * Border: a browser hands over complete messages only, and has a message in its memory before the worker sees its
 * first character. A message of any length therefore costs that memory once; then the connection is closed, and the
 * back-off in `capif-revocation-channel.ts` limits how often that can happen.
 *
 * @see RFC 6455 section 7.4.2 (close codes 4000 to 4999), section 10.4
 */

import { RESPONSE_LIMIT_BYTES } from '../../../shared/oauth/http.ts'
import { CAPIF_KEEP_ALIVE_MS } from '../../limits.ts'
import { type AllowedOrigins, openWebSocket } from '../platform/effects.ts'
import { createRateLimiter } from '../platform/rate-limiter.ts'

/** In characters, each of which is at least one octet of the message. */
export const MAX_MESSAGE_LENGTH = RESPONSE_LIMIT_BYTES

/** A core that revokes every grant of a client sends one message for each token. */
export const MESSAGE_RATE = { burst: 50, perSecond: 1 }

const LIMIT_EXCEEDED = 4000

/** A limit that a message exceeded, in the words of the log. */
export type Violation = 'a message is too long' | 'too many messages' | 'a message is no text'

export interface SocketListeners {
  onOpen(): void
  onMessage(text: string): void
  /** @param violation Absent when the other side closed the connection, or it broke. */
  onClose(violation?: Violation): void
}

export interface NotificationSocket {
  /** Closes the connection without a call of `onClose`. */
  close(): void
}

/** Throws for a channel that sends too often. The rate outlives a connection. */
const takeMessage = createRateLimiter(MESSAGE_RATE)

function findViolation(channelId: string, data: unknown): Violation | undefined {
  if (typeof data !== 'string') return 'a message is no text'
  if (data.length > MAX_MESSAGE_LENGTH) return 'a message is too long'
  try {
    takeMessage(channelId)
    return undefined
  } catch {
    return 'too many messages'
  }
}

/**
 * @param allowed The only origins that the handshake may be sent to.
 * @throws DOMException for a URI that the browser rejects, NorthkeyError for another origin.
 */
export function openNotificationSocket(
  channelId: string,
  uri: string,
  allowed: AllowedOrigins,
  { onOpen, onMessage, onClose }: SocketListeners,
): NotificationSocket {
  const socket = openWebSocket(uri, allowed)
  const timer = setInterval(() => {
    if (socket.readyState === WebSocket.OPEN) socket.send('')
  }, CAPIF_KEEP_ALIVE_MS)

  function detach(): void {
    clearInterval(timer)
    socket.onopen = null
    socket.onmessage = null
    socket.onclose = null
  }

  socket.onopen = onOpen
  socket.onmessage = ({ data }: MessageEvent<unknown>) => {
    const violation = findViolation(channelId, data)
    if (violation === undefined) return onMessage(data as string)
    detach()
    socket.close(LIMIT_EXCEEDED, violation)
    onClose(violation)
  }
  socket.onclose = () => {
    detach()
    onClose()
  }
  return {
    close() {
      detach()
      socket.close()
    },
  }
}
