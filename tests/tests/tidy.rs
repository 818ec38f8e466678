//! The rules of ARCHITECTURE.md that a compiler does not check.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Everything the rules look at; what is generated or fetched lies elsewhere.
const FOLDERS: &[&str] = &[".ci", ".config", "app", "model", "packaging", "server", "style", "tests"];
const MAX_LINES: usize = 500;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// All files below [`FOLDERS`] and in the root, as paths relative to the root with `/`.
fn files() -> Vec<String> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else {
                found.push(path);
            }
        }
    }
    let root = root();
    let mut found = Vec::new();
    for folder in FOLDERS.iter().map(|folder| root.join(folder)).filter(|folder| folder.is_dir()) {
        walk(&folder, &mut found);
    }
    found.extend(fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file()));
    let mut files: Vec<_> =
        found.iter().map(|path| path.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/")).collect();
    files.sort();
    files
}

fn has_extension(path: &str, extensions: &[&str]) -> bool {
    Path::new(path).extension().is_some_and(|found| extensions.iter().any(|extension| found == *extension))
}

fn rust_files() -> Vec<String> {
    files().into_iter().filter(|path| has_extension(path, &["rs"])).collect()
}

/// Whether a Rust file holds tests only: a test crate's file, or a module's tests in a file of their own.
fn is_test_file(path: &str) -> bool {
    path.starts_with("tests/tests/")
        || path.ends_with("/tests.rs")
        || path.contains("/tests/")
        || path.ends_with("_test.rs")
}

/// The code above a file's own test module, without line comments.
fn code(text: &str) -> String {
    let above = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    // What follows a colon is an address.
    let comment = |line: &str| line.match_indices("//").map(|(at, _)| at).find(|at| !line[..*at].ends_with(':'));
    above.lines().map(|line| &line[..comment(line).unwrap_or(line.len())]).collect::<Vec<_>>().join("\n")
}

/// Fails with all that is wrong, not with the first of it.
fn assert_none(wrong: &[String], rule: &str) {
    assert!(wrong.is_empty(), "{rule}\n  {}", wrong.join("\n  "));
}

/// The server's module that `path` belongs to: `server/src/store/sqlite.rs` -> `store`.
fn server_module(path: &str) -> Option<&str> {
    let inside = path.strip_prefix("server/src/")?;
    Some(inside.split('/').next().unwrap_or_default().trim_end_matches(".rs"))
}

/// What follows `crate::` in `code`: first module and the next one, also inside `use crate::{a, b::c}`.
fn crate_paths(code: &str) -> Vec<String> {
    let mut paths = Vec::new();
    for (position, _) in code.match_indices("crate::") {
        // `tagwarden_crate::` is another word; `$crate::` is ours.
        if code[..position].chars().next_back().is_some_and(|before| before.is_alphanumeric() || before == '_') {
            continue;
        }
        let rest = &code[position + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            // Only the names at the group's own level are modules of the crate.
            let (mut depth, mut name) = (0_usize, String::new());
            for letter in group.chars() {
                match letter {
                    '}' if depth == 0 => break,
                    ',' if depth == 0 => paths.push(std::mem::take(&mut name)),
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    _ if depth == 0 && !letter.is_whitespace() => name.push(letter),
                    _ => {}
                }
            }
            paths.push(name);
        } else {
            paths.push(
                rest.chars().take_while(|letter| letter.is_alphanumeric() || matches!(letter, '_' | ':')).collect(),
            );
        }
    }
    paths.retain(|path| !path.is_empty());
    paths
}

/// Which other modules of the server each module may name; words that all share (config, clock, policy) are not listed.
const MODULES: &[(&str, &[&str])] = &[
    ("clock", &[]),
    ("registry", &[]),
    ("store", &[]),
    ("poller", &["registry", "store"]),
    ("jobs", &["registry", "store"]),
    ("live", &["store"]),
    ("notify", &["store"]),
    ("http", &["store", "live"]),
];

