/** Describes the control API as an OpenAPI document. @see OpenAPI Specification 3.1 */

import { FAULT_RULE_SCHEMA } from '../faults/rule.ts'

export const REVOCATION_SCHEMA = {
  type: 'object',
  required: ['issuer', 'subscriber', 'clientId'],
  additionalProperties: false,
  properties: {
    issuer: { type: 'string' },
    subscriber: { type: 'string', description: 'Identifier of the subscriber in the network.' },
    clientId: { type: 'string' },
    cause: {
      enum: ['OVERLIMIT_USAGE', 'UNEXPECTED_REASON', 'AUTHORIZATION_ISSUE', 'OTHER_REASON'],
    },
  },
} as const

const NO_CONTENT = { 204: { description: 'Done.' } }
const PROBLEM = {
  description: 'Problem details.',
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
}

const describeJson = (schema: object) => ({ content: { 'application/json': { schema } } })
const describeAnswer = (description: string, schema: object) => ({
  description,
  ...describeJson(schema),
})
const describeBody = (schema: object) => ({ required: true, ...describeJson(schema) })
const describePathParameter = (name: string) => ({
  name,
  in: 'path',
  required: true,
  schema: { type: 'string' },
})
const describeQueryParameter = (name: string) => ({ name, in: 'query', schema: { type: 'string' } })
const referTo = (name: string) => ({ $ref: `#/components/schemas/${name}` })
const describeList = (schema: object) => ({ type: 'array', items: schema })

export function describeControlApi(): object {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Control of the network',
      version: '1.0.0',
      description: 'Faults on demand, the request log, and actions of the operator. Loopback only.',
    },
    paths: {
      '/network': {
        get: {
          summary: 'Addresses, subscribers and operator profiles.',
          responses: { 200: describeAnswer('The network.', { type: 'object' }) },
        },
      },
      '/faults': {
        get: {
          summary: 'Active faults.',
          responses: {
            200: describeAnswer('Faults, oldest first.', describeList(referTo('ActiveFault'))),
          },
        },
        post: {
          summary: 'Switch a fault on.',
          requestBody: describeBody(referTo('FaultRule')),
          responses: {
            201: describeAnswer('The fault is active.', referTo('ActiveFault')),
            400: PROBLEM,
          },
        },
        delete: { summary: 'Switch all faults off.', responses: NO_CONTENT },
      },
      '/faults/{id}': {
        parameters: [describePathParameter('id')],
        get: {
          summary: 'A fault, and how often it was applied.',
          responses: { 200: describeAnswer('The fault.', referTo('ActiveFault')), 404: PROBLEM },
        },
        delete: { summary: 'Switch a fault off.', responses: { ...NO_CONTENT, 404: PROBLEM } },
      },
      '/log': {
        get: {
          summary: 'The requests so far, newest last.',
          parameters: ['server', 'method', 'path'].map(describeQueryParameter),
          responses: { 200: describeAnswer('Requests.', describeList(referTo('LogEntry'))) },
        },
        delete: { summary: 'Clear the log.', responses: NO_CONTENT },
      },
      '/access-network': {
        get: {
          summary: 'Addresses of attached UEs.',
          responses: {
            200: describeAnswer('Subscribers by address.', {
              type: 'object',
              additionalProperties: { type: 'string' },
            }),
          },
        },
      },
      '/access-network/{address}': {
        parameters: [describePathParameter('address')],
        put: {
          summary: 'Attach the UE at this address to the mobile network.',
          requestBody: describeBody({
            type: 'object',
            required: ['subscriber'],
            properties: { subscriber: { type: 'string' } },
          }),
          responses: { ...NO_CONTENT, 400: PROBLEM },
        },
        delete: { summary: 'Detach the UE from the mobile network.', responses: NO_CONTENT },
      },
      '/messages/{phoneNumber}': {
        parameters: [describePathParameter('phoneNumber')],
        get: {
          summary: 'Text messages to a phone, newest first.',
          responses: { 200: describeAnswer('Messages.', describeList({ type: 'object' })) },
        },
      },
      '/revocations': {
        post: {
          summary: 'Revoke an authorization.',
          requestBody: describeBody(referTo('Revocation')),
          responses: { ...NO_CONTENT, 400: PROBLEM, 404: PROBLEM },
        },
      },
      '/key-rotations': {
        post: {
          summary: 'Rotate the signing key of an issuer.',
          requestBody: describeBody({
            type: 'object',
            required: ['issuer'],
            properties: { issuer: { type: 'string' } },
          }),
          responses: { ...NO_CONTENT, 400: PROBLEM },
        },
      },
    },
    components: {
      schemas: {
        FaultRule: FAULT_RULE_SCHEMA,
        Revocation: REVOCATION_SCHEMA,
        ActiveFault: {
          type: 'object',
          required: ['id', 'rule', 'matched', 'applied'],
          properties: {
            id: { type: 'string', format: 'uuid' },
            rule: referTo('FaultRule'),
            matched: { type: 'integer', description: 'Number of matching requests.' },
            applied: { type: 'integer', description: 'Number of requests that it was applied to.' },
          },
        },
        LogEntry: {
          type: 'object',
          required: ['id', 'server', 'timeMs', 'from', 'method', 'path', 'query', 'headers'],
          properties: {
            id: { type: 'integer' },
            server: { type: 'string' },
            timeMs: { type: 'integer' },
            from: { type: 'string' },
            method: { type: 'string' },
            path: { type: 'string' },
            query: { type: 'object' },
            headers: { type: 'object' },
            body: {},
            status: { type: 'integer' },
            answerHeaders: { type: 'object' },
            fault: { type: 'string' },
          },
        },
        Problem: {
          type: 'object',
          required: ['status'],
          properties: {
            title: { type: 'string' },
            status: { type: 'integer' },
            detail: { type: 'string' },
            cause: { type: 'string' },
            invalidParams: {
              type: 'array',
              items: {
                type: 'object',
                required: ['param', 'reason'],
                properties: { param: { type: 'string' }, reason: { type: 'string' } },
              },
            },
          },
        },
      },
    },
  }
}
