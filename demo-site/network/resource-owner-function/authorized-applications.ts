/** Lists the applications that a subscriber has authorized, over all issuers, for the account page. */

import { EXPOSED_APIS, listScopes } from '../apis/catalogue.ts'
import type { AuthorizationServer } from '../authorization-function/authorization-function.ts'
import { parseApiNames } from '../capif-core/scope.ts'
import type { AuthorizedApplication } from './account-page.tsx'

export async function listAuthorizedApplications(
  servers: readonly AuthorizationServer[],
  accountId: string,
): Promise<AuthorizedApplication[]> {
  const lists = await Promise.all(
    servers.map((server) =>
      Promise.all(
        server.settings.authorizations.findByAccount(accountId).map(async (stored) => ({
          issuer: server.settings.issuer,
          clientId: stored.clientId,
          name: await server.clientName(stored.clientId),
          apis: await listGrantedApis(server, stored.grantId),
          sinceMs: stored.sinceMs,
        })),
      ),
    ),
  )
  return lists.flat()
}

async function listGrantedApis(server: AuthorizationServer, grantId: string): Promise<string[]> {
  const grant = await server.provider.Grant.find(grantId)
  const resources: Record<string, string> = Object(Reflect.get(Object(grant), 'resources'))
  const words = Object.values(resources).flatMap((scope) => scope.split(' '))
  const { profile } = server.settings
  return EXPOSED_APIS.filter((api) =>
    profile === 'capif'
      ? words.some((word) => parseApiNames(word).includes(api.name))
      : listScopes(api, profile).some(({ scope }) => words.includes(scope)),
  ).map(({ title }) => title)
}