#[test]
fn modules_of_the_server_depend_in_one_direction() {
    let layers: Vec<&str> = MODULES.iter().map(|(module, _)| *module).filter(|module| *module != "clock").collect();
    let mut wrong = Vec::new();
    for path in rust_files().iter().filter(|path| !is_test_file(path)) {
        let Some(module) = server_module(path).filter(|module| !matches!(*module, "main" | "lib")) else { continue };
        let allowed = MODULES.iter().find(|(name, _)| *name == module).map(|(_, allowed)| *allowed);
        for used in crate_paths(&code(&read(path))) {
            let used = used.split("::").next().unwrap_or_default().to_owned();
            if used == module || !layers.contains(&used.as_str()) {
                continue;
            }
            // A module that is no layer (a command, say) may use any layer but http; `serve` puts all of them together.
            let fine = allowed.map_or(used != "http" || module == "serve", |allowed| allowed.contains(&used.as_str()));
            if !fine {
                wrong.push(format!("{path} names crate::{used}"));
            }
        }
    }
    assert_none(&wrong, "poller, jobs -> registry, store; live, notify -> store; http -> store, live; nothing -> http");
}

#[test]
fn only_main_and_lib_name_a_concrete_store() {
    let mut wrong = Vec::new();
    for path in rust_files().iter().filter(|path| !is_test_file(path)) {
        let Some(module) = server_module(path).filter(|module| !matches!(*module, "main" | "lib" | "store")) else {
            continue;
        };
        let code = code(&read(path));
        let named = ["store::sqlite", "store::postgres", "sqlx::"].into_iter().filter(|name| code.contains(name));
        wrong.extend(named.map(|name| format!("{path} (module {module}) names {name}")));
    }
    assert_none(&wrong, "outside server/src/store only main.rs and lib.rs know which database it is");
}

#[test]
fn files_are_short() {
    let mut wrong = Vec::new();
    for path in files() {
        let checked = has_extension(&path, &["rs", "css", "js", "sh", "html"]);
        let generated = path == "app/tagwarden.css";
        if !checked || generated || is_test_file(&path) || path.contains("/migrations/") {
            continue;
        }
        let text = read(&path);
        // A file's own tests at its end do not count.
        let lines = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default().lines().count();
        if lines > MAX_LINES {
            wrong.push(format!("{path}: {lines} lines"));
        }
    }
    assert_none(&wrong, "a file has at most 500 lines (tests, generated files and migrations apart)");
}

#[test]
fn names_of_files_and_folders_say_what_is_inside() {
    const EMPTY_WORDS: &[&str] = &["utils", "util", "common", "helpers", "helper", "misc"];
    let wrong: Vec<_> = files()
        .into_iter()
        .filter(|path| {
            path.ends_with("/mod.rs")
                || path.split('/').any(|part| EMPTY_WORDS.contains(&part.split('.').next().unwrap_or_default()))
        })
        .collect();
    assert_none(&wrong, "no mod.rs, and nothing called utils, common, helpers or misc");
}

/// The lines of one table of a Cargo.toml.
fn table(text: &str, header: &str) -> Vec<String> {
    let lines = text.lines().skip_while(|line| line.trim() != header).skip(1);
    lines.take_while(|line| !line.starts_with('[')).map(str::to_owned).collect()
}

fn crate_name(line: &str) -> Option<&str> {
    let name = line.split(['=', '.', ' ']).next()?.trim();
    (!name.is_empty() && !name.starts_with('#') && line.contains('=')).then_some(name)
}

#[test]
fn the_model_stays_light() {
    let dependencies = table(&read("model/Cargo.toml"), "[dependencies]");
    let allowed = BTreeSet::from(["serde", "serde_json", "sha2", "thiserror", "utoipa"]);
    let names: BTreeSet<_> = dependencies.iter().filter_map(|line| crate_name(line)).collect();
    assert!(names.contains("serde"), "model/Cargo.toml was not understood: {names:?}");
    let wrong: Vec<_> = names.difference(&allowed).map(ToString::to_string).collect();
    assert_none(
        &wrong,
        "model builds for the page: no regex, no jiff, no tokio, no reqwest; it would weigh in every visit",
    );
    let optional = dependencies.iter().find(|line| crate_name(line) == Some("utoipa")).unwrap();
    assert!(optional.contains("optional = true"), "utoipa is for the server only");
}

