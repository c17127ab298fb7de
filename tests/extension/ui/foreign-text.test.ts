/**
 * Tests that each screen shows foreign text with `ForeignText` alone, and puts it into an attribute with
 * `toReadableText` alone. The source of the screens is searched for members that hold foreign text.
 *
 * Seen to fail with the screens of before, each of which showed names and reasons as they were; and when the style
 * sheet has the class of foreign text twice (each name looked like a warning, in a line of its own).
 *
 * @see A11e of docs/conformance.md
 */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { expect, test } from 'vitest'

const SCREENS = fileURLToPath(new URL('../../../extension/ui/', import.meta.url))

/** Members of the messages to screens that hold words of a page, an operator, a file or a server. */
const FOREIGN = [
  'applicationName',
  'description',
  'error',
  'message',
  'name',
  'operator',
  'operatorName',
  'operators',
  'outcome',
  'purpose',
  'reason',
  'reasons',
  'scope',
]
/** Attributes that are read to the user. */
const READ = ['alt', 'aria-label', 'placeholder', 'title']
const REPAIR = 'toReadableText'

const screens = readdirSync(SCREENS, { recursive: true, encoding: 'utf8' }).filter((path) =>
  path.endsWith('.tsx'),
)

/** Expressions whose value is rendered: without conditions, callbacks and elements inside. */
function listRendered(node: ts.Expression): ts.Expression[] {
  if (ts.isParenthesizedExpression(node)) return listRendered(node.expression)
  if (ts.isConditionalExpression(node)) {
    return [...listRendered(node.whenTrue), ...listRendered(node.whenFalse)]
  }
  if (ts.isBinaryExpression(node)) {
    const isCondition = node.operatorToken.kind === ts.SyntaxKind.AmpersandAmpersandToken
    return [...(isCondition ? [] : listRendered(node.left)), ...listRendered(node.right)]
  }
  return ts.isJsxElement(node) || ts.isJsxSelfClosingElement(node) || ts.isJsxFragment(node)
    ? []
    : [node]
}

/** Tells whether an expression uses a foreign member outside of a repair. */
function usesForeign(node: ts.Node): boolean {
  if (ts.isCallExpression(node)) {
    if (node.expression.getText() === REPAIR) return false
    const { expression } = node
    // The elements of a list are rendered by the callback, whose own elements are searched too.
    if (ts.isPropertyAccessExpression(expression) && expression.name.text === 'map') return false
  }
  if (ts.isIdentifier(node)) return FOREIGN.includes(node.text)
  if (ts.isPropertyAccessExpression(node) && node.name.text === 'length') return false
  return ts.forEachChild(node, (child) => usesForeign(child) || undefined) ?? false
}

function findUnrepaired(file: ts.SourceFile): string[] {
  const found: string[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isJsxExpression(node) && node.expression) {
      const { parent } = node
      const isChild = ts.isJsxElement(parent) || ts.isJsxFragment(parent)
      const isRead = ts.isJsxAttribute(parent) && READ.includes(parent.name.getText())
      if (isChild || isRead) {
        found.push(
          ...listRendered(node.expression)
            .filter(usesForeign)
            .map((rendered) => rendered.getText()),
        )
      }
    }
    ts.forEachChild(node, visit)
  }
  visit(file)
  return found
}

const parse = (name: string, text: string) =>
  ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true, ts.ScriptKind.TSX)

test('A11e: the search finds foreign text that is not repaired', () => {
  const source = `
    <p title={operator.name}>
      {reason}{data && grant.applicationName}{description ?? scope}{operators.join(', ')}
      {translate(api.purpose)}{\`by \${name}\`}
      {name && <ForeignText text={name} />}{reasons.map((reason) => <li key={reason} />)}
      <b aria-label={\`of \${toReadableText(name)}\`}>{profile.name.length}</b>
    </p>`
  expect(findUnrepaired(parse('screen.tsx', source))).toEqual([
    'operator.name',
    'reason',
    'grant.applicationName',
    'description',
    'scope',
    "operators.join(', ')",
    'translate(api.purpose)',
    `\`by \${name}\``,
  ])
})

test.for(screens)('A11e: %s shows foreign text only repaired and in its box', (path) => {
  expect(findUnrepaired(parse(path, readFileSync(join(SCREENS, path), 'utf8')))).toEqual([])
})

test('A11e: the class of foreign text has one rule, and no other element of the screens has it', () => {
  const style = readFileSync(join(SCREENS, 'style.css'), 'utf8')
  expect(style.match(/\.foreign\b/g)).toHaveLength(1)
  const users = screens.filter((path) =>
    /["' ]foreign["' ]/.test(readFileSync(join(SCREENS, path), 'utf8')),
  )
  expect(users).toEqual(['foreign-text.tsx'])
})
