//! One version of the file, with the place of everything in it, and with what variables and the command line say instead.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use serde::Deserialize as _;
use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::file::{self, File};
use super::mistake::Problem;
use super::nearest;

/// A parsed file. Places are ranges of bytes; what does not come from the file lies behind its end.
pub struct Document<'t> {
    /// As parsed, with what goes before the file.
    table: DeTable<'t>,
    length: usize,
    /// Variables and options by the place that stands for them.
    outside: BTreeMap<usize, String>,
    /// What is wrong so far.
    pub problems: Vec<Problem>,
    /// Values that must not be shown.
    pub secrets: Vec<Range<usize>>,
    /// Tables of which something wrong was left out.
    damaged: BTreeSet<String>,
}

impl<'t> Document<'t> {
    /// Parses TOML; what is wrong with its syntax stands alone.
    pub fn parse(text: &'t str) -> Result<Self, Problem> {
        let table = DeTable::parse(text).map_err(|error| {
            let place = error.span().unwrap_or(0..0);
            Problem::new(place, format!("this is no TOML: {}", error.message()), "correct it; the rest is read then")
        })?;
        Ok(Self {
            table: table.into_inner(),
            length: text.len(),
            outside: BTreeMap::new(),
            problems: Vec::new(),
            secrets: Vec::new(),
            damaged: BTreeSet::new(),
        })
    }

    /// The variable or option that a place stands for; `None` for one in the file.
    pub fn outside(&self, place: &Range<usize>) -> Option<&str> {
        self.outside.get(&place.start).map(String::as_str)
    }

    /// Puts `text` in the place of a key, as `origin` (a variable or an option) says. It also takes the place of the same
    /// thing in another form: a password of that in a file.
    pub fn set(&mut self, path: &str, key: &str, origin: &str, text: String) {
        let place = self.length + 1 + self.outside.len();
        self.outside.insert(place, origin.to_owned());
        let length = self.length;
        if path == "server" && !self.table.contains_key(path) {
            self.table.insert(spanned(place, path.to_owned().into()), spanned(place, DeValue::Table(DeTable::new())));
        }
        let Some(DeValue::Table(table)) = find_mut(&mut self.table, path) else { return };
        let other = key.strip_suffix("_file").map_or_else(|| format!("{key}_file"), str::to_owned);
        // Said twice at the same rank it is a mistake, which is found later.
        if table.get(other.as_str()).is_some_and(|value| value.span().start <= length) {
            table.remove(other.as_str());
        }
        table.remove(key);
        table.insert(spanned(place, key.to_owned().into()), spanned(place, DeValue::String(text.into())));
    }

    /// The texts of `key` in each table of a list, where there is one.
    pub fn texts(&self, list: &str, key: &str) -> Vec<Option<String>> {
        let tables = self.table.get(list).and_then(|list| list.get_ref().as_array());
        let text =
            |table: &Spanned<DeValue<'_>>| Some(table.get_ref().as_table()?.get(key)?.get_ref().as_str()?.to_owned());
        tables.map(|tables| tables.iter().map(text).collect()).unwrap_or_default()
    }

    /// Where the value at a path is (`registry.0.host`), or the nearest table around it.
    pub fn place(&self, path: &str) -> Range<usize> {
        let mut place = 0..0;
        let mut steps = path.split('.');
        let mut value = steps.next().and_then(|key| self.table.get(key));
        while let Some(found) = value {
            place = found.span();
            value = steps.next().and_then(|step| match step.parse::<usize>() {
                Ok(item) => found.get_ref().get(item),
                Err(_) => found.get_ref().get(step),
            });
        }
        place
    }

    /// Notes what is wrong with the value at a path.
    pub fn wrong(&mut self, path: &str, message: impl Into<String>, advice: impl Into<String>) {
        self.problems.push(Problem::new(self.place(path), message, advice));
    }

    /// Whether nothing of a table was left out, so that its keys can be held against each other.
    pub fn is_whole(&self, path: &str) -> bool {
        !self.damaged.contains(path)
    }

    /// The file without what is wrong in it; what that was is noted.
    pub fn read(&mut self) -> File {
        let mut table = self.table.clone();
        let schema = file::schema();
        let mut walk = Walk { problems: Vec::new(), secrets: Vec::new(), damaged: BTreeSet::new() };
        walk.table(&schema, &mut table, "", "", &(0..0));
        // What the schema cannot say (a length of time, an address) the types say, one at a time.
        let file = loop {
            let value = Spanned::new(0..self.length, DeValue::Table(table.clone()));
            let error = match File::deserialize(ValueDeserializer::from(value)) {
                Ok(file) => break file,
                Err(error) => error,
            };
            let place = error.span().unwrap_or(0..0);
            let hidden = walk.secrets.iter().any(|secret| secret.start <= place.start && place.end <= secret.end);
            let message = if hidden { "this value cannot be read" } else { error.message() };
            let Some(path) = walk.remove(&mut table, "", &place) else {
                walk.problems.push(Problem::new(place, message, "correct it"));
                break File::default();
            };
            walk.problems.push(Problem::new(place, message, advice(&schema, &path)));
        };
        self.problems.append(&mut walk.problems);
        self.secrets = walk.secrets;
        self.damaged = walk.damaged;
        file
    }
}

