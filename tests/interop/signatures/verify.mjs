// Two Node libraries judge our signed messages: node verify.mjs LIBRARY CASES.json -> {version, verdicts} as JSON.
import { createPublicKey, verify } from "node:crypto";
import { readFileSync } from "node:fs";

const [library, path] = process.argv.slice(2);
const given = JSON.parse(readFileSync(path, "utf8"));
const keys = Object.fromEntries(Object.entries(given.public).map(([kid, pem]) => [kid, createPublicKey(pem)]));
const check = (kid, data, signature) =>
  kid in keys && verify("sha256", data, { key: keys[kid], dsaEncoding: "ieee-p1363" }, signature);

const judges = {
  // https://github.com/dhensby/node-http-message-signatures
  "http-message-signatures": async () => {
    const { httpbis } = await import("http-message-signatures");
    const read = ({ method, url, status, headers }) => (status === null ? { method, url, headers } : { status, headers });
    return async ({ message, tag }) => {
      let looked = 0;
      const keyLookup = async (parameters) => {
        if (parameters.tag !== tag) return null;
        looked += 1;
        return { algs: ["ecdsa-p256-sha256"], verify: async (data, bytes) => check(parameters.keyid, data, bytes) };
      };
      const request = message.request === null ? undefined : read(message.request);
      return (await httpbis.verifyMessage({ keyLookup, tolerance: 5 }, read(message), request)) === true && looked === 1;
    };
  },
  // https://github.com/cloudflare/web-bot-auth
  "http-message-sig": async () => {
    const { verifySignature } = await import("http-message-sig");
    const fields = (headers) => Object.entries(headers).map(([name, value]) => ({ name, value }));
    const asked = ({ method, url, headers }) => ({ kind: "request", method, targetUri: url, fields: fields(headers) });
    const read = (message) =>
      message.status === null
        ? asked(message)
        : { kind: "response", status: message.status, fields: fields(message.headers), request: asked(message.request) };
    return async ({ message, tag, label }) => {
      const policy = {
        algorithms: ["ecdsa-p256-sha256"],
        requiredComponents: [],
        requiredParameters: ["created", "expires", "nonce", "keyid", "tag"],
        maxAge: 60,
        clockSkew: 5,
      };
      const resolveVerifier = ({ parameters }) => ({
        algorithm: "ecdsa-p256-sha256",
        verify: (data, bytes) => check(parameters.keyid, data, bytes),
      });
      return (await verifySignature(read(message), { label, policy, resolveVerifier })).parameters.tag === tag;
    };
  },
};

const judge = await judges[library]();
const verdicts = {};
for (const each of given.cases) {
  verdicts[each.name] = await judge(each).catch(() => false);
}
const lock = JSON.parse(readFileSync(new URL("package-lock.json", import.meta.url), "utf8"));
process.stdout.write(JSON.stringify({ version: lock.packages[`node_modules/${library}`].version, verdicts }));
