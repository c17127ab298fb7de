/**
 * Explains the status of an API answer to the player in one sentence. Figures and bodies are in the developer view.
 *
 * @see TS 29.122 V19.6.0 clause 5.2.6 (errors of the T8 APIs)
 */

import type { ApiAnswer } from './api-answer.ts'

export type Tone = 'good' | 'bad'

export interface AnswerText {
  tone: Tone
  text: string
}

const TEXTS: Readonly<Record<number, AnswerText>> = {
  200: { tone: 'good', text: 'The network answered.' },
  201: { tone: 'good', text: 'The network has set up your priority session.' },
  204: { tone: 'good', text: 'The network has ended the session.' },
  400: { tone: 'bad', text: 'The network could not use this request: a defect of this page.' },
  401: {
    tone: 'bad',
    text: 'The network did not accept the permission. Connect again to renew it.',
  },
  403: { tone: 'bad', text: 'The permission does not cover this. Connect again and allow it all.' },
  404: { tone: 'bad', text: 'The network knows no such session; it may have ended by itself.' },
  429: { tone: 'bad', text: 'The network asks this page to slow down. Wait a little.' },
  500: { tone: 'bad', text: 'The network made a mistake. Try again in a minute.' },
  503: { tone: 'bad', text: 'The network is too busy just now. Try again in a minute.' },
}

/** Returns the sentence for an answer of the API. */
export function answerText({ method, status }: Pick<ApiAnswer, 'method' | 'status'>): AnswerText {
  if (method === 'DELETE' && status === 200) return TEXTS[204] as AnswerText
  if (method === 'GET' && status === 200) {
    return { tone: 'good', text: 'These are the sessions that the network keeps for you.' }
  }
  const known = TEXTS[status]
  if (known) return known
  if (status >= 200 && status < 300) return TEXTS[200] as AnswerText
  return {
    tone: 'bad',
    text: `The network answered with status ${status}, which this page did not expect.`,
  }
}