/// Holds a file against its schema.
struct Walk {
    problems: Vec<Problem>,
    secrets: Vec<Range<usize>>,
    damaged: BTreeSet<String>,
}

impl Walk {
    /// Checks a table and leaves out what is wrong. `name` is how it is written: `[server]`, `[[registry]]`.
    fn table(&mut self, schema: &Value, table: &mut DeTable<'_>, name: &str, path: &str, place: &Range<usize>) {
        let Some(known) = schema.get("properties").and_then(Value::as_object) else { return };
        let (mut wrong, mut meant): (Vec<String>, Vec<&str>) = Default::default();
        for (key, value) in table.iter_mut() {
            let Some(property) = known.get(key.get_ref().as_ref()) else {
                // It may be a password whose key was mistyped. A table with a heading of its own shows nothing there.
                if value.span() != key.span() {
                    self.secrets.push(value.span());
                }
                let of = if name.is_empty() { "this file" } else { name };
                let place = key.span();
                let advice = match nearest(key.get_ref(), known.keys().map(String::as_str)) {
                    Some(near) => {
                        meant.push(near);
                        format!("did you mean `{near}`?")
                    }
                    None => format!("known are {}", list(known.keys())),
                };
                self.problems.push(Problem::new(place, format!("`{}` is no key of {of}", key.get_ref()), advice));
                wrong.push(key.get_ref().to_string());
                continue;
            };
            let path = if path.is_empty() { key.get_ref().to_string() } else { format!("{path}.{}", key.get_ref()) };
            if !self.value(property, key.get_ref(), value, &path) {
                wrong.push(key.get_ref().to_string());
            }
        }
        for key in schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
            if !table.contains_key(key) && !meant.contains(&key) {
                let description =
                    known.get(key).and_then(|property| property.get("description")).and_then(Value::as_str);
                let advice = description.map_or_else(String::new, |text| format!("add `{key}`: {}", first_small(text)));
                self.problems.push(Problem::new(place.clone(), format!("`{key}` is missing in {name}"), advice));
                self.damaged.insert(path.to_owned());
            }
        }
        for key in wrong {
            table.remove(key.as_str());
            self.damaged.insert(path.to_owned());
        }
    }

    /// Checks one value; `false` when it is wrong as a whole.
    fn value(&mut self, schema: &Value, key: &str, value: &mut Spanned<DeValue<'_>>, path: &str) -> bool {
        let place = value.span();
        let text = value.get_ref().as_str();
        // A user and a password may stand before the sign; a digest stands after it.
        let hidden = text.is_some_and(|text| text.contains('@') && !text.contains("@sha"));
        if hidden || schema.get("writeOnly").is_some() {
            self.secrets.push(place.clone());
        }
        let word = |field: &str| schema.get(field).and_then(Value::as_str).unwrap_or_default();
        let expected = word("type");
        let found = match value.get_ref() {
            DeValue::String(_) | DeValue::Datetime(_) => "string",
            DeValue::Integer(_) if expected == "number" => "number",
            DeValue::Integer(_) => "integer",
            DeValue::Float(_) => "number",
            DeValue::Boolean(_) => "boolean",
            DeValue::Array(_) => "array",
            DeValue::Table(_) => "object",
        };
        if found != expected {
            let advice = match (expected, found) {
                ("array", "object") => format!("it stands once for each: write [[{key}]]"),
                ("object", "array") => format!("it stands only once: write [{key}]"),
                ("string", _) => "put it in quotes".to_owned(),
                (_, "string") => "leave the quotes out".to_owned(),
                _ => "correct it".to_owned(),
            };
            let message = format!("`{key}` is {}, not {}", kind(expected), kind(found));
            self.problems.push(Problem::new(place, message, advice));
            return false;
        }
        let mut wrong = |message: String, advice: String| {
            self.problems.push(Problem::new(place.clone(), message, advice));
            false
        };
        match value.get_mut() {
            DeValue::Table(table) => self.table(schema, table, &format!("[{path}]"), path, &place),
            DeValue::Array(items) => {
                let item_schema = schema.get("items").unwrap_or(&Value::Null);
                for (at, item) in items.iter_mut().enumerate() {
                    let (place, path) = (item.span(), format!("{path}.{at}"));
                    if let DeValue::Table(table) = item.get_mut() {
                        self.table(item_schema, table, &format!("[[{key}]]"), &path, &place);
                    } else if !self.value(item_schema, key, item, &path) {
                        return false;
                    }
                }
            }
            DeValue::String(text) => {
                let words = schema.get("enum").and_then(Value::as_array);
                let words: Option<Vec<&str>> = words.map(|words| words.iter().filter_map(Value::as_str).collect());
                if let Some(words) = words.filter(|words| !words.contains(&text.as_ref())) {
                    let advice = nearest(text, words.iter().copied());
                    let advice = advice.map_or_else(String::new, |near| format!("did you mean `{near}`?"));
                    return wrong(format!("`{key}` is one of {}", list(&words)), advice);
                }
                if schema.get("minLength").is_some() && text.is_empty() {
                    return wrong(format!("`{key}` is empty"), "say something, or leave the key out".to_owned());
                }
            }
            DeValue::Integer(number) => return in_range(schema, key, number.as_str(), wrong),
            DeValue::Float(number) => return in_range(schema, key, number.as_str(), wrong),
            DeValue::Boolean(_) | DeValue::Datetime(_) => {}
        }
        true
    }

    /// Takes out the key whose value is at `place`, and gives its path.
    fn remove(&mut self, table: &mut DeTable<'_>, path: &str, place: &Range<usize>) -> Option<String> {
        let mut found = None;
        for (key, value) in table.iter_mut() {
            let path = if path.is_empty() { key.get_ref().to_string() } else { format!("{path}.{}", key.get_ref()) };
            let is_inside = value.span().start <= place.start && place.end <= value.span().end;
            let deeper = match value.get_mut() {
                DeValue::Table(table) => self.remove(table, &path, place),
                DeValue::Array(items) => items.iter_mut().enumerate().find_map(|(at, item)| match item.get_mut() {
                    DeValue::Table(table) => self.remove(table, &format!("{path}.{at}"), place),
                    _ => None,
                }),
                _ => None,
            };
            if deeper.is_some() {
                return deeper;
            }
            if is_inside {
                found = Some((key.get_ref().to_string(), path));
            }
        }
        let (key, found) = found?;
        self.damaged.insert(path.to_owned());
        table.remove(key.as_str()).map(|_| found)
    }
}

