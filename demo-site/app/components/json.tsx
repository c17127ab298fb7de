/** Shows JSON with indentation and colours; plain text stays plain. */

const TOKEN = /("(?:\\.|[^"\\])*")(\s*:)?|\b(?:true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g

interface JsonPiece {
  kind: 'name' | 'string' | 'literal' | 'plain'
  text: string
}

/** Splits printed JSON into pieces that have one colour each. */
export function splitJson(json: string): JsonPiece[] {
  const pieces: JsonPiece[] = []
  let pieceEnd = 0
  for (const match of json.matchAll(TOKEN)) {
    const [matched, text, colon] = match
    if (match.index > pieceEnd)
      pieces.push({ kind: 'plain', text: json.slice(pieceEnd, match.index) })
    if (text === undefined) pieces.push({ kind: 'literal', text: matched })
    else {
      pieces.push({ kind: colon ? 'name' : 'string', text })
      if (colon) pieces.push({ kind: 'plain', text: colon })
    }
    pieceEnd = match.index + matched.length
  }
  if (pieceEnd < json.length) pieces.push({ kind: 'plain', text: json.slice(pieceEnd) })
  return pieces
}

export interface JsonProps {
  value: unknown
  label: string
  testId?: string
}

export function Json({ value, label, testId }: JsonProps) {
  const pieces: JsonPiece[] =
    typeof value === 'string'
      ? [{ kind: 'plain', text: value }]
      : splitJson(JSON.stringify(value, null, 2) ?? 'undefined')
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keyboard
    <section class="json" tabIndex={0} aria-label={label}>
      <pre data-testid={testId}>
        {pieces.map(({ kind, text }, index) =>
          kind === 'plain' ? (
            text
          ) : (
            <span key={index} class={`json-${kind}`}>
              {text}
            </span>
          ),
        )}
      </pre>
    </section>
  )
}
