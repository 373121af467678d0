// What a browser may do with the page, where the dashboard is an app of its own.
import helmet from '@fastify/helmet'
import type { FastifyInstance } from 'fastify'

export async function addHeaders (app: FastifyInstance): Promise<void> {
  await app.register(helmet, {
    // Scripts, data and images of this origin alone; inline styles for the charts.
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'self'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'", "'unsafe-inline'"],
        imgSrc: ["'self'", 'data:', 'blob:'],
        connectSrc: ["'self'"],
        objectSrc: ["'none'"],
        baseUri: ["'none'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
      },
    },
    frameguard: { action: 'deny' },
    // It speaks HTTP; what encrypts in front of it promises to go on doing so, or does not.
    strictTransportSecurity: false,
  })
}