#[test]
fn every_crate_says_why_it_is_here() {
    let dependencies = table(&read("Cargo.toml"), "[workspace.dependencies]");
    let foreign: Vec<_> =
        dependencies.iter().filter(|line| crate_name(line).is_some() && !line.contains("path = ")).collect();
    assert!(foreign.len() > 20, "Cargo.toml was not understood");
    let wrong: Vec<_> = foreign
        .iter()
        .filter(|line| line.rsplit_once(" # ").is_none_or(|(_, reason)| reason.trim().len() < 5))
        .map(ToString::to_string)
        .collect();
    assert_none(&wrong, "each line of [workspace.dependencies] ends with its reason, `# why`");
}

#[test]
fn crates_take_versions_from_the_workspace() {
    let mut wrong = Vec::new();
    for member in ["app", "model", "server", "tests"] {
        let manifest = read(&format!("{member}/Cargo.toml"));
        for header in ["[dependencies]", "[dev-dependencies]", "[build-dependencies]"] {
            let lines = table(&manifest, header);
            let own = lines.iter().filter(|line| crate_name(line).is_some() && !line.contains("workspace = true"));
            wrong.extend(own.map(|line| format!("{member}/Cargo.toml: {line}")));
        }
    }
    assert_none(&wrong, "versions stand once, in the workspace's Cargo.toml");
}

#[test]
fn nothing_is_left_to_do_and_no_machine_is_named() {
    // In pieces, or this file would find itself.
    let words = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X:"), concat!("HA", "CK:")];
    let paths = [concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/wo", "rk/"), concat!("/Us", "ers/")];
    let text_files =
        ["rs", "toml", "css", "js", "html", "sh", "sql", "md", "json", "yml", "yaml", "service", "snap", ""];
    let mut wrong = Vec::new();
    for path in files() {
        let name = path.rsplit('/').next().unwrap_or_default();
        let is_text = text_files.iter().any(|extension| has_extension(name, &[extension])) || !name.contains('.');
        if !is_text {
            continue;
        }
        for (number, line) in read(&path).lines().enumerate() {
            let found = words.iter().chain(&paths).find(|word| line.contains(**word));
            wrong.extend(found.map(|word| format!("{path}:{}: {word}", number + 1)));
        }
    }
    assert_none(&wrong, "work that is left belongs in an issue; a path of one machine is of no use on another");
}

#[test]
fn every_stylesheet_is_in_the_written_order() {
    let sheets: BTreeSet<_> = files()
        .into_iter()
        .filter_map(|path| path.strip_prefix("style/").filter(|name| has_extension(name, &["css"])).map(str::to_owned))
        .collect();
    if sheets.is_empty() && !root().join("style/order.txt").exists() {
        return;
    }
    let order: Vec<_> = read("style/order.txt").lines().map(str::to_owned).collect();
    let named: BTreeSet<_> = order.iter().cloned().collect();
    assert_eq!(named.len(), order.len(), "style/order.txt names a file twice");
    assert_eq!(
        named, sheets,
        "style/order.txt names the files of style/, one a line, in the order they are concatenated"
    );
}

#[test]
fn only_the_long_runs_are_left_out_of_the_tests() {
    let ignore = concat!("#[ig", "nore");
    let wrong: Vec<_> = rust_files()
        .into_iter()
        .filter(|path| !matches!(path.as_str(), "tests/tests/soak.rs" | "tests/tests/bench.rs"))
        .filter(|path| !path.starts_with("tests/tests/bench/"))
        .filter(|path| read(path).contains(ignore))
        .collect();
    assert_none(&wrong, "nothing is skipped silently: only tests/tests/soak.rs and bench hold ignored tests");
}

/// A string literal of a Rust file, between what stands before and behind it.
struct Literal<'a> {
    line: usize,
    before: &'a str,
    text: &'a str,
    after: &'a str,
}

