// People's own keys: P-256 keys that WebCrypto makes and does not give away, and the JWS that they sign.
// Runs in a browser and in Node alike; the bytes are those of contracts.signing and contracts.canonical.

const P256 = { name: "ECDSA", namedCurve: "P-256" };
const ES256 = { name: "ECDSA", hash: "SHA-256" };
const encoder = new TextEncoder();

/** base64url without padding. */
export function encode(bytes) {
  let text = "";
  for (const each of new Uint8Array(bytes)) text += String.fromCharCode(each);
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** The bytes of base64url. */
export function decode(text) {
  return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (each) => each.charCodeAt(0));
}

/** RFC 8785 of texts, whole numbers, truth values, null, lists and objects: all that is signed here. */
export function canonical(value) {
  if (typeof value === "number" && !Number.isSafeInteger(value)) throw new TypeError("not a whole number");
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  const names = Object.keys(value).sort();
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(",")}}`;
}

/** sha-256:<hex> of a text's UTF-8 bytes. */
export async function digest(text) {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", encoder.encode(text)));
  return `sha-256:${Array.from(hash, (each) => each.toString(16).padStart(2, "0")).join("")}`;
}

/** A fresh key pair whose private half no script can read. */
export function newKey() {
  return crypto.subtle.generateKey(P256, false, ["sign", "verify"]);
}

/** The numbers of its public half. */
export async function point(pair) {
  const { x, y } = await crypto.subtle.exportKey("jwk", pair.publicKey);
  return { x, y };
}

/** A document: JWS in general JSON serialisation over canonical text, its kind in the protected header. */
export async function signed(text, kind, kid, pair) {
  const header = encode(encoder.encode(canonical({ alg: "ES256", kid, typ: `saphan-${kind}+jws` })));
  const payload = encode(encoder.encode(text));
  // WebCrypto gives r || s, which is what RFC 7518 asks for.
  const signature = await crypto.subtle.sign(ES256, pair.privateKey, encoder.encode(`${header}.${payload}`));
  return canonical({ payload, signatures: [{ protected: header, signature: encode(signature) }] });
}

/** An instant to the second, as it is signed. */
export function instant(milliseconds) {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}

/** The request to register a key, signed by the key itself. */
export async function keyRequest(kid, purpose, pair, milliseconds) {
  const asked = { kid, purpose, ...(await point(pair)), at: instant(milliseconds) };
  return signed(canonical(asked), "key-request", kid, pair);
}

/** An act on an agreement as contracts.lifecycle.AgreementAct: canonical text. */
export function actText(view, act, words, milliseconds) {
  return canonical({
    act,
    agency: view.agency,
    agreement: view.agreement,
    at: instant(milliseconds),
    because: words.because || null,
    digest: view.digest,
    previous: view.head || null,
    reason: words.reason || "",
    version: view.version,
  });
}
