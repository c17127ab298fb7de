/** Merges the configuration file and the flags into the options of the network. Flags take precedence. */

import { readFileSync } from 'node:fs'
import type { ErrorObject, ValidateFunction } from 'ajv'
import { parse } from 'yaml'
import { REDIRECT_BASE } from '../../../extension/identity.ts'
import { compileSchema, describeInvalidParams } from '../apis/validation.ts'
import { FAULT_RULE_SCHEMA, type FaultRule, validateFaultRule } from '../faults/rule.ts'
import type { Application, NetworkOptions } from '../options.ts'
import type { Subscriber } from '../subscribers.ts'
import { fail } from './failure.ts'
import type { Flags } from './flags.ts'

export interface Settings {
  network: NetworkOptions
  faults: FaultRule[]
}

type ConfigFile = Partial<NetworkOptions> & { faults?: FaultRule[] }

const text = { type: 'string', minLength: 1 } as const
const port = { type: 'integer', minimum: 0, maximum: 65_535 } as const

function createClosedSchema(properties: object, required: string[] = []) {
  return { type: 'object', additionalProperties: false, required, properties }
}

const subscriberList = {
  type: 'array',
  minItems: 1,
  items: createClosedSchema(
    {
      id: text,
      name: text,
      gpsi: { type: 'string', pattern: '^(msisdn-[0-9]{5,15}|extid-[^@]+@[^@]+)$' },
      phoneNumber: { type: 'string', pattern: '^\\+[1-9][0-9]{4,14}$' },
      password: text,
      location: createClosedSchema(
        {
          latitude: { type: 'number', minimum: -90, maximum: 90 },
          longitude: { type: 'number', minimum: -180, maximum: 180 },
          accuracyMeters: { type: 'number', exclusiveMinimum: 0 },
        },
        ['latitude', 'longitude', 'accuracyMeters'],
      ),
    },
    ['id', 'name', 'gpsi', 'phoneNumber', 'password', 'location'],
  ),
} as const

const validateSubscribers = compileSchema<Subscriber[]>(subscriberList)

const validateConfig = compileSchema<ConfigFile>(
  createClosedSchema({
    issuer: { type: 'string', format: 'uri' },
    host: text,
    ports: createClosedSchema({ authorization: port, apis: port, userPlane: port, control: port }),
    operator: createClosedSchema({ name: text, motto: { type: 'string' } }, ['name', 'motto']),
    applications: {
      type: 'array',
      items: createClosedSchema(
        {
          clientId: text,
          name: text,
          origins: { type: 'array', minItems: 1, items: text },
          jwks: { type: 'object', required: ['keys'], properties: { keys: { type: 'array' } } },
        },
        ['clientId', 'name', 'origins'],
      ),
    },
    redirectBases: { type: 'array', minItems: 1, items: { type: 'string', format: 'uri' } },
    subscribers: subscriberList,
    accessTokenSeconds: { type: 'integer', minimum: 1 },
    dpop: { enum: ['with-nonce', 'without-nonce', 'off'] },
    pushedAuthorizationRequests: { type: 'boolean' },
    accessNetwork: { type: 'object', additionalProperties: { type: 'string' } },
    faults: { type: 'array', items: FAULT_RULE_SCHEMA },
  }),
)

const DEFAULT_APPLICATION: Application = {
  clientId: 'skyframe',
  name: 'Skyframe',
  origins: ['http://127.0.0.1:5173', 'http://localhost:5173'],
}