/// The string literals of code. A quote that is a character of its own begins none.
fn literals(code: &str) -> Vec<Literal<'_>> {
    let (mut found, mut from) = (Vec::new(), 0);
    while let Some(start) = code[from..].find('"').map(|at| from + at) {
        if code[..start].ends_with('\'') && code[start + 1..].starts_with('\'') {
            from = start + 1;
            continue;
        }
        let (mut end, mut escaped) = (start + 1, false);
        for byte in code[start + 1..].bytes() {
            match byte {
                b'"' if !escaped => break,
                _ => escaped = byte == b'\\' && !escaped,
            }
            end += 1;
        }
        let line = code[..start].lines().count();
        let after = code.get(end + 1..).unwrap_or_default();
        found.push(Literal {
            line,
            before: code[..start].trim_end(),
            text: &code[start + 1..end],
            after: after.trim_start(),
        });
        from = code.len().min(end + 1);
    }
    found
}

/// Texts of views that are the same in every language.
const IN_EVERY_LANGUAGE: &[&str] = &[
    // A space that keeps a line open.
    "\\u{a0}",
    // Names.
    "Tagwarden",
    "CSV",
    "JSON",
    "docker",
    "kubectl",
    "ghcr.io/acme/api",
    // Commands.
    "tagwarden serve",
    "tagwarden backup",
    "tagwarden check ",
    "docker pull {pinned}",
    "kubectl set image deployment/{container} {container}={pinned}",
    // Where the stylesheet's places are.
    "auto auto",
    "auto auto ",
    // Typefaces.
    "12px ui-monospace, \\\"SF Mono\\\", Menlo, Consolas, \\\"Cascadia Mono\\\", \\\"DejaVu Sans Mono\\\", monospace",
    // Keys, as the browser calls them; beside those that begin as `KEYS` do.
    "Home",
    "End",
    "Enter",
    "Escape",
];

const KEYS: [&str; 3] = ["Arrow", "Key", "Numpad"];

impl Literal<'_> {
    /// Whether people read it: several words, a word that begins like a sentence, a word in an element, or one in an
    /// attribute that is read out. A word in small letters that goes into a view by way of a variable is not found.
    fn is_read(&self, classes: &BTreeSet<String>) -> bool {
        let letters: Vec<char> = self.text.chars().collect();
        let is_sentence = letters
            .windows(3)
            .any(|three| matches!(three, [first, ' ', last] if first.is_alphabetic() && last.is_alphabetic()));
        let is_capital = matches!(*letters, [first, second, ..] if first.is_uppercase() && second.is_lowercase());
        let has_words = letters.iter().any(|letter| letter.is_alphabetic());
        let attributes = ["title=", "aria-label=", "placeholder=", "alt=", "what="];
        let is_attribute = attributes.iter().any(|attribute| self.before.ends_with(attribute));
        let opens_tag =
            self.after.strip_prefix('<').is_some_and(|tag| tag.starts_with(|c: char| c == '/' || c.is_alphabetic()));
        let closes_tag = self.before.ends_with('>') && !self.before.ends_with("=>") && !self.before.ends_with("->");
        let is_between = self.before.ends_with('}') && self.after.starts_with('{');
        let is_child = opens_tag || closes_tag || is_between;
        // What the stylesheets or those who build the page read.
        let is_known = |word: &str| classes.contains(word.strip_prefix('.').unwrap_or(word));
        let is_selector = self.text.starts_with('.');
        let is_class = self.before.ends_with("class=")
            || self.text.split(' ').all(|word| is_known(word) || (is_selector && word == "canvas"));
        let is_for_builders = ["reason =", "unreachable!("].iter().any(|before| self.before.ends_with(before));
        let is_text = (is_sentence && !is_class) || is_capital || (has_words && (is_attribute || is_child));
        let is_key = |key: &&str| self.text.strip_prefix(key).is_some_and(|rest| rest.starts_with(char::is_uppercase));
        is_text && !is_for_builders && !KEYS.iter().any(is_key) && !IN_EVERY_LANGUAGE.contains(&self.text)
    }
}

