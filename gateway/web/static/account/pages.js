// The account's pages: what each button and form does. No inline script anywhere; words come from the page.

import { actText, canonical, decode, digest, encode, keyRequest, newKey, signed } from "./signing.js";
import { held, keep } from "./keys.js";

const words = document.getElementById("words")?.dataset ?? {};
const language = document.documentElement.lang;
const SIGNS_THE_TEXT = new Set(["approve", "sign"]);

class Told extends Error {}

async function call(path, body) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json" },
    body: JSON.stringify(body ?? {}),
  });
  if (answer.ok) return answer.json();
  const problem = await answer.json().catch(() => ({}));
  const text = language === "th" ? [problem.detail_th, problem.advice_th] : [problem.detail, problem.advice];
  const told = new Told(text.filter(Boolean).join(" ") || words.failed);
  told.code = problem.code;
  throw told;
}

function tell(text) {
  const place = document.getElementById("told");
  place.textContent = text;
  place.hidden = false;
  place.scrollIntoView({ block: "nearest" });
}

// ---------------------------------------------------------------- passkeys
const described = (list) => (list ?? []).map((each) => ({ ...each, id: decode(each.id) }));

async function made(options) {
  const publicKey = {
    ...options,
    challenge: decode(options.challenge),
    user: { ...options.user, id: decode(options.user.id) },
    excludeCredentials: described(options.excludeCredentials),
  };
  const found = await navigator.credentials.create({ publicKey });
  if (!found) throw new Told(words.noPasskey);
  const { clientDataJSON, attestationObject } = found.response;
  return sent(found, { clientDataJSON: encode(clientDataJSON), attestationObject: encode(attestationObject) });
}

async function asked(options) {
  const publicKey = {
    ...options,
    challenge: decode(options.challenge),
    allowCredentials: described(options.allowCredentials),
  };
  const found = await navigator.credentials.get({ publicKey });
  if (!found) throw new Told(words.noPasskey);
  const { clientDataJSON, authenticatorData, signature, userHandle } = found.response;
  return sent(found, {
    clientDataJSON: encode(clientDataJSON),
    authenticatorData: encode(authenticatorData),
    signature: encode(signature),
    userHandle: userHandle ? encode(userHandle) : null,
  });
}

const sent = (found, response) => ({ id: found.id, rawId: encode(found.rawId), type: found.type, response });
const label = () => document.getElementById("label")?.value ?? "";
const secret = () => location.hash.slice(1);

/** Confirm exactly this: with a passkey, or else at the login provider, from where the page goes on. */
async function confirmed(about, then) {
  let options;
  try {
    options = await call("/account/step-up/options", about);
  } catch (error) {
    if (error.code !== "step-up-missing") throw error;
    sessionStorage.setItem("saphan-then", JSON.stringify({ ...then, from: location.pathname }));
    location.assign((await call("/account/oidc/start", { about })).address);
    return new Promise(() => {});
  }
  await call("/account/step-up", await asked(options));
  return finish(then);
}

async function finish(then) {
  if (then.passkey) {
    await call("/account/passkeys/revoke", { passkey: then.passkey });
    return location.assign("/account/sign-in");
  }
  if (then.request) {
    await call("/account/keys", { document: then.request });
    return location.assign("/account/keys");
  }
  if (then.order) {
    const answer = await call("/account/people", then.order);
    if (!answer.link) return location.reload();
    const place = document.getElementById("link");
    place.querySelector("code").textContent = answer.link;
    place.hidden = false;
    return tell(words.done);
  }
  const pair = await held(then.kid);
  if (!pair) throw new Told(words.failed);
  const act = await signed(then.act, "agreement-act", then.kid, pair);
  const document_ = then.text === null ? null : await signed(then.text, "agreement", then.kid, pair);
  await call(`/account/agreements/${then.agreement}/acts`, { act, document: document_ });
  return location.assign(then.from);
}

