// Shortens the names that the page's WebAssembly and JavaScript know each other by: written out, as wasm-bindgen does, they
// are a fiftieth of the page. And takes out where the files of other crates were on the machine that built it.
// Trunk calls this with what it built; debug builds and machines without node keep the names.
import { createHash } from "node:crypto";
import { readFileSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

const fail = (why) => {
  console.error(`shorten.mjs: ${why}`);
  process.exit(1);
};

const folder = process.argv[2] ?? fail("which folder?");
const only = (end) => {
  const found = readdirSync(folder).filter((name) => name.startsWith("tagwarden-app-") && name.endsWith(end));
  return found.length === 1 ? found[0] : fail(`${found.length} files tagwarden-app-*${end} in ${folder}`);
};
const names = { wasm: only("_bg.wasm"), js: only(".js") };
const wasm = readFileSync(join(folder, names.wasm));
// Without the comments and indentation of wasm-bindgen.
const COMMENTS = /^ *(?:\/\/.*|\/\*\*\n(?: *\*.*\n)*? *\*\/)\n/gm;
let js = readFileSync(join(folder, names.js), "utf8").replace(COMMENTS, "").replace(/^\s+/gm, "");

// Reading and writing the binary format (WebAssembly Core 2.0, chapter 5).
let at = 0;
const byte = () => (at < wasm.length ? wasm[at++] : fail("the module ends too early"));
const number = () => {
  let value = 0;
  for (let shift = 0; shift < 35; shift += 7) {
    const part = byte();
    value += (part & 127) * 2 ** shift;
    if (part < 128) return value;
  }
  return fail("a number is too long");
};
const bytes = (length) => {
  if (at + length > wasm.length) fail("the module ends too early");
  at += length;
  return wasm.subarray(at - length, at);
};
const text = () => bytes(number()).toString("utf8");
const encoded = (value) => {
  const out = [];
  for (; value > 127; value = Math.floor(value / 128)) out.push((value % 128) | 128);
  return Buffer.from([...out, value]);
};
const written = (words) => Buffer.concat([encoded(Buffer.byteLength(words)), Buffer.from(words)]);

// Whole identifiers only, and no short name that means something else already.
const IDENTIFIER = /[A-Za-z_$][\w$]*/g;
const taken = new Set([...(js.match(IDENTIFIER) ?? []), "do", "if", "in"]);
const LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
const short = new Map();
let tried = 0;
const fresh = () => {
  for (;;) {
    let name = "";
    for (let rest = tried++; rest >= 0; rest = Math.floor(rest / LETTERS.length) - 1) name += LETTERS[rest % LETTERS.length];
    if (!taken.has(name)) return name;
  }
};
const shortened = (name) => {
  if (!taken.has(name)) fail(`${name} is not in the JavaScript`);
  if (!short.has(name)) short.set(name, fresh());
  return short.get(name);
};

const limits = () => {
  const flags = byte();
  if (flags > 1) fail(`limits of kind ${flags}`);
  number();
  if (flags === 1) number();
};
const skipImported = () => {
  const kind = byte();
  if (kind === 0) number();
  else if (kind === 1) byte(), limits();
  else if (kind === 2) limits();
  else if (kind === 3) byte(), byte();
  else fail(`an import of kind ${kind}`);
};

const MODULE = "./tagwarden-app_bg.js";
const imports = () => {
  const count = number();
  const out = [encoded(count)];
  for (let each = 0; each < count; each++) {
    const module = text();
    if (module !== MODULE) fail(`an import from ${module}`);
    const name = shortened(text());
    const from = at;
    skipImported();
    out.push(written("w"), written(name), wasm.subarray(from, at));
  }
  return Buffer.concat(out);
};
const exports = () => {
  const count = number();
  const out = [encoded(count)];
  for (let each = 0; each < count; each++) {
    const name = text();
    const isGenerated = name.startsWith("wasm_bindgen__") && taken.has(name);
    const kind = byte();
    out.push(written(isGenerated ? shortened(name) : name), Buffer.from([kind]), encoded(number()));
  }
  return Buffer.concat(out);
};

// Where a panic in another crate is: its file's name stays, the folders before it become blanks, as lengths stand elsewhere.
// In a release cargo's folder is called /cargo.
const homes = [process.env.CARGO_HOME ?? join(homedir(), ".cargo"), "/cargo"];
const crates = homes.map((home) => join(home, "registry/src").replace(/\W/g, "\\$&")).join("|");
const PATHS = new RegExp(`(?:${crates}|/rustc/[0-9a-f]{40})[\\w./+-]{0,160}?/[\\w-]+\\.rs`, "g");
const withoutPaths = (data) => {
  const blanked = (path) => path.slice(path.lastIndexOf("/") + 1).padStart(path.length);
  return Buffer.from(data.toString("latin1").replace(PATHS, blanked), "latin1");
};

if (bytes(8).toString("hex") !== "0061736d01000000") fail(`${names.wasm} is no WebAssembly of version 1`);
const out = [wasm.subarray(0, 8)];
while (at < wasm.length) {
  const id = byte();
  const length = number();
  const end = at + length;
  const body = id === 2 ? imports() : id === 7 ? exports() : id === 11 ? withoutPaths(bytes(length)) : bytes(length);
  if (at !== end) fail(`section ${id} has another length than it says`);
  // Custom sections say who made the module.
  if (id !== 0) out.push(Buffer.from([id]), encoded(body.length), body);
}
const shorter = Buffer.concat(out);
if (short.size === 0) fail("the module has no imports");

if (js.split(`"${MODULE}"`).length !== 2) fail(`${names.js} does not name ${MODULE} once`);
js = js.replace(`"${MODULE}"`, `"w"`).replace(IDENTIFIER, (name) => short.get(name) ?? name);

// What is imported is there, and the files are named after what is in them now: browsers keep them for ever.
const wanted = WebAssembly.Module.imports(new WebAssembly.Module(shorter));
const given = new Set(js.match(IDENTIFIER));
for (const { name } of wanted) if (!given.has(name)) fail(`${name} was lost`);
const hash = createHash("sha256").update(shorter).update(js).digest("hex").slice(0, 16);
const stem = names.js.slice(0, -".js".length);
const index = join(folder, "index.html");
const html = readFileSync(index, "utf8");
if (!html.includes(stem)) fail(`index.html does not name ${stem}`);
writeFileSync(index, html.replaceAll(stem, `tagwarden-app-${hash}`));
writeFileSync(join(folder, names.wasm), shorter);
writeFileSync(join(folder, names.js), js);
renameSync(join(folder, names.wasm), join(folder, `tagwarden-app-${hash}_bg.wasm`));
renameSync(join(folder, names.js), join(folder, `tagwarden-app-${hash}.js`));
