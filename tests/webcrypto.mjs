// What a browser does on the pages of keys and agreements, run by Node: the very module that the pages load.
// One JSON command on standard input, one JSON answer on standard output; the private half never leaves WebCrypto.
import { readFileSync } from "node:fs";

const asked = JSON.parse(readFileSync(0, "utf8"));
// As a data URL, so that it is read as a module without a package around it.
const signing = await import(`data:text/javascript;base64,${readFileSync(asked.module).toString("base64")}`);
const pair = await signing.newKey();
const answer = { point: await signing.point(pair), extractable: pair.privateKey.extractable };
answer.exported = await crypto.subtle.exportKey("pkcs8", pair.privateKey).then(() => true, () => false);
answer.request = await signing.keyRequest(asked.kid, asked.purpose, pair, asked.now);
if (asked.view) {
  answer.act = signing.actText(asked.view, asked.act, asked.words, asked.now);
  answer.digest = await signing.digest(answer.act);
  answer.text_digest = await signing.digest(asked.text);
  answer.act_document = await signing.signed(answer.act, "agreement-act", asked.kid, pair);
  answer.text_document = await signing.signed(asked.text, "agreement", asked.kid, pair);
}
answer.canonical = asked.values?.map((each) => signing.canonical(each));
process.stdout.write(JSON.stringify(answer));