function ordered(order) {
  const whole = { act: order.act, agency: order.agency, person: order.person ?? null, roles: order.roles ?? [], name: order.name ?? "", invitation: order.invitation ?? null };
  return confirmed({ order: whole }, { order: whole });
}

async function act(form) {
  const view = form.dataset;
  const text = document.getElementById("text").textContent;
  // What is signed is what stands on this page: the digest is made here, of the very text that is shown.
  if ((await digest(text)) !== view.digest) throw new Told(words.failed);
  const about = { agency: view.agency, agreement: view.agreement, digest: view.digest, head: view.head, version: Number(view.version) };
  const wanted = form.elements.act.value;
  const written = { because: form.elements.because.value, reason: form.elements.reason.value };
  const said = actText(about, wanted, written, Date.now() + skew);
  const then = { act: said, text: SIGNS_THE_TEXT.has(wanted) ? text : null, kid: form.elements.key.value, agreement: view.agreement, from: location.pathname };
  return confirmed({ digest: await digest(said) }, then);
}

const stamp = document.querySelector("[data-now]")?.dataset.now;
const skew = stamp ? Date.parse(stamp) - Date.now() : 0;

// ---------------------------------------------------------------- what buttons and forms do
const deeds = {
  async "sign-in"() {
    await call("/account/sign-in", await asked(await call("/account/sign-in/options")));
    location.assign("/account");
  },
  async join() {
    const credential = await made(await call("/account/join/options", { secret: secret() }));
    await call("/account/join", { secret: secret(), credential, label: label() });
    location.assign("/account");
  },
  async provider() {
    location.assign((await call("/account/oidc/start", {})).address);
  },
  async "provider-join"() {
    location.assign((await call("/account/oidc/start", { secret: secret() })).address);
  },
  async "add-passkey"() {
    const credential = await made(await call("/account/passkeys/options"));
    await call("/account/passkeys", { credential, label: label() });
    location.reload();
  },
  async "revoke-passkey"({ dataset: { passkey } }) {
    await confirmed({ digest: await digest(canonical({ passkey })) }, { passkey });
  },
  order: ({ dataset }) => ordered({ act: dataset.act, agency: dataset.agency, person: dataset.person, roles: dataset.role ? [dataset.role] : [], invitation: dataset.invitation }),
  invite: (form) => ordered({ act: "invite", agency: form.elements.agency?.value ?? form.dataset.agency, roles: [form.elements.role.value], name: form.elements.name.value }),
  give: (form) => ordered({ act: "give", agency: form.dataset.agency, person: form.elements.person.value, roles: [form.elements.role.value] }),
  act,
  async "new-key"(form) {
    const purpose = form.elements.purpose.value;
    const { kid } = await call("/account/keys/name", { purpose });
    const pair = await newKey();
    await keep(kid, pair);
    const request = await keyRequest(kid, purpose, pair, Date.now() + skew);
    const said = new TextDecoder().decode(decode(JSON.parse(request).payload));
    await confirmed({ digest: await digest(said) }, { request });
  },
  async resume() {
    const then = JSON.parse(sessionStorage.getItem("saphan-then") ?? "null");
    sessionStorage.removeItem("saphan-then");
    if (then) await finish(then);
  },
};

async function perform(name, element) {
  try {
    await deeds[name](element);
  } catch (error) {
    tell(error instanceof Told ? error.message : words.noPasskey);
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-do]");
  if (button) perform(button.dataset.do, button);
});
document.addEventListener("submit", (event) => {
  if (!event.target.dataset.do) return;
  event.preventDefault();
  perform(event.target.dataset.do, event.target);
});
for (const each of document.querySelectorAll("[data-do-now]")) perform(each.dataset.doNow, each);
for (const each of document.querySelectorAll("[data-held]")) {
  held(each.dataset.held).then((pair) => {
    if (pair) each.textContent = each.dataset.yes;
  });
}
