// A real OpenID provider for the tests. What it is to be comes as one JSON document on standard input; it says
// "ready" when it listens, and ends when standard input is closed.
import { createInterface } from 'node:readline';
import { createServer } from 'node:https';
import Provider from 'oidc-provider';

const lines = createInterface({ input: process.stdin });
const given = JSON.parse((await lines[Symbol.asyncIterator]().next()).value);

const provider = new Provider(given.issuer, {
  clients: [
    {
      client_id: 'acmx',
      application_type: 'native',
      token_endpoint_auth_method: 'none',
      redirect_uris: ['http://127.0.0.1/callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
    },
    ...given.consoles.map((console) => ({
      client_id: 'console',
      token_endpoint_auth_method: 'none',
      redirect_uris: [console],
      grant_types: ['authorization_code'],
      response_types: ['code'],
    })),
    {
      client_id: 'dispatch-agent',
      client_secret: 'not a secret',
      redirect_uris: [],
      grant_types: ['client_credentials'],
      response_types: [],
    },
  ],
  clientDefaults: { id_token_signed_response_alg: 'ES256' },
  jwks: given.jwks,
  cookies: { keys: ['not a secret either'] },
  scopes: ['openid', 'offline_access', 'acm', 'other'],
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: true },
    revocation: { enabled: true },
    resourceIndicators: {
      enabled: true,
      useGrantedResource: () => true,
      getResourceServerInfo: (ctx, resource) => ({
        scope: 'acm other',
        audience: resource,
        accessTokenFormat: 'jwt',
        accessTokenTTL: given.seconds,
        jwt: { sign: { alg: given.alg } },
      }),
    },
  },
  extraTokenClaims: (ctx, token) => given.people[token.accountId ?? token.clientId],
  findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
});

createServer({ key: given.key, cert: given.certificate }, provider.callback()).listen(given.port, '127.0.0.1', () => {
  console.log('ready');
});
lines.on('close', () => process.exit(0));
