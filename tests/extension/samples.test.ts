/**
 * Compiles the code samples of README.md and docs/, as a reader has them who copies them into an empty file.
 * TypeScript is strict. A script in JavaScript has no words for a value that may be missing, so it is compiled without
 * that one check.
 *
 * F08: seen to fail with the samples as they were: they used names that no line defines, and a broker that may be
 * `undefined`.
 */

import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

interface Sample {
  title: string
  language: 'ts' | 'js'
  source: string
}

function listDocuments(): string[] {
  const pages = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
  return ['README.md', ...pages.map((page) => `docs/${page}`)].filter((path) =>
    path.endsWith('.md'),
  )
}

function findSamples(document: string): Sample[] {
  const text = readFileSync(join(ROOT, document), 'utf8')
  const fences = text.matchAll(/^```(ts|js|html)\n([\s\S]*?)^```$/gm)
  return [...fences].map(({ 1: fence, 2: content = '', index }) => {
    const line = text.slice(0, index).split('\n').length
    const script = /<script[^>]*>([\s\S]*)<\/script>/.exec(content)?.[1]
    return {
      title: `${document}:${line}`,
      language: fence === 'ts' ? 'ts' : 'js',
      source: `${fence === 'html' ? (script ?? '') : content}\nexport {}\n`,
    }
  })
}

const SAMPLES = listDocuments().flatMap(findSamples)

const toPath = (index: number) => join(ROOT, `sample-${index}.${SAMPLES[index]?.language}`)

/** Compiles all samples of a language in one program. @returns Complaints by the sample's title. */
function compile(language: Sample['language']): Map<string, string[]> {
  const indexes = SAMPLES.map((_, index) => index).filter(
    (index) => SAMPLES[index]?.language === language,
  )
  const sources = new Map(indexes.map((index) => [toPath(index), SAMPLES[index]]))
  const virtual = new Map<string, string>()
  for (const [path, sample] of sources) virtual.set(path, sample?.source ?? '')
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    lib: ['lib.es2022.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
    types: [],
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    strictNullChecks: language === 'ts',
    ...(language === 'js' && { allowJs: true, checkJs: true, exactOptionalPropertyTypes: false }),
    noEmit: true,
    skipLibCheck: true,
    resolveJsonModule: true,
    allowImportingTsExtensions: true,
    paths: {
      'northkey/core': [join(ROOT, 'shared/core/index.ts')],
      'northkey/page': [join(ROOT, 'shared/page/index.ts')],
    },
  }
  const host = ts.createCompilerHost(options)
  const { getSourceFile, fileExists } = host
  host.fileExists = (path) => virtual.has(path) || fileExists.call(host, path)
  host.getSourceFile = (path, version, ...rest) => {
    const source = virtual.get(path)
    if (source === undefined) return getSourceFile.call(host, path, version, ...rest)
    return ts.createSourceFile(path, source, version)
  }
  // The types of the events of discovery are those of `northkey/page`.
  const page = join(ROOT, 'shared/page/index.ts')
  const program = ts.createProgram([page, ...sources.keys()], options, host)
  return new Map(
    [...sources].map(([path, sample]) => {
      const diagnostics = ts.getPreEmitDiagnostics(program, program.getSourceFile(path))
      const texts = diagnostics.map(({ messageText }) =>
        ts.flattenDiagnosticMessageText(messageText, '\n'),
      )
      return [sample?.title ?? '', texts]
    }),
  )
}

describe('F08: a file that a command of the documents writes', () => {
  const written = listDocuments().flatMap((document) =>
    [
      ...readFileSync(join(ROOT, document), 'utf8').matchAll(
        /(?:--log|--profile| >) ([\w./-]+\.\w+)/g,
      ),
    ].map(([, path = '']) => path),
  )

  test('is ignored by git', () => {
    expect(written).toContain('requests.jsonl')
    const { stdout } = spawnSync('git', ['check-ignore', ...written], { cwd: ROOT })
    expect(String(stdout).trim().split('\n')).toEqual(written)
  })
})

describe.each(['ts', 'js'] as const)('F08: the samples in %s', (language) => {
  test('compile as they are written', { timeout: 120_000 }, () => {
    const complaints = compile(language)
    expect(complaints.size).toBeGreaterThan(1)
    expect(Object.fromEntries([...complaints].filter(([, texts]) => texts.length > 0))).toEqual({})
  })
})
