// npm oauth4webapi as a client of our authorization server and as a resource server that checks our tokens.
// Argument: JSON with issuer, kid, pem (the client's private key), detail (authorization details).
// Prints one JSON object: for each step whether it went as it must.
import { createHash, createPrivateKey, randomBytes } from "node:crypto";
import { createRequire } from "node:module";
import messageSignatures from "http-message-signatures";
import * as oauth from "oauth4webapi";

const { issuer, kid, pem, detail } = JSON.parse(process.argv[2]);
const insecure = { [oauth.allowInsecureRequests]: true };
const version = createRequire(import.meta.url)("oauth4webapi/package.json").version;
const steps = {};
const step = (name, held) => {
  steps[name] = Boolean(held);
};

const nodeKey = createPrivateKey(pem);
const der = nodeKey.export({ format: "der", type: "pkcs8" });
const key = await crypto.subtle.importKey("pkcs8", der, { name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]);
const client = { client_id: kid };
const showsItself = () => oauth.PrivateKeyJwt({ key, kid });

// Metadata, as the library finds and checks it.
const url = new URL(issuer);
const as = await oauth
  .discoveryRequest(url, { algorithm: "oauth2", ...insecure })
  .then((response) => oauth.processDiscoveryResponse(url, response));
step("metadata", as.dpop_signing_alg_values_supported.includes("ES256") && as.tls_client_certificate_bound_access_tokens);

// A token bound to a key of this process, for one activity and this gateway alone.
const keyPair = await oauth.generateKeyPair("ES256");
let nonce = null;
const DPoP = oauth.DPoP(client, keyPair, {
  [oauth.modifyAssertion](header, payload) {
    if (nonce !== null) payload.jti = nonce;
  },
});
const parameters = { resource: issuer, authorization_details: JSON.stringify([detail]) };
const asked = (options) => oauth.clientCredentialsGrantRequest(as, client, showsItself(), parameters, { ...insecure, ...options });
const answer = await oauth.processClientCredentialsResponse(as, client, await asked({ DPoP }));
step("token", answer.token_type === "dpop" && answer.expires_in === 300 && answer.refresh_token === undefined);
step("authorization_details", JSON.stringify(answer.authorization_details) === JSON.stringify([detail]));
step("no token without a proof", (await asked({})).status === 400);

// A call of a member: DPoP by one library, RFC 9421 by another, both under one nonce.
const signer = messageSignatures.createSigner(nodeKey, "ecdsa-p256-sha256", kid);
async function called(token, { signed = true, bearer = false } = {}) {
  nonce = randomBytes(16).toString("base64url");
  const target = new URL("/v1/budget", issuer);
  const digest = createHash("sha256").update("").digest("base64");
  const message = { method: "GET", url: target.href, headers: { "content-type": "application/json", "content-digest": `sha-256=:${digest}:` } };
  const created = new Date();
  const made = signed
    ? await messageSignatures.httpbis.signMessage(
        {
          key: signer,
          name: "saphan",
          fields: ["@method", "@path", "content-type", "content-digest"],
          params: ["created", "expires", "nonce", "keyid", "tag"],
          paramValues: { created, expires: new Date(created.getTime() + 60_000), nonce, keyid: kid, tag: "saphan-request" },
        },
        message,
      )
    : message;
  const headers = new Headers(made.headers);
  const options = bearer ? insecure : { DPoP, ...insecure };
  try {
    return await oauth.protectedResourceRequest(token, "GET", target, headers, null, options);
  } catch (error) {
    return error.response ?? error.cause ?? error;
  } finally {
    nonce = null;
  }
}
const budget = await called(answer.access_token);
step("a signed call with its proof is answered", budget.status === 200);
step("without the member's signature it is refused", (await called(answer.access_token, { signed: false })).status === 403);
const bearer = await called(answer.access_token, { bearer: true });
step("as bearer it is refused", bearer.status === 401);
step("and the refusal says how to do it", /DPoP .*error="invalid_token"/.test(bearer.headers.get("www-authenticate")));

// The token as a resource server with another library sees it.
const seen = new Request(new URL("/v1/budget", issuer), { headers: { authorization: `DPoP ${answer.access_token}` } });
const proof = await new Promise((resolve) => {
  const capture = async (_, init) => {
    resolve(init.headers.dpop ?? new Headers(init.headers).get("dpop"));
    return new Response("{}");
  };
  oauth.protectedResourceRequest(answer.access_token, "GET", new URL("/v1/budget", issuer), undefined, null, {
    DPoP,
    ...insecure,
    [oauth.customFetch]: capture,
  });
});
seen.headers.set("dpop", proof);
const claims = await oauth.validateJwtAccessToken(as, seen, issuer, { requireDPoP: true, signingAlgorithms: ["ES256"], ...insecure });
step("another resource server believes the token", claims.client_id === kid && claims.cnf.jkt.length === 43);

// Introspection and revocation.
const looked = async () =>
  oauth.processIntrospectionResponse(
    as,
    client,
    await oauth.introspectionRequest(as, client, showsItself(), answer.access_token, insecure),
  );
const said = await looked();
step("introspection", said.active && said.cnf.jkt === claims.cnf.jkt && said.token_type === "DPoP");
await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, showsItself(), answer.access_token, insecure));
step("revocation", (await looked()).active === false);
step("a revoked token opens nothing", (await called(answer.access_token)).status === 401);

console.log(JSON.stringify({ version, steps }));