export function readSettings(flags: Flags): Settings {
  const file: ConfigFile =
    flags.config === undefined ? {} : readValidated(flags.config, validateConfig)
  const { faults = [], ...fromFile } = file
  const dpop = flags.dpop ?? fromFile.dpop
  if (dpop !== undefined && !isDpopMode(dpop)) {
    fail('--dpop must be with-nonce, without-nonce or off')
  }
  const network: NetworkOptions = {
    ...fromFile,
    applications: flags.application?.map(parseApplication) ??
      fromFile.applications ?? [DEFAULT_APPLICATION],
    redirectBases: flags['redirect-base']?.map(parseRedirectBase) ??
      fromFile.redirectBases ?? [REDIRECT_BASE.chromium, REDIRECT_BASE.firefox],
    ports: {
      ...fromFile.ports,
      ...omitUndefined({
        authorization: parseNumber(flags.port, '--port', 65_535),
        apis: parseNumber(flags['apis-port'], '--apis-port', 65_535),
        userPlane: parseNumber(flags['user-plane-port'], '--user-plane-port', 65_535),
      }),
      control:
        parseNumber(flags['control-port'], '--control-port', 65_535) ??
        fromFile.ports?.control ??
        0,
    },
    accessNetwork: {
      ...fromFile.accessNetwork,
      ...Object.fromEntries(flags.attach?.map(parseAttachment) ?? []),
    },
    ...omitUndefined({
      issuer: flags.issuer,
      host: flags.host,
      dpop,
      accessTokenSeconds: parseNumber(
        flags['access-token-seconds'],
        '--access-token-seconds',
        86_400,
        1,
      ),
      pushedAuthorizationRequests: flags['no-par'] ? false : undefined,
      subscribers:
        flags.subscribers === undefined
          ? undefined
          : readValidated(flags.subscribers, validateSubscribers),
    }),
  }
  return { network, faults: [...faults, ...(flags.fault?.map(parseFaultRule) ?? [])] }
}

function isDpopMode(mode: string): mode is NonNullable<NetworkOptions['dpop']> {
  return ['with-nonce', 'without-nonce', 'off'].includes(mode)
}

/** Removes members that are undefined. */
function omitUndefined<T extends object>(
  members: T,
): { [Name in keyof T]?: Exclude<T[Name], undefined> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as {
    [Name in keyof T]?: Exclude<T[Name], undefined>
  }
}

function readValidated<T>(path: string, validate: ValidateFunction<T>): T {
  let content: string
  try {
    content = readFileSync(path, 'utf8')
  } catch {
    return fail(`${path}: cannot be read`)
  }
  let value: unknown
  try {
    value = parse(content)
  } catch {
    return fail(`${path}: is neither JSON nor YAML`)
  }
  return validate(value) ? value : fail(`${path}: ${describeErrors(validate.errors)}`)
}

function describeErrors(errors: ErrorObject[] | null | undefined): string {
  const extra = errors?.find(({ keyword }) => keyword === 'additionalProperties')
  if (extra) return `${extra.instancePath}/${String(extra.params.additionalProperty)} is unknown`
  const [first] = describeInvalidParams(errors ?? [])
  return first ? `${first.param} ${first.reason}` : 'does not have the expected form'
}

function parseNumber(
  value: string | undefined,
  flag: string,
  max: number,
  min = 0,
): number | undefined {
  if (value === undefined) return undefined
  const parsed = Number(value)
  if (/^\d+$/.test(value) && parsed >= min && parsed <= max) return parsed
  return fail(`${flag} must be a number from ${min} to ${max}`)
}

function parseApplication(value: string): Application {
  const [clientId, name, origins, ...rest] = value.split('=')
  if (!clientId || !name || !origins || rest.length > 0) {
    return fail('--application must be ID=NAME=ORIGIN[,ORIGIN]')
  }
  for (const origin of origins.split(',')) {
    if (!URL.canParse(origin) || new URL(origin).origin !== origin) {
      fail('--application must name origins, such as http://127.0.0.1:5173')
    }
  }
  return { clientId, name, origins: origins.split(',') }
}

function parseRedirectBase(value: string): string {
  if (value.startsWith('https://') && URL.canParse(value) && value.endsWith('/')) return value
  return fail('--redirect-base must be an https URL that ends with a slash')
}

function parseAttachment(value: string): [string, string] {
  const [address, subscriber, ...rest] = value.split('=')
  if (address && subscriber && rest.length === 0) return [address, subscriber]
  return fail('--attach must be ADDRESS=SUBSCRIBER')
}

function parseFaultRule(value: string): FaultRule {
  let rule: unknown
  try {
    rule = JSON.parse(value)
  } catch {
    return fail('--fault must be JSON')
  }
  if (validateFaultRule(rule)) return rule
  return fail(`--fault: ${describeErrors(validateFaultRule.errors)}`)
}
