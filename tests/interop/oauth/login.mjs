// An OpenID Connect provider for people: oidc-provider with its own sign-in and consent pages.
// node login.mjs PORT CLIENT_ID REDIRECT_URI CLIENT_JWK     prints "ready VERSION"
import { createRequire } from "node:module";
import Provider from "oidc-provider";

const [port, client, redirect, jwk] = process.argv.slice(2);
const version = createRequire(import.meta.url)("oidc-provider/package.json").version;
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    {
      client_id: client,
      redirect_uris: [redirect],
      response_types: ["code"],
      grant_types: ["authorization_code"],
      token_endpoint_auth_method: "private_key_jwt",
      token_endpoint_auth_signing_alg: "ES256",
      jwks: { keys: [JSON.parse(jwk)] },
    },
  ],
  pkce: { required: () => true },
  clientAuthMethods: ["private_key_jwt"],
  enabledJWA: { clientAuthSigningAlgValues: ["ES256"] },
  cookies: { keys: ["of the interop check"] },
  ttl: { AccessToken: 300, AuthorizationCode: 60, IdToken: 300, Interaction: 300, Session: 300, Grant: 300 },
});
provider.listen(Number(port), "127.0.0.1", () => console.log(`ready ${version}`));