/// Every class that a stylesheet knows.
fn classes() -> BTreeSet<String> {
    let sheets = files().into_iter().filter(|path| path.starts_with("style/") && has_extension(path, &["css"]));
    let of = |sheet: String| {
        let name =
            |part: &str| part.split(|c: char| !c.is_alphanumeric() && c != '-').next().unwrap_or_default().to_owned();
        sheet.split('.').skip(1).map(name).collect::<Vec<_>>()
    };
    sheets.flat_map(|path| of(read(&path))).collect()
}

/// Files of the page that may hold texts: the one place for them, and with a reason each some others.
fn may_hold_texts(path: &str) -> bool {
    path.starts_with("app/src/text")
        // Samples for those who build pages; no page leads to it.
        || path == "app/src/pages/styleguide.rs"
}

#[test]
fn all_texts_of_the_page_are_in_one_place() {
    let classes = classes();
    let mut wrong = Vec::new();
    let is_drawn = |path: &&String| path.starts_with("app/src/") || path.starts_with("model/src/timeline");
    for path in rust_files().iter().filter(is_drawn) {
        if is_test_file(path) || may_hold_texts(path) {
            continue;
        }
        let code = code(&read(path));
        let found = literals(&code).into_iter().filter(|literal| literal.is_read(&classes));
        wrong.extend(found.map(|literal| format!("{path}:{}: {:?}", literal.line, literal.text)));
        // What the API calls a thing is no text: the words for it are in app/src/text/*/kinds.rs.
        let lines = code.lines().enumerate().filter(|(_, line)| line.contains(".word()}"));
        wrong.extend(lines.map(|(at, _)| format!("{path}:{}: a word of the API is shown", at + 1)));
    }
    assert_none(
        &wrong,
        "what people read in the page comes from app/src/text, so that another language is another file",
    );
}

#[test]
fn texts_are_told_from_what_nobody_reads() {
    let classes = BTreeSet::from(["chip".to_owned(), "chip-flag".to_owned()]);
    let is_read = |code: &str| literals(code).iter().any(|literal| literal.is_read(&classes));
    for text in [
        "let a = format!(\"no {name} is found\");",
        "said.set(\"Copied\")",
        "<b>\"absent\"</b>",
        "<b>{count}\" new\"</b>",
        "<p>{a} \"or\" {b}</p>",
        "<a title=\"sum\"></a>",
        "replace('\"', \"a\"); <b>\"absent\"</b>",
        "\"\\\"\"; <b>\"absent\"</b>",
    ] {
        assert!(is_read(text), "{text}");
    }
    for code in [
        "<p class=\"chip chip-flag\"></p>",
        "match key { \"a\" => \"b\", _ => \"c\" }",
        "<code>\"tagwarden serve\"</code>",
        "#[expect(dead_code, reason = \"it is read\")]",
        "<p>\" \" {at} \", \"</p>",
    ] {
        assert!(!is_read(code), "{code}");
    }
}

#[test]
fn the_rules_find_what_they_look_for() {
    assert_eq!(
        crate_paths("use crate::{store::{Db, Row}, live};\ncrate::http::f(); my_crate::poller::x"),
        ["store::", "live", "http::f"]
    );
    assert_eq!(code("let a; // crate::http\n#[cfg(test)]\nmod tests { crate::http }"), "let a; ");
    assert_eq!(code("let a = \"http://b\"; // c: http://d"), "let a = \"http://b\"; ");
    assert_eq!(server_module("server/src/store/sqlite.rs"), Some("store"));
    assert_eq!(server_module("server/src/store.rs"), Some("store"));
    assert_eq!(crate_name("serde.workspace = true"), Some("serde"));
    assert_eq!(crate_name("# a comment = 1"), None);
    assert!(files().contains(&"server/src/lib.rs".to_owned()));
}
