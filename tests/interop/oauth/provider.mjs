// npm oidc-provider as an authorization server at the level of FAPI 2.0, for our client to obtain tokens from.
// Arguments: port, client id, public JWK of the client. Prints "ready" when it listens.
import { createRequire } from "node:module";
import { Provider } from "oidc-provider";

const [port, clientId, jwk] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;
const TYPE = "saphan_activity";
const asAsked = (details) => details?.filter((each) => each.type === TYPE);

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: clientId,
      grant_types: ["client_credentials"],
      redirect_uris: [],
      response_types: [],
      token_endpoint_auth_method: "private_key_jwt",
      token_endpoint_auth_signing_alg: "ES256",
      dpop_bound_access_tokens: true,
      authorization_details_types: [TYPE],
      jwks: { keys: [JSON.parse(jwk)] },
    },
  ],
  clientAuthMethods: ["private_key_jwt"],
  clockTolerance: 5,
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    dPoP: { enabled: true },
    fapi: { enabled: true, profile: "2.0" },
    introspection: { enabled: true, allowedPolicy: () => true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: () => ({ scope: "", accessTokenFormat: "opaque", accessTokenTTL: 300 }),
    },
    richAuthorizationRequests: {
      enabled: true,
      types: { [TYPE]: { validate() {} } },
      authorizationDetailsForGrantSource: () => undefined,
      authorizationDetailsForAccessToken: (ctx) => asAsked(JSON.parse(ctx.oidc.params.authorization_details ?? "[]")),
      authorizationDetailsForIntrospection: (ctx, token) => token.rar,
    },
  },
  routes: { token: "/v1/token", introspection: "/v1/token/introspect" },
});

provider.listen(Number(port), "127.0.0.1", () => {
  console.log(`ready ${createRequire(import.meta.url)("oidc-provider/package.json").version}`);
});
