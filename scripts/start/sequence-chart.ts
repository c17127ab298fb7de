/**
 * Formats the steps of a flow as a sequence chart. Letters are those of RFC 7636 section 1.1; columns and numbers
 * are those of figure 6.Y.2-1, in which the client of the RFC is the application on the UE (the API invoker) and
 * its authorization server the authorization function. No code, verifier or token is printed.
 */

import type { LogEntry } from '../../demo-site/network/index.ts'
import { type Exchanges, getBody, getLocation } from './exchanges.ts'

const COLUMNS = ['Resource owner', 'UE application', 'Authorization', 'API exposing'] as const
const SECOND_LINE = ['(the user)', '(API invoker)', 'function', 'function'] as const
const WIDTH = 24
const INDENT = 6

type Column = 0 | 1 | 2 | 3

interface Message {
  letter?: 'A' | 'B' | 'C' | 'D'
  from: Column
  to: Column
  text: string
  facts: string[]
}

const getCenter = (column: Column) => INDENT + column * WIDTH + Math.floor(WIDTH / 2)

/** Draws the lifelines, with an arrow between two of them. */
export function drawArrow(from: Column, to: Column): string {
  const line = Array.from({ length: getCenter(3) + 1 }, () => ' ')
  for (const column of [0, 1, 2, 3] as const) line[getCenter(column)] = '│'
  const [left, right] = [Math.min(from, to), Math.max(from, to)] as [Column, Column]
  for (let at = getCenter(left) + 1; at < getCenter(right); at++) line[at] = '─'
  if (from < to) line[getCenter(right) - 1] = '►'
  else line[getCenter(left) + 1] = '◄'
  return line.join('').trimEnd()
}

function formatHeading(words: readonly string[]): string {
  const cells = words.map((word) => {
    const before = Math.max(0, Math.floor((WIDTH - word.length) / 2))
    return (' '.repeat(before) + word).padEnd(WIDTH)
  })
  return (' '.repeat(INDENT) + cells.join('')).trimEnd()
}

/** Path segments of this length are identifiers of a flow, which are replaced in the output. */
const LONG_SEGMENT = /[\w-]{30,}/g

const formatExchange = ({ method, path, status }: LogEntry) =>
  `${method} ${path.replace(LONG_SEGMENT, '{flow}')} → ${status}`

/** Lists the messages in the order of figure 6.Y.2-1. */
function listMessages(found: Exchanges): Message[] {
  const { pushedRequest, authorizationRequest, authorizationResponse } = found
  const { parameters: asked, tokenRequest, invocation } = found
  const redirect = getLocation(authorizationResponse)
  const parameters = [...(redirect?.searchParams.keys() ?? [])].join(', ')
  const [scheme] = String(invocation.headers.authorization).split(' ')
  return [
    {
      from: 0,
      to: 1,
      text: 'The user asks the application for a better session',
      facts: [`application ${String(asked.client_id)}, API ${String(asked.scope)}`],
    },
    {
      letter: 'A',
      from: 1,
      to: 2,
      text: 'Authorization request with the code challenge',
      facts: [
        ...(pushedRequest ? [`${formatExchange(pushedRequest)} (sent ahead, RFC 9126)`] : []),
        formatExchange(authorizationRequest),
        `code_challenge: ${String(asked.code_challenge).length} characters, code_challenge_method: ${String(asked.code_challenge_method)}`,
      ],
    },
    {
      from: 0,
      to: 2,
      text: 'The resource owner authenticates and authorizes',
      facts: [formatExchange(found.authentication), formatExchange(found.authorization)],
    },
    {
      letter: 'B',
      from: 2,
      to: 1,
      text: 'Authorization response with the authorization code',
      facts: [
        formatExchange(authorizationResponse),
        `to ${redirect?.origin}, where no site can run; parameters: ${parameters}`,
      ],
    },
    {
      letter: 'C',
      from: 1,
      to: 2,
      text: 'Token request with the code and the code verifier',
      facts: [
        formatExchange(tokenRequest),
        `parameters: ${Object.keys(getBody(tokenRequest)).join(', ')}`,
      ],
    },
    {
      letter: 'D',
      from: 2,
      to: 1,
      text: 'The verifier is compared with the challenge; access token',
      facts: [
        'SHA-256 of the verifier received is the challenge received: checked in the log',
        `answered ${tokenRequest.status}`,
      ],
    },
    {
      from: 1,
      to: 3,
      text: 'Northbound API invocation with the access token',
      facts: [
        `${invocation.method} ${invocation.path}`,
        `Authorization: ${scheme} (withheld)${invocation.headers.dpop ? ', DPoP: (withheld)' : ''}`,
      ],
    },
    {
      from: 3,
      to: 1,
      text: 'The API’s answer',
      facts: [
        `${invocation.status}, Location: ${String(invocation.answerHeaders?.location ?? 'none')}`,
      ],
    },
  ]
}

/** Returns the lines of the chart. */
export function formatSequence(found: Exchanges): string[] {
  const pad = ' '.repeat(INDENT)
  return [
    'RFC 7636 section 1.1 (letters), figure 6.Y.2-1 (numbers), from the servers’ request logs',
    '',
    formatHeading(COLUMNS),
    formatHeading(SECOND_LINE),
    ...listMessages(found).flatMap(({ letter, from, to, text, facts }, index) => [
      `${`${index + 1}.`.padEnd(INDENT)}${letter ? `(${letter}) ` : ''}${text}`,
      drawArrow(from, to),
      ...facts.map((fact) => `${pad}${fact}`),
      '',
    ]),
  ]
}
