/** Formats the location of a subscriber as a `MonitoringEventReport`. @see TS 29.122 clause 5.3.2.3.2 */

import { createHash } from 'node:crypto'
import type { Subscriber } from '../../subscribers.ts'

export function createLocationReport(subscriber: Subscriber, accuracy = 'GEO_AREA') {
  const { latitude, longitude, accuracyMeters } = subscriber.location
  const cell = createHash('sha256').update(subscriber.id).digest('hex').slice(0, 7)
  return {
    monitoringType: 'LOCATION_REPORTING',
    eventTime: new Date(Date.now()).toISOString(),
    locationInfo: {
      ageOfLocationInfo: 0,
      ...(accuracy === 'CGI_ECGI' ? { cellId: `00101${cell}` } : {}),
      ...(accuracy === 'TA_RA' ? { trackingAreaId: `00101${cell.slice(0, 4)}` } : {}),
      ...(accuracy === 'GEO_AREA'
        ? {
            geographicArea: {
              shape: 'POINT_UNCERTAINTY_CIRCLE',
              point: { lon: longitude, lat: latitude },
              uncertainty: accuracyMeters,
            },
          }
        : {}),
    },
  }
}
