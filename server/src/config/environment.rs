//! Variables that go before the file: one for each key of `[server]`, and the credentials of each registry entry.

use super::document::Document;
use super::mistake::Mistake;
use super::{file, nearest};

/// What stands before every name of ours.
pub const PREFIX: &str = "TAGWARDEN_";
const SERVER: &str = "TAGWARDEN_SERVER_";
const REGISTRY: &str = "TAGWARDEN_REGISTRY_";

/// Keys of a registry entry that can be set so. The longer ones first: a name may end in `_PASSWORD`.
const CREDENTIALS: [&str; 3] = ["password_file", "password", "username"];

/// The variables of this process that may concern us. An empty one counts as not set.
pub fn variables() -> Vec<(String, String)> {
    let ours = std::env::vars_os().filter_map(|(name, value)| {
        // What is no Unicode is no value of ours either, and is found to be wrong where it is used.
        Some((name.into_string().ok()?, value.to_string_lossy().into_owned()))
    });
    ours.filter(|(name, value)| name.starts_with(PREFIX) && !value.is_empty()).collect()
}

/// Puts what variables say in the place of what the file says.
pub fn apply(document: &mut Document<'_>, variables: &[(String, String)]) -> Vec<Mistake> {
    let keys: Vec<String> = file::keys("server");
    let names = names(document);
    let mut mistakes = Vec::new();
    for (variable, value) in variables {
        if let Some(key) = keys.iter().find(|key| *variable == server_variable(key)) {
            document.set("server", key, variable, value.clone());
            continue;
        }
        let entry = CREDENTIALS.iter().find_map(|key| {
            let name = variable.strip_prefix(REGISTRY)?.strip_suffix(&format!("_{}", key.to_uppercase()))?;
            Some((*key, names.iter().enumerate().filter(|(_, own)| in_capitals(own) == name).collect::<Vec<_>>()))
        });
        match entry.as_ref().map(|(key, entries)| (key, entries.as_slice())) {
            Some((key, [(at, _)])) => document.set(&format!("registry.{at}"), key, variable, value.clone()),
            Some((_, [(_, one), (_, other), ..])) => mistakes.push(Mistake::outside(
                format!("{variable} could be for the [[registry]] entry `{one}` and for `{other}`"),
                "give one of them a `name` that differs in letters or digits",
            )),
            _ => mistakes.extend(unknown(variable, &keys, &names)),
        }
    }
    mistakes
}

/// The name of each registry entry, as it will be: its host where it has no other.
fn names(document: &Document<'_>) -> Vec<String> {
    let hosts = document.texts("registry", "host");
    let names = document.texts("registry", "name");
    names.into_iter().zip(hosts).map(|(name, host)| name.or(host).unwrap_or_default()).collect()
}

fn server_variable(key: &str) -> String {
    format!("{SERVER}{}", key.to_uppercase())
}

/// `ghcr.io` as it stands in a variable: `GHCR_IO`.
fn in_capitals(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect()
}

/// Whether a variable that we do not know is a mistake. Others begin with our prefix, too: those of the log and of the tests,
/// and those that Kubernetes makes of a service called `tagwarden`.
fn unknown(variable: &str, keys: &[String], names: &[String]) -> Option<Mistake> {
    let ours = [SERVER, REGISTRY].iter().find_map(|prefix| variable.strip_prefix(prefix));
    if ours.is_some_and(|rest| rest.starts_with("SERVICE_") || rest == "PORT" || rest.starts_with("PORT_")) {
        return None;
    }
    let of_entry =
        |name: &String| CREDENTIALS.map(|key| format!("{REGISTRY}{}_{}", in_capitals(name), key.to_uppercase()));
    let known: Vec<String> =
        keys.iter().map(|key| server_variable(key)).chain(names.iter().flat_map(of_entry)).collect();
    let short = variable.strip_prefix(PREFIX).unwrap_or_default().to_lowercase();
    let forgotten = keys.contains(&short).then(|| server_variable(&short));
    let mistyped = || known.iter().find(|known| strsim::osa_distance(known, variable) <= 2).cloned();
    let near = forgotten.or_else(mistyped);
    if ours.is_none() && near.is_none() {
        return None;
    }
    let near = near.as_deref().or_else(|| nearest(variable, known.iter().map(String::as_str)));
    let advice = match near {
        Some(near) => format!("did you mean {near}?"),
        None if variable.starts_with(REGISTRY) => "the file has no [[registry]] entry of this name".to_owned(),
        None => String::new(),
    };
    Some(Mistake::outside(format!("{variable} is no variable of Tagwarden"), advice))
}
