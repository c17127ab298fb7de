/** Shows an answer of the API: a sentence for its status, then status, headers and body as received. */

import type { ApiAnswer } from '../model/api-answer.ts'
import { answerText } from '../model/api-answer-texts.ts'
import { redactCredentials } from '../model/redact.ts'
import { Json } from './json.tsx'

/** A server may leave the reason phrase out (HTTP/2 has none). */
const PHRASES: Readonly<Record<number, string>> = {
  200: 'OK',
  201: 'Created',
  204: 'No Content',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  429: 'Too Many Requests',
}

export function ApiAnswerView({ answer }: { answer: ApiAnswer | undefined }) {
  return (
    <section class="panel" aria-labelledby="answer-title">
      <header class="panel-head">
        <h2 id="answer-title">The network’s answer</h2>
      </header>
      {answer ? <Answer answer={answer} /> : <p class="empty">Nothing asked yet.</p>}
    </section>
  )
}

function Answer({ answer }: { answer: ApiAnswer }) {
  const { tone, text } = answerText(answer)
  return (
    <div class="answer" data-testid="result">
      <p class="answer-line">
        <span class={`status status-${tone}`} data-testid="result-status">
          {answer.status} {answer.statusText || PHRASES[answer.status]}
        </span>
        <span>{text}</span>
      </p>
      <p class="request-line" data-testid="result-request">
        <code>
          {answer.method} {new URL(answer.url).pathname}
        </code>
      </p>
      <h3>Headers</h3>
      <dl class="headers" data-testid="result-headers">
        {(redactCredentials(answer.headers) as [string, string][]).map(([name, value]) => (
          <div key={`${name}: ${value}`}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <h3>Body</h3>
      {answer.body === undefined ? (
        <p class="empty">None.</p>
      ) : (
        <Json
          value={redactCredentials(answer.body)}
          testId="result-body"
          label="Body of the answer"
        />
      )}
    </div>
  )
}