/// What the value at a path should look like.
fn advice(schema: &Value, path: &str) -> String {
    let mut schema = schema;
    for step in path.split('.') {
        let of_items = || schema.get("items");
        let of_keys = || schema.get("properties")?.get(step);
        schema = of_keys().or_else(of_items).unwrap_or(&Value::Null);
    }
    let examples = schema.get("examples").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    match list(examples).as_str() {
        "" => "correct it".to_owned(),
        examples => format!("write it as in {examples}"),
    }
}

fn in_range(schema: &Value, key: &str, number: &str, mut wrong: impl FnMut(String, String) -> bool) -> bool {
    let bound = |name: &str| schema.get(name).and_then(Value::as_f64);
    let (Some(least), Some(most)) = (bound("minimum"), bound("maximum")) else { return true };
    let inside = number.replace('_', "").parse::<f64>().is_ok_and(|number| (least..=most).contains(&number));
    inside || wrong(format!("`{key}` is between {least} and {most}"), "choose a number in between".to_owned())
}

fn find_mut<'a, 't>(table: &'a mut DeTable<'t>, path: &str) -> Option<&'a mut DeValue<'t>> {
    match path.split_once('.') {
        None => table.get_mut(path).map(Spanned::get_mut),
        Some((list, at)) => match table.get_mut(list)?.get_mut() {
            DeValue::Array(items) => items.get_mut(at.parse::<usize>().ok()?).map(Spanned::get_mut),
            _ => None,
        },
    }
}

fn spanned<T>(place: usize, value: T) -> Spanned<T> {
    Spanned::new(place..place, value)
}

/// What the kinds of values are called.
fn kind(word: &str) -> &'static str {
    match word {
        "string" => "text in quotes",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "true or false",
        "array" => "a list",
        _ => "a table",
    }
}

fn list<T: AsRef<str>>(words: impl IntoIterator<Item = T>) -> String {
    let words: Vec<String> = words.into_iter().map(|word| format!("`{}`", word.as_ref())).collect();
    words.join(", ")
}

/// The first letter small, and no full stop at the end: for the middle of a sentence.
fn first_small(text: &str) -> String {
    let mut letters = text.trim_end_matches('.').chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}
